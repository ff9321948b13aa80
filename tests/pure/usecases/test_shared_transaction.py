"""Who leads, who rides along, and how many go at a time: callers of a shared transaction, without a database."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event, Lock

from backend.usecases.shared_transaction import SharedTransaction

CITY = "320100"
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
LONG_S = 20


class Counter:
    """Work on numbers that waits until it is let go, and remembers its groups in the order in which they began."""

    def __init__(self, awaited: int) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.go = Event(), Event()
        self._awaited, self._lock = awaited, Lock()

    def work(self, _city: str, items: Sequence[int], _now: datetime) -> list[int]:
        with self._lock:
            self.groups.append(list(items))
            if len(self.groups) == self._awaited:
                self.begun.set()
        assert self.go.wait(LONG_S)
        return [-item for item in items]


def queued(shared: SharedTransaction[int, int], count: int) -> None:
    while len(shared._queues[CITY]) < count:
        pass


def test_two_lead_at_once_and_whoever_comes_then_waits_for_one_of_them() -> None:
    counter = Counter(awaited=2)
    shared = SharedTransaction(counter.work, leaders_max=2)
    with ThreadPoolExecutor(5) as threads:
        futures: list[Future[int]] = [threads.submit(shared.run, CITY, item, NOON) for item in (1, 2)]
        assert counter.begun.wait(LONG_S)
        futures += [threads.submit(shared.run, CITY, item, NOON) for item in (3, 4, 5)]
        queued(shared, 3)
        counter.go.set()
        assert [future.result(LONG_S) for future in futures] == [-1, -2, -3, -4, -5]
    assert sorted(map(sorted, counter.groups)) == [[1], [2], [3, 4, 5]]
    assert shared._queues == {}


def test_a_group_takes_no_more_than_it_has_room_for_and_its_first_whatever_it_weighs() -> None:
    counter = Counter(awaited=1)
    shared = SharedTransaction(counter.work, together_max=10, weigh=lambda item: item)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(shared.run, CITY, 1, NOON)
        assert counter.begun.wait(LONG_S)
        rest = []
        for number, item in enumerate((4, 6, 30, 10), 1):
            rest.append(threads.submit(shared.run, CITY, item, NOON))
            queued(shared, number)
        counter.go.set()
        assert [each.result(LONG_S) for each in (first, *rest)] == [-1, -4, -6, -30, -10]
    assert counter.groups == [[1], [4, 6], [30], [10]]
