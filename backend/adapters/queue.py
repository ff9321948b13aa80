"""Begins a planned job now, beside its schedule: for what somebody waits for."""

from contextlib import suppress
from datetime import datetime

from psycopg.errors import UniqueViolation

from backend.storage.transaction import Database, hot

# The columns of procrastinate's own type for a job to be put off, as its migrations state them.
DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %(job)s::text, 0, %(job)s::text, %(job)s::text,
       jsonb_build_object('timestamp', %(due)s::bigint), NULL)]::procrastinate_job_to_defer_v1[])"""


class StartJob:
    """Puts a job that is never alone twice into the queue, unless it waits there already."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, job: str, now: datetime) -> None:
        given = {"job": job, "due": int(now.timestamp())}
        with suppress(UniqueViolation):
            self._database.write(lambda connection: hot(connection, DEFER, given).fetchone())
