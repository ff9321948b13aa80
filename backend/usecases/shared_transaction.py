"""Requests that wait in one process share a database transaction: the first leads, the others ride along."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import structlog

from backend.storage.transaction import DatabaseBusy, is_passing

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[str, Sequence[Item], datetime], Sequence[Result]]

TOGETHER_MAX = 64

log = structlog.get_logger()


class _Waiting(Generic[Item, Result]):
    """One caller, asleep on `gate` until it has an outcome or is told to lead."""

    __slots__ = ("gate", "item", "leads", "now", "outcome")

    def __init__(self, item: Item, now: datetime) -> None:
        self.item = item
        self.now = now
        self.gate = threading.Lock()
        self.gate.acquire()
        self.leads = False
        self.outcome: tuple[Result, None] | tuple[None, BaseException] | None = None


class SharedTransaction(Generic[Item, Result]):
    """`work` on the items of several callers at once, one city at a time.

    A caller who finds the city idle leads at once, so nobody waits without need; those who come while it works form the
    next group, led by the first of them, at most `together_max`. Each caller gets its own result or its own error.
    """

    def __init__(
        self,
        work: Work[Item, Result],
        *,
        together_max: int = TOGETHER_MAX,
        observe: Callable[[int], None] = lambda _size: None,
    ) -> None:
        """`work(city, items, now)` gives one result an item, in order, and may be run again with the same items."""
        self._work = work
        self._together_max = together_max
        self._observe = observe
        self._lock = threading.Lock()
        self._queues: dict[str, deque[_Waiting[Item, Result]]] = {}

    def run(self, city: str, item: Item, now: datetime) -> Result:
        """The result of `item` after its group's COMMIT. Raises what its own work raised."""
        me: _Waiting[Item, Result] = _Waiting(item, now)
        with self._lock:
            queue = self._queues.get(city)
            if queue is None:
                queue = self._queues[city] = deque()
                me.leads = True
            queue.append(me)
        if not me.leads:
            me.gate.acquire()
        if me.leads:
            self._lead(city, queue)
        assert me.outcome is not None
        result, error = me.outcome
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # with no error it is the result

    def _lead(self, city: str, queue: deque[_Waiting[Item, Result]]) -> None:
        """Works for the head of the queue, of which the caller is the first, then hands the lead on."""
        with self._lock:
            group = [queue.popleft() for _ in range(min(len(queue), self._together_max))]
        try:
            self._observe(len(group))
            self._settle(city, group)
        finally:
            self._hand_on(city, queue)
            for each in group:
                if each.outcome is None:  # an interrupt in the leader's thread: nobody is left asleep
                    each.outcome = (None, DatabaseBusy())
                each.gate.release()

    def _hand_on(self, city: str, queue: deque[_Waiting[Item, Result]]) -> None:
        with self._lock:
            if queue:
                queue[0].leads = True
                queue[0].gate.release()
            else:
                del self._queues[city]

    def _settle(self, city: str, group: Sequence[_Waiting[Item, Result]]) -> None:
        """Gives everyone an outcome. What fails together is tried one by one, so that only the culprit pays for it."""
        try:
            results = self._work(city, [each.item for each in group], group[0].now)
            for each, result in zip(group, results, strict=True):
                each.outcome = (result, None)
        except Exception as error:  # noqa: BLE001 - handed to the caller it belongs to, which raises it
            if is_passing(error):
                # The callers are told to come again, so the cause would be seen by nobody.
                log.warning("database_busy", city=city, waiting=len(group), problem=type(error).__name__)
                for each in group:
                    each.outcome = (None, DatabaseBusy())
            elif len(group) == 1:
                group[0].outcome = (None, error)
            else:
                for each in group:
                    self._settle(city, [each])
