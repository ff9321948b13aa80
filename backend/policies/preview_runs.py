"""Previews that were asked for: waiting, being made, made, or why not. What they say is kept with their draft (`drafts`)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

SILENT_FOR = timedelta(minutes=2)
"""A run of which nothing was heard for so long has lost its worker, and is begun anew."""

ASK = """
INSERT INTO policy_preview_runs (city, run, draft, state, sales_done, sales_total, problem, asked_by, asked_at, heard_at)
VALUES (%(city)s, %(run)s, %(draft)s, 'waiting', 0, 0, NULL, %(by)s, %(now)s, %(now)s)"""

LAST = """
SELECT run::text, draft::text, state, sales_done, sales_total, problem, asked_by, asked_at FROM policy_preview_runs
WHERE city = %(city)s AND draft = %(draft)s::uuid ORDER BY policy_preview_runs.run DESC LIMIT 1"""

TAKE = """
WITH next AS (
  SELECT run FROM policy_preview_runs
  WHERE city = %(city)s AND state IN ('waiting', 'running') AND (state = 'waiting' OR heard_at < %(silent)s)
  ORDER BY policy_preview_runs.run LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE policy_preview_runs r SET state = 'running', sales_done = 0, heard_at = greatest(%(now)s, r.asked_at)
FROM next WHERE r.city = %(city)s AND r.run = next.run
RETURNING r.run::text, r.draft::text, r.state, r.sales_done, r.sales_total, r.problem, r.asked_by, r.asked_at"""

TELL = """
UPDATE policy_preview_runs SET sales_done = %(done)s, sales_total = %(total)s, heard_at = greatest(%(now)s, asked_at)
WHERE city = %(city)s AND run = %(run)s::uuid AND state = 'running'"""

END = """
UPDATE policy_preview_runs SET state = %(state)s, problem = %(problem)s, heard_at = greatest(%(now)s, asked_at)
WHERE city = %(city)s AND run = %(run)s::uuid AND state = 'running'"""


class PreviewRun(NamedTuple):
    """`problem` is the code of the refusal that ended it. `sales_total` is 0 until the sales are counted."""

    run: str
    draft: str
    state: str
    sales_done: int
    sales_total: int
    problem: str | None
    asked_by: str
    asked_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "running")


def insert_run(connection: Connection, city: str, run: str, draft: str, *, by: str, now: datetime) -> None:
    hot(connection, ASK, {"city": city, "run": run, "draft": draft, "by": by, "now": now})


def last_run(connection: Connection, city: str, draft: str) -> PreviewRun | None:
    row = hot(connection, LAST, {"city": city, "draft": draft}).fetchone()
    return PreviewRun(*row) if row else None


def take_run(connection: Connection, city: str, now: datetime) -> PreviewRun | None:
    """The next run that nobody makes; it is the caller's from COMMIT on."""
    row = hot(connection, TAKE, {"city": city, "now": now, "silent": now - SILENT_FOR}).fetchone()
    return PreviewRun(*row) if row else None


def tell_run(connection: Connection, city: str, run: str, *, done: int, total: int, now: datetime) -> None:
    hot(connection, TELL, {"city": city, "run": run, "done": done, "total": total, "now": now})


def end_run(connection: Connection, city: str, run: str, *, problem: str | None, now: datetime) -> None:
    state = "done" if problem is None else "failed"
    hot(connection, END, {"city": city, "run": run, "state": state, "problem": problem, "now": now})
