"""A part that dies of a bug is begun again and counted; one that is done is left alone."""

import threading

import pytest

from scanner.feedback import Notice
from scanner.lasting import AGAIN_MAX_S, LastingThread
from tests.scanner.till.scene import wait_until


class Part:
    """Dies as often as it is told to, then is done."""

    def __init__(self, dies: int) -> None:
        self.dies = dies
        self.runs = 0
        self.told: list[Notice] = []
        self.thread = LastingThread("update", self._run, self.told.append)

    def _run(self) -> None:
        self.runs += 1
        if self.runs <= self.dies:
            raise KeyError("planted")

    def ended(self) -> None:
        wait_until(lambda: not self.thread.is_alive())


@pytest.fixture(autouse=True)
def _faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system's log would take them."""
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)


def test_a_part_that_died_is_begun_again_and_told_of_and_counted() -> None:
    part = Part(dies=2)
    part.thread.start()
    part.ended()

    part.thread.look(100.0)
    assert (part.runs, part.thread.deaths) == (1, 1)
    part.thread.look(101.0)
    part.ended()
    assert part.runs == 2
    part.thread.look(102.0)
    part.thread.look(103.9)
    assert part.runs == 2
    part.thread.look(104.0)
    part.ended()
    part.thread.look(200.0)

    assert (part.runs, part.thread.deaths) == (3, 2)
    assert [notice.facts["state"] for notice in part.told] == ["part_died"] * 2


def test_a_part_that_always_dies_is_begun_again_every_half_hour() -> None:
    part, now_s = Part(dies=100), 0.0
    part.thread.start()
    waits = []
    for _ in range(13):
        part.ended()
        part.thread.look(now_s)
        since_s = now_s
        while part.runs <= len(waits) + 1:
            now_s += 1.0
            part.thread.look(now_s)
            part.ended()
        waits.append(now_s - since_s)

    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == AGAIN_MAX_S


def test_a_part_that_is_done_is_not_begun_again() -> None:
    part = Part(dies=0)
    part.thread.start()
    part.ended()

    part.thread.look(1_000.0)

    assert (part.runs, part.thread.deaths, part.told) == (1, 0, [])
