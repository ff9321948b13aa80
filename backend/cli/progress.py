"""How far a long command has come, on standard error: a bar on a terminal, elsewhere a line every tenth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Told = Callable[[int, int], None]
"""(done, total)"""


@contextmanager
def progress(doing: str) -> Iterator[Told]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _in_tenths(doing)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        task = bars.add_task(doing, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _in_tenths(doing: str) -> Told:
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // total if total else 10
        if tenth > told or (done == total and told < 10):  # noqa: PLR2004 - the whole
            told = tenth
            click.echo(f"{doing} {done}/{total}", err=True)

    return tell
