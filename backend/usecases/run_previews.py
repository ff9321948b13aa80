"""A preview is asked for on a page and made by a job, which says meanwhile how far it is."""

import os
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.policies.drafts import find_draft
from backend.policies.lifecycle import Act, after
from backend.policies.preview_runs import PreviewRun, end_run, insert_run, last_run, take_run, tell_run
from backend.storage.transaction import Database
from backend.usecases.at_work import AtWork
from backend.usecases.keep_preview import keep_preview
from backend.usecases.preview_policy import Place, last_months, preview_policy

PREVIEWS = "preview_policies"
"""The job: it runs every minute, and is begun at once where a preview is asked for."""
TOLD_EVERY_S = 0.5


def ask_preview(connection: Connection, city: str, draft: str, *, by: str, now: datetime) -> PreviewRun:
    """The run that will preview `draft`: a new one, unless one is on its way. Raises DraftUnknown, DraftNotAtThatPoint."""
    after(find_draft(connection, city, draft, lock=True), Act.PREVIEW, by)
    known = last_run(connection, city, draft)
    if known is not None and known.is_open:
        return known
    insert_run(connection, city, new_id(), draft, by=by, now=now)
    asked = last_run(connection, city, draft)
    assert asked is not None
    return asked


def run_previews(database: Database, place: Place, city: str, now: datetime, stopping: Callable[[], bool]) -> int:
    """Makes every preview of `city` that waits, one after the other; how many."""
    clock = AtWork(now)
    made = 0
    while not stopping():
        run = database.write(partial(take_run, city=city, now=clock.now()))
        if run is None:
            return made
        problem = _made(database, place, city, run, clock)
        database.write(partial(end_run, city=city, run=run.run, problem=problem, now=clock.now()))
        made += 1
    return made


def _made(database: Database, place: Place, city: str, run: PreviewRun, clock: AtWork) -> str | None:
    """The code of what refused it, None where it is kept with its draft."""
    begun = max(clock.now(), run.asked_at)
    try:
        with database.read() as connection:
            text = find_draft(connection, city, run.draft).text
        told = _Telling(database, city, run.run, clock)
        seen = preview_policy(place, last_months(city, begun), text, parts=os.cpu_count() or 1, told=told)
        database.write(lambda connection: keep_preview(connection, city, run.draft, seen, by=run.asked_by, now=begun))
    except DomainError as refused:
        return refused.code
    return None


class _Telling:
    """Writes down how far a run is, twice a second at most."""

    def __init__(self, database: Database, city: str, run: str, clock: AtWork) -> None:
        self._database, self._city, self._run, self._clock = database, city, run, clock
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        moment = time.monotonic()
        if moment - self._last < TOLD_EVERY_S:
            return
        self._last, now = moment, self._clock.now()
        self._database.write(partial(tell_run, city=self._city, run=self._run, done=done, total=total, now=now))
