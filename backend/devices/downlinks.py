"""What the backend says to a till beside receipts, signed so that neither broker nor bridge can make one."""

from collections.abc import Callable

FORMAT = b"\x01"
TILLS = "pos/v1/"
"""Topics below it are read by tills; a message elsewhere is for the broker itself and bears no signature."""
SEALED_BYTES = 65
"""What sealing adds to a body."""


def twin_topic(device: str) -> str:
    return f"{TILLS}{device}/down/twin"


def job_topic(device: str) -> str:
    return f"{TILLS}{device}/down/job"


def command_topic(device: str) -> str:
    return f"{TILLS}{device}/down/cmd"


def lease_topic(device: str) -> str:
    return f"{TILLS}{device}/down/lease"


def seal_downlink(topic: str, body: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The message for `topic`; the topic is signed with it, so it is good for no other till."""
    return FORMAT + sign(b"pos-downlinks-v1\0" + topic.encode() + b"\0" + body) + body
