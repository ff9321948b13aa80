"""Which bridges are there, as far as a till has heard; it holds its outbox while every one is offline. Pure."""

from firmware_bridge.wire.bridge_state import BridgeCondition, BridgeState

BRIDGES_MAX = 64


class Bridges:
    """Times are seconds of a clock that never falls."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._heard: dict[str, BridgeState] = {}
        self._listening_since_s: float | None = None

    def forget(self) -> None:
        """The connection is gone; the retained states come again with the next one."""
        self._heard.clear()
        self._listening_since_s = None

    def listen(self, now_s: float) -> None:
        self._listening_since_s = now_s

    def hear(self, name: str, state: BridgeState) -> bool:
        """Whether this bridge came up with it. A death that is older than the last birth is stale."""
        before = self._heard.get(name)
        if before is None and len(self._heard) >= BRIDGES_MAX:
            return False
        if before is not None and state.session < before.session and not state.online:
            return False
        self._heard[name] = state
        return state.online and (before is None or not before.online or before.session != state.session)

    def may_send(self, now_s: float) -> bool:
        """A till that has heard of no bridge at all waits a while for the retained word, then sends all the same:
        a broker that lost its retained messages must not silence a shop.
        """
        if self._listening_since_s is None:
            return False
        if self._heard:
            return not self.all_offline()
        return now_s - self._listening_since_s >= self._grace_s

    def answer(self) -> bool:
        """Whether a receipt may be hoped for. While every bridge that is up waits for the backend, what was sent lies with it or
        at the broker; sent again and again for hours it would fill the broker. Of no bridge nothing is known.
        """
        up = [state for state in self._heard.values() if state.online]
        return not up or any(state.state is not BridgeCondition.DEGRADED for state in up)

    def all_offline(self) -> bool:
        """Whether there are bridges and none of them is up."""
        return bool(self._heard) and not any(state.online for state in self._heard.values())

    def grace_ends_s(self) -> float | None:
        if self._listening_since_s is None or self._heard:
            return None
        return self._listening_since_s + self._grace_s
