"""A preview over several processes. Each folds the persons of its part and adds them up; where a budget would not have
lasted, or a limit is not a person's alone, each hands on its sales instead, merged in the order of sale.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from heapq import merge
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from backend.policies.model import Policy
from backend.policies.preview import Event, Fold, PersonFolds, Side, Sold
from backend.policies.preview_totals import Tally, Totals

Source = Callable[[int, int], Iterable[list[Sold]]]
"""(part, parts) -> the sales of the part's persons in the order of sale, in slices; can be sent to a new process."""
Told = Callable[[int], None]
SALES_A_TELL = 10_000
_END = b""


class Compared(NamedTuple):
    in_force: Side
    draft: Side
    policy: Policy

    @property
    def current(self) -> Policy | None:
        """The version in force of the policy that is previewed."""
        return next((one.policy for one in self.in_force if one.policy.policy == self.policy.policy), None)


def totals_of(compared: Compared, source: Source, *, parts: int, told: Told = lambda _done: None) -> Tally:
    """Everything added up. With one part all is done in this process."""
    if Fold(compared.in_force).by_person and Fold(compared.draft).by_person:
        tally = _by_persons(compared, source, parts, told)
        if tally.fits(compared.current, compared.policy):
            return tally
    return _in_order(compared, source, parts, told)


def _by_persons(compared: Compared, source: Source, parts: int, told: Told) -> Tally:
    if parts == 1:
        return _added(compared, source, 0, 1, told)
    with _started(_add, compared, source, parts) as pipes:
        return reduce(Tally.plus, _tallies(pipes, told))


def _added(compared: Compared, source: Source, part: int, parts: int, told: Told) -> Tally:
    totals = Totals(*compared, endless=True)
    first, second = Fold(compared.in_force), Fold(compared.draft)
    for some in source(part, parts):
        for sold in some:
            totals.count(sold, first.judge(sold), second.judge(sold))
        told(totals.sales)
    return totals.tally()


def _add(pipe: Connection, compared: Compared, source: Source, part: int, parts: int) -> None:
    pipe.send(_added(compared, source, part, parts, pipe.send))


def _tallies(pipes: Iterable[Connection], told: Told) -> Iterator[Tally]:
    """What each part comes to, while the parts tell how far they are. Raises EOFError where a worker ended early."""
    done: dict[Connection, int] = dict.fromkeys(pipes, 0)
    waiting = set(done)
    while waiting:
        for pipe in multiprocessing.connection.wait(waiting):
            assert isinstance(pipe, Connection)
            sent = pipe.recv()
            if isinstance(sent, Tally):
                waiting.remove(pipe)
                yield sent
            else:
                done[pipe] = sent
                told(sum(done.values()))


def _in_order(compared: Compared, source: Source, parts: int, told: Told) -> Tally:
    totals = Totals(*compared)
    if parts == 1:
        folds = PersonFolds(compared.in_force, compared.draft)
        for some in source(0, 1):
            totals.add(folds.events(some))
            told(totals.sales)
        return totals.tally()
    with _started(_hand_on, compared, source, parts) as pipes:
        totals.add(_telling(merge(*map(_received, pipes), key=_order), told))
    return totals.tally()


def _hand_on(pipe: Connection, compared: Compared, source: Source, part: int, parts: int) -> None:
    folds = PersonFolds(compared.in_force, compared.draft)
    for some in source(part, parts):
        pipe.send(folds.events(some))
    pipe.send(_END)


@contextmanager
def _started(work: Callable[..., None], compared: Compared, source: Source, parts: int) -> Iterator[list[Connection]]:
    """A process a part that does `work`, and what each sends."""
    context = multiprocessing.get_context("spawn")
    pipes: list[tuple[Any, Any]] = [context.Pipe(duplex=False) for _ in range(parts)]
    workers = [
        context.Process(target=work, args=(pipe[1], compared, source, part, parts), daemon=True)
        for part, pipe in enumerate(pipes)
    ]
    try:
        for worker, pipe in zip(workers, pipes, strict=True):
            worker.start()
            pipe[1].close()
        yield [pipe[0] for pipe in pipes]
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
        for pipe in pipes:
            pipe[0].close()


def _order(event: Event) -> tuple[int, str, str, int, int]:
    return event[0][0]


def _received(pipe: Connection) -> Iterator[Event]:
    """Raises EOFError where the worker ended before it was done."""
    while (some := pipe.recv()) != _END:
        yield from some


def _telling(events: Iterator[Event], told: Told) -> Iterator[Event]:
    for number, event in enumerate(events, 1):
        yield event
        if number % SALES_A_TELL == 0:
            told(number)
