"""Requests that wait in one process share a database transaction: the first leads, the others ride along."""

import threading
from collections import Counter, deque
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
    """One caller, asleep on `gate` until it has an outcome or is given a `group` to lead, of which it is the first."""

    __slots__ = ("gate", "group", "item", "now", "outcome")

    def __init__(self, item: Item, now: datetime) -> None:
        self.item = item
        self.now = now
        self.gate = threading.Lock()
        self.gate.acquire()
        self.group: list[_Waiting[Item, Result]] | None = None
        self.outcome: tuple[Result, None] | tuple[None, BaseException] | None = None


class SharedTransaction(Generic[Item, Result]):
    """`work` on the items of several callers at once, `leaders_max` groups of a city at a time.

    A caller who finds fewer at work leads at once, so nobody waits without need; those who come while they work form the
    next group, led by the first of them, as many as weigh `together_max` at most. Each caller gets its own result or its own
    error.
    """

    def __init__(
        self,
        work: Work[Item, Result],
        *,
        together_max: int = TOGETHER_MAX,
        leaders_max: int = 1,
        weigh: Callable[[Item], int] = lambda _item: 1,
        observe: Callable[[int], None] = lambda _size: None,
    ) -> None:
        """`work(city, items, now)` gives one result an item, in order, and may be run again with the same items."""
        self._work = work
        self._together_max = together_max
        self._leaders_max = leaders_max
        self._weigh = weigh
        self._observe = observe
        self._lock = threading.Lock()
        self._leaders: Counter[str] = Counter()
        self._queues: dict[str, deque[_Waiting[Item, Result]]] = {}

    def run(self, city: str, item: Item, now: datetime) -> Result:
        """The result of `item` after its group's COMMIT. Raises what its own work raised."""
        me: _Waiting[Item, Result] = _Waiting(item, now)
        with self._lock:
            queue = self._queues.setdefault(city, deque())
            if self._leaders[city] < self._leaders_max:
                self._leaders[city] += 1
                me.group = [me]
            else:
                queue.append(me)
        if me.group is None:
            me.gate.acquire()
        if me.group is not None:
            self._lead(city, me.group)
        assert me.outcome is not None
        result, error = me.outcome
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # with no error it is the result

    def _lead(self, city: str, group: list[_Waiting[Item, Result]]) -> None:
        """Works for the group, of which the caller is the first, then hands the lead on."""
        try:
            self._observe(len(group))
            self._settle(city, group)
        finally:
            self._hand_on(city)
            for each in group:
                if each.outcome is None:  # an interrupt in the leader's thread: nobody is left asleep
                    each.outcome = (None, DatabaseBusy())
                each.gate.release()

    def _hand_on(self, city: str) -> None:
        with self._lock:
            queue = self._queues[city]
            if queue:
                group = self._next_group(queue)
                group[0].group = group
                group[0].gate.release()
                return
            self._leaders[city] -= 1
            if not self._leaders[city]:
                del self._leaders[city], self._queues[city]

    def _next_group(self, queue: deque[_Waiting[Item, Result]]) -> list[_Waiting[Item, Result]]:
        """Off the queue: its first, whatever that weighs, and those behind it that there is room for."""
        group = [queue.popleft()]
        room = self._together_max - self._weigh(group[0].item)
        while queue and (room := room - self._weigh(queue[0].item)) >= 0:
            group.append(queue.popleft())
        return group

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
