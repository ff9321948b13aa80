"""What the backend says to a till beside receipts: desired state, jobs, commands, notices.

Signed, so that neither broker nor bridge can make one or send it to another till. What the body says is each kind's
own business.
"""

from typing import Final

from firmware_bridge.wire.envelope import Sign, Verify
from firmware_bridge.wire.signed import open_signed, seal_signed

SIGNED_DOMAIN: Final = b"pos-downlinks-v1\0"


def seal_downlink(topic: str, body: bytes, sign: Sign) -> bytes:
    """Raises PayloadTooLarge."""
    return seal_signed(SIGNED_DOMAIN, topic, body, sign)


def open_downlink(topic: str, payload: bytes, verify: Verify) -> bytes:
    """The body, when the backend's key signed it for this very topic. Raises WireError."""
    return open_signed(SIGNED_DOMAIN, topic, payload, verify)
