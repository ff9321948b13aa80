from dataclasses import dataclass
from enum import StrEnum

from firmware_bridge.wire.fields import choice, integer
from firmware_bridge.wire.messages import SEQ_MAX, VERSION
from firmware_bridge.wire.strict_json import dump_object, load_object


class BridgeCondition(StrEnum):
    """`degraded`: connected, but the backend does not answer; nothing is lost, receipts wait."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeState:
    """Retained on `topics.bridge_state(name)`, and `offline` as the bridge's will.

    `session` grows with every connection: a death whose session is older than the last birth is stale.
    """

    state: BridgeCondition
    session: int

    @property
    def online(self) -> bool:
        return self.state is not BridgeCondition.OFFLINE


def encode_bridge_state(state: BridgeState) -> bytes:
    return dump_object({"v": VERSION, "online": state.online, "state": state.state, "session": state.session})


def decode_bridge_state(payload: bytes) -> BridgeState:
    """Raises NotJson, DuplicateKey, BadField."""
    fields = load_object(payload)
    return BridgeState(state=choice(fields, "state", BridgeCondition), session=integer(fields, "session", 0, SEQ_MAX))
