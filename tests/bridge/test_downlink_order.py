"""What goes before a change of access, and how long it may hold it up, without network and by a clock of its own."""

import pytest

from firmware_bridge import downlink
from firmware_bridge.backend_client import Downlink, DownlinkPage
from firmware_bridge.backoff import Backoff
from firmware_bridge.downlink import ON_THE_WAY_S, PUBACK_WAIT_S, DownlinkRelay
from firmware_bridge.metrics import Metrics
from firmware_bridge.wire import topics

COMMAND = Downlink("pos/v1/nj-0042-3/down/cmd", b"{}", 1, retain=False, expiry_s=None)
CHANGE = Downlink(topics.ACCESS, b"change", 1, retain=False, expiry_s=None)


class Published:
    """A message that the broker has answered for."""

    def is_published(self) -> bool:
        return True


class Place:
    """Backend, broker, access, clock and stop in one, so that the order between them is seen."""

    connected, generation = True, 1

    def __init__(self, *messages: Downlink) -> None:
        self.page = DownlinkPage(messages, "1")
        self.acts: list[str] = []
        self.now_s = 0.0

    def downlink(self, _after: str | None) -> DownlinkPage:
        return self.page

    def publish(self, *_message: object, **_how: object) -> Published:
        self.acts.append("message")
        return Published()

    def keep_in_step(self) -> None:
        pass

    def change(self, _payload: bytes) -> None:
        self.acts.append("change")

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> bool:
        self.now_s += seconds
        self.acts.append("pause")
        return False

    def relay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(downlink, "time", self)
        relay = DownlinkRelay(self, self, self, Backoff(1, lambda: 0.0), Metrics(), poll_s=1)  # type: ignore[arg-type]
        relay._stopping = self  # type: ignore[assignment]
        relay._relay_once()


def test_a_till_has_a_moment_to_read_what_stands_before_its_revocation(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(COMMAND, COMMAND, CHANGE, CHANGE)

    place.relay(monkeypatch)

    assert place.acts == ["message", "message", "pause", "change", "change"]
    assert place.now_s == ON_THE_WAY_S


def test_messages_hold_up_the_revocations_of_a_page_no_longer_than_the_broker_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Place(*(COMMAND, CHANGE) * 200)

    place.relay(monkeypatch)

    assert place.acts.count("change") == 200
    assert place.now_s <= PUBACK_WAIT_S
