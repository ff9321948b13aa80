"""Files of sales that shops upload: small ones are recorded while they wait, large ones by a job that says how far it is."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.sales_files import store
from backend.sales_files.model import NewFile, RowAnswer, Sale
from backend.sales_files.parse import parse_sales
from backend.storage.transaction import Database
from backend.usecases.at_work import AtWork
from backend.usecases.record_sales import Uploaded, slices

AT_ONCE_BYTES_MAX = 100_000
"""About a thousand lines."""
GIVEN_UP = timedelta(minutes=10)
ANSWERS_AT_ONCE = 1_000


class Recorder(Protocol):
    def record(self, uploaded: Uploaded, sales: Sequence[Sale], now: datetime) -> list[RowAnswer]: ...


def put_sales_file(database: Database, recorder: Recorder, city: str, new: NewFile, now: datetime) -> None:
    """After COMMIT it waits for the job; what is small is recorded, and its lines answered, when this returns.

    Raises FileRefused, SalesFileTooLarge, SalesFileColumns, SalesFilesWaiting: then nothing of it is kept.
    """
    rows = parse_sales(new.content).rows

    def work(connection: Connection) -> None:
        sha256 = store.put(connection, city, new, rows, now)
        told = {"retailer": new.retailer, "rows": rows, "sha256": sha256.hex(), "by": new.by}
        record(connection, Act(What.SALES_UPLOADED, city, "sales-file", new.upload, now, after=told))

    database.write(work)
    if len(new.content) <= AT_ONCE_BYTES_MAX:
        _work(database, recorder, city, new.upload, AtWork(now), lambda: False)


def work_sales_files(
    database: Database, recorder: Recorder, city: str, now: datetime, stopping: Callable[[], bool]
) -> int:
    """Records what waits in a city; how many files that were. What is stopped halfway is taken again."""
    with database.read() as connection:
        waiting = store.waiting(connection, city, now - GIVEN_UP)
    done, clock = 0, AtWork(now)
    for upload in waiting:
        if stopping():
            break
        done += _work(database, recorder, city, upload, clock, stopping)
    return done


def sales_files_waiting(database: Database, city: str, now: datetime) -> int:
    """How many files wait to be recorded; at most ten are counted."""
    with database.read() as connection:
        return len(store.waiting(connection, city, now - GIVEN_UP))


def _work(
    database: Database, recorder: Recorder, city: str, upload: str, clock: AtWork, stopping: Callable[[], bool]
) -> bool:
    """False when somebody else is at it or at another file of its retailer, or it was stopped."""
    now = clock.now()
    try:
        taken = database.write(lambda c: store.take(c, city, upload, now, now - GIVEN_UP))
    except store.TakenMeanwhile:
        return False
    if taken is None:
        return False
    found = parse_sales(taken.content)
    for first in range(0, len(found.refused), ANSWERS_AT_ONCE):
        some = found.refused[first : first + ANSWERS_AT_ONCE]
        database.write(lambda c, some=some: store.answer(c, city, upload, some, now))  # type: ignore[misc]
    uploaded = Uploaded(city, taken.retailer, taken.uploaded_at)
    for sales in slices(found.sales):
        now = clock.now()
        if stopping():
            database.write(lambda c, now=now: store.give_back(c, city, upload, now))  # type: ignore[misc]
            return False
        answers = recorder.record(uploaded, sales, now)
        database.write(lambda c, answers=answers, now=now: store.answer(c, city, upload, answers, now))  # type: ignore[misc]
    database.write(lambda c: store.end(c, city, upload, clock.now()))
    return True
