"""Acts, read: the newest first, by who, what, on what object, when."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.model import Recorded
from backend.storage.transaction import hot

PAGE_MAX = 10_000
"""Of one read: what a file of acts holds at most."""
EVER = datetime(9999, 1, 1, tzinfo=UTC)
SINCE_EVER = datetime(1, 1, 1, tzinfo=UTC)
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
COLUMNS = "act::text, at, who, role, what, kind, key, reason, ticket, before, after, request"

ACTS = f"""
SELECT {COLUMNS} FROM acts
WHERE city = %(city)s AND (%(who)s::text IS NULL OR who = %(who)s) AND (%(what)s::text IS NULL OR what = %(what)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(key)s::text IS NULL OR key = %(key)s)
  AND at >= %(since)s AND at < %(until)s AND (at, act) < (%(below_at)s, %(below)s::uuid)
ORDER BY at DESC, acts.act DESC LIMIT %(limit)s"""

ONE = f"SELECT {COLUMNS} FROM acts WHERE city = %(city)s AND act = %(act)s"


class Wanted(NamedTuple):
    """None: whatever. From `since` on, before `until`."""

    who: str | None = None
    what: str | None = None
    kind: str | None = None
    key: str | None = None
    since: datetime = SINCE_EVER
    until: datetime = EVER


class Below(NamedTuple):
    """The act above a page."""

    at: datetime = EVER
    act: str = _LAST


def acts(
    connection: Connection, city: str, wanted: Wanted, *, below: Below | None = None, limit: int
) -> list[Recorded]:
    """At most `limit`, at most 10,000."""
    params = {"city": city, **wanted._asdict(), "limit": min(limit, PAGE_MAX)}
    from_at, from_act = below or Below()
    return [Recorded(*row) for row in hot(connection, ACTS, {**params, "below_at": from_at, "below": from_act})]


def find(connection: Connection, city: str, act: str) -> Recorded | None:
    row = hot(connection, ONE, {"city": city, "act": act}).fetchone()
    return None if row is None else Recorded(*row)


def differences(before: dict[str, object], after: dict[str, object]) -> list[tuple[str, object, object]]:
    """(member, before, after) of every member that differs, then of those that stayed; None where there was none."""
    names: Iterable[str] = sorted(
        before.keys() | after.keys(), key=lambda name: (before.get(name) == after.get(name), name)
    )
    return [(name, before.get(name), after.get(name)) for name in names]
