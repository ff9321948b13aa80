"""A till that was away when its update was called off never tries it: it asks first, and hears."""

import json
from collections.abc import Iterator
from datetime import time as civil
from pathlib import Path

import pytest

from firmware_bridge.wire.jobs import UpdateState, encode_cancel, encode_offer
from scanner import launch, notices
from scanner.settings import UpdateSettings
from scanner.update import job as job_file
from scanner.update.job import Job
from scanner.update.trial import TrialWatch
from scanner.update.updates import HEARD_WITHIN_S, Heard, Updates
from scanner.update.window import Window
from tests.scanner.till.scene import wait_until
from tests.scanner.update.supply import HARDWARE, OTHER_ROLLOUT, ROLLOUT, fill, offer

DAY = Window(civil(0), civil(0))


class Till:
    """A till's updates after a start: a release is staged since before, and nobody is served."""

    def __init__(self, slots: Path) -> None:
        settings = UpdateSettings(
            slots=slots,
            slot="a",
            url="http://127.0.0.1:1",
            root=slots / "root.json",
            ca=None,
            hardware=HARDWARE,
            window=DAY,
            idle_s=0,
            trial_s=60,
        )
        self.said: list[tuple[str, str | None]] = []
        self.watch = TrialWatch()
        self.updates = Updates(
            settings, self.watch, self._hear, lambda _notice: None, lambda: True, lambda: 0, release="1.0"
        )
        self.updates.start(lambda: None)

    def _hear(self, report: bytes) -> None:
        fields = json.loads(report)
        self.said.append((fields["state"], fields["reason"]))

    def link(self, state: str) -> None:
        self.watch.show(notices.state(state, "", ""))

    def tick(self) -> bool:
        return self.updates.tick(0, basket_open=False)

    def hears(self, body: bytes) -> None:
        before = len(self.said)
        self.updates.take(body)
        wait_until(lambda: len(self.said) > before)


@pytest.fixture
def till(slots: Path) -> Iterator[Till]:
    fill(slots / "b", "exit 0", version="2.0", rollout=ROLLOUT)
    job_file.save(slots / "job.json", Job(offer=offer(), state=UpdateState.STAGED))
    (slots / "root.json").write_bytes(b"{}")
    made = Till(slots)
    yield made
    made.updates.stop()


def test_what_was_staged_before_a_start_waits_until_the_server_says_that_it_stands(till: Till, slots: Path) -> None:
    assert not till.tick()
    till.link("connected")

    assert not till.tick()
    assert not till.tick()
    assert till.said == [("staged", None), ("staged", "unconfirmed")]
    assert not (slots / "trial.json").exists()

    till.hears(encode_offer(offer()))
    assert till.said[-1] == ("staged", None)
    assert till.tick()
    trial = launch.settle(slots)
    assert trial is not None
    assert trial["rollout"] == ROLLOUT


def test_called_off_it_is_dropped_and_never_tried(till: Till, slots: Path) -> None:
    till.link("connected")
    till.tick()

    till.hears(encode_cancel(ROLLOUT))

    assert till.said[-1] == ("failed", "cancelled")
    assert not till.tick()
    assert not (slots / "trial.json").exists()


def test_what_was_heard_on_an_earlier_connection_says_nothing(till: Till, slots: Path) -> None:
    till.link("connected")
    till.hears(encode_offer(offer()))
    till.link("disconnected")
    assert not till.tick()
    till.link("connected")

    assert not till.tick()

    assert till.said[-1] == ("staged", "unconfirmed")
    assert not (slots / "trial.json").exists()


@pytest.mark.parametrize(
    ("rollout", "connection", "after_s", "stands"),
    [
        (ROLLOUT, 2, HEARD_WITHIN_S, True),
        (ROLLOUT, 2, HEARD_WITHIN_S + 1, False),
        (ROLLOUT, 3, 1, False),
        (OTHER_ROLLOUT, 2, 1, False),
    ],
)
def test_an_offer_stands_for_a_while_on_its_connection(
    rollout: str, connection: int, after_s: float, *, stands: bool
) -> None:
    assert Heard(ROLLOUT, 2, 100.0).stands(rollout, connection, 100.0 + after_s) is stands
