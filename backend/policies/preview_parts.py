"""A preview over several processes: each folds the persons of its part and hands on its sales, merged in the order of sale."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from multiprocessing.connection import Connection
from typing import NamedTuple

from backend.policies.model import Policy
from backend.policies.preview import Event, PersonFolds, Side, Sold
from backend.policies.preview_totals import Totals

Source = Callable[[int, int], Iterable[list[Sold]]]
"""(part, parts) -> the sales of the part's persons in the order of sale, in slices; can be sent to a new process."""
Told = Callable[[int], None]
SALES_A_TELL = 10_000
_END = b""


class Compared(NamedTuple):
    in_force: Side
    draft: Side
    policy: Policy


def totals_of(compared: Compared, source: Source, *, parts: int, told: Told = lambda _done: None) -> Totals:
    """Everything added up. With one part all is done in this process."""
    totals = Totals(compared.in_force, compared.draft, compared.policy)
    if parts == 1:
        folds = PersonFolds(compared.in_force, compared.draft)
        for some in source(0, 1):
            totals.add(folds.events(some))
            told(totals.sales)
        return totals
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in range(parts)]
    workers = [
        context.Process(target=_work, args=(pipe[1], compared, source, part, parts), daemon=True)
        for part, pipe in enumerate(pipes)
    ]
    try:
        for worker, pipe in zip(workers, pipes, strict=True):
            worker.start()
            pipe[1].close()
        merged = merge(*(_received(pipe[0]) for pipe in pipes), key=_order)
        totals.add(_telling(merged, told))
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
        for pipe in pipes:
            pipe[0].close()
    return totals


def _order(event: Event) -> tuple[int, str, str, int, int]:
    return event[0][0]


def _work(pipe: Connection, compared: Compared, source: Source, part: int, parts: int) -> None:
    folds = PersonFolds(compared.in_force, compared.draft)
    for some in source(part, parts):
        pipe.send(folds.events(some))
    pipe.send(_END)


def _received(pipe: Connection) -> Iterator[Event]:
    """Raises EOFError where the worker ended before it was done."""
    while (some := pipe.recv()) != _END:
        yield from some


def _telling(events: Iterator[Event], told: Told) -> Iterator[Event]:
    for number, event in enumerate(events, 1):
        yield event
        if number % SALES_A_TELL == 0:
            told(number)
