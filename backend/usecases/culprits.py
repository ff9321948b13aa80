"""One item that makes the work on many fail is found by halving, so that it holds up none of the others."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import structlog

from backend import metrics
from backend.storage.transaction import is_passing

Item = TypeVar("Item")
Result = TypeVar("Result")

log = structlog.get_logger()


def without_culprits(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Result],
    left_out: Callable[[Item, Exception], Result],
    *,
    doing: str,
    named: Callable[[Item], str],
) -> list[Result]:
    """Results of `work` on parts of `items`, in order: on all at once where nothing fails.

    What fails for good is halved until one item is left; that one is given to `left_out`, which may raise the error after
    all, and is logged and counted as what `named` calls it. Raises what passes by itself (`is_passing`): no item's fault.
    """
    try:
        return [work(items)]
    except Exception as error:
        if is_passing(error):
            raise
        if len(items) == 1:
            result = left_out(items[0], error)
            log.exception("culprit_left_out", doing=doing, item=named(items[0]))
            metrics.culprits.labels(doing).inc()
            return [result]
    middle = len(items) // 2
    return [
        *without_culprits(items[:middle], work, left_out, doing=doing, named=named),
        *without_culprits(items[middle:], work, left_out, doing=doing, named=named),
    ]


def past(failed: Collection[str], find: Callable[[int], Sequence[str]], most: int) -> list[str]:
    """The first `most` of what `find` gives that have not `failed` in this run: else those that cannot be done, being the
    longest due, would be all that is ever looked at. `find` gives at most so many, always in one order.
    """
    return [one for one in find(most + len(failed)) if one not in failed]
