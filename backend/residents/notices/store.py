"""Grants and notices, inside a transaction that someone else opened."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.residents.people import Home
from backend.storage.transaction import hot

GRANTS_MAX = 50

GRANT = """
INSERT INTO notice_grants (city, resident, home, open_id, grants, granted_at)
VALUES (%(city)s, %(resident)s, %(home)s, %(open_id)s, 1, %(now)s)
ON CONFLICT (city, resident) DO UPDATE
SET home = EXCLUDED.home, open_id = EXCLUDED.open_id, granted_at = EXCLUDED.granted_at,
    grants = least(notice_grants.grants + 1, %(most)s)
RETURNING grants"""

LEFT = "SELECT grants FROM notice_grants WHERE city = %(city)s AND resident = %(resident)s"

WITHDRAW = "DELETE FROM notice_grants WHERE city = %(city)s AND resident = %(resident)s"

# Of residents with a grant alone. Who granted may have been absorbed by another account since: the value is there.
DUE = """
SELECT g.resident::text, g.home, a.due_at, json_object_agg(a.unit, a.amount)
FROM (SELECT n.resident, n.home, coalesce(m.survivor, n.resident)::text AS owner FROM notice_grants n
      LEFT JOIN merged_residents m ON m.absorbed = n.resident
      WHERE n.city = %(city)s AND n.grants > 0) g
JOIN (SELECT split_part(account, ':', 2) AS owner, due_at, unit, sum(balance)::bigint AS amount FROM accounts
      WHERE city = %(city)s AND due_at >= %(after)s AND due_at <= %(until)s AND account LIKE 'resident:%%' AND balance > 0
      GROUP BY 1, 2, 3) a ON a.owner = g.owner
WHERE (a.due_at, g.resident) > (%(after)s, %(resident)s::uuid) AND NOT EXISTS (
  SELECT FROM notices s WHERE s.city = %(city)s AND s.resident = g.resident AND s.days_before = %(days)s
    AND s.last_day = ((a.due_at - INTERVAL '1 second') AT TIME ZONE INTERVAL '8 hours')::date)
GROUP BY g.resident, g.home, a.due_at ORDER BY a.due_at, g.resident LIMIT %(limit)s"""

SPEND = """
UPDATE notice_grants SET grants = grants - 1
WHERE city = %(city)s AND resident = %(resident)s AND grants > 0 RETURNING open_id"""

CLAIM = """
INSERT INTO notices (city, resident, last_day, days_before, state, claimed_at)
VALUES (%(city)s, %(resident)s, %(last_day)s, %(days)s, 'claimed', %(now)s) ON CONFLICT DO NOTHING"""

SETTLE = """
UPDATE notices SET state = %(state)s, settled_at = %(now)s
WHERE city = %(city)s AND resident = %(resident)s AND last_day = %(last_day)s AND days_before = %(days)s
  AND state = 'claimed'"""

RELEASE = """
DELETE FROM notices WHERE city = %(city)s AND resident = %(resident)s AND last_day = %(last_day)s
  AND days_before = %(days)s AND state = 'claimed'"""

GIVE_BACK = """
UPDATE notice_grants SET grants = grants + 1
WHERE city = %(city)s AND resident = %(resident)s AND grants < %(most)s"""

# What the survivor of a merger has of its own stays.
GIVE_GRANTS = """
INSERT INTO notice_grants (city, resident, home, open_id, grants, granted_at)
SELECT %(city)s, %(to)s::uuid, %(home)s, g.open_id, g.grants, g.granted_at FROM notice_grants g
WHERE g.city = %(city)s AND g.resident = %(resident)s
ON CONFLICT DO NOTHING"""

GIVE_NOTICES = """
INSERT INTO notices (city, resident, last_day, days_before, state, claimed_at, settled_at)
SELECT %(city)s, %(to)s::uuid, n.last_day, n.days_before, n.state, n.claimed_at, n.settled_at FROM notices n
WHERE n.city = %(city)s AND n.resident = %(resident)s
ON CONFLICT DO NOTHING"""

FORGET = "DELETE FROM notices WHERE city = %(city)s AND resident = %(resident)s"

USE_UP = "UPDATE notice_grants SET grants = 0 WHERE city = %(city)s AND resident = %(resident)s"


class DueNotice(NamedTuple):
    """`amounts`: what ends, by unit; `ends_at` is the end of its last day."""

    resident: str
    home: str
    ends_at: datetime
    amounts: dict[str, int]


class After(NamedTuple):
    """Where the last page ended: what ends later, or as late and is of a later resident, comes next."""

    ends_at: datetime
    resident: str = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class NoticeKey(NamedTuple):
    resident: str
    last_day: date
    days: int


def grant(connection: Connection, city: str, resident: str, home: str, open_id: bytes, now: datetime) -> int:
    """One notice more may be sent; how many may by now, at most 50. `open_id` is sealed."""
    given = {"city": city, "resident": resident, "home": home, "open_id": open_id, "now": now, "most": GRANTS_MAX}
    row = hot(connection, GRANT, given).fetchone()
    assert row is not None
    return int(row[0])


def withdraw(connection: Connection, city: str, resident: str) -> None:
    """No notice is sent any more, and the open id is forgotten."""
    hot(connection, WITHDRAW, {"city": city, "resident": resident})


def give(connection: Connection, city: str, resident: str, to: Home) -> None:
    """Two accounts become one: what `resident` granted is for `to` to end, and what was told is told once."""
    given = {"city": city, "resident": resident, "to": to.resident, "home": to.city}
    for statement in (GIVE_GRANTS, WITHDRAW, GIVE_NOTICES, FORGET):
        hot(connection, statement, given)


def due(connection: Connection, city: str, days: int, after: After, until: datetime, limit: int) -> Sequence[DueNotice]:
    """What ends after `after` and until `until`, and was not told `days` before."""
    place = {"after": after.ends_at, "resident": after.resident}
    given = {"city": city, "days": days, **place, "until": until, "limit": limit}
    return [DueNotice(*row) for row in hot(connection, DUE, given)]


def claim(connection: Connection, city: str, key: NoticeKey, now: datetime) -> bytes | None:
    """Spends a grant for the notice; the sealed open id, None when it is somebody else's, or no grant is left."""
    given = {"city": city, **key._asdict(), "now": now}
    if hot(connection, CLAIM, given).rowcount == 0:
        return None
    row = hot(connection, SPEND, given).fetchone()
    if row is None:
        hot(connection, RELEASE, given)
        return None
    return bytes(row[0])


def settle(connection: Connection, city: str, key: NoticeKey, state: str, now: datetime) -> None:
    hot(connection, SETTLE, {"city": city, **key._asdict(), "state": state, "now": now})


def release(connection: Connection, city: str, key: NoticeKey) -> None:
    """It was surely not sent: its grant is there again, and a later run may send it."""
    given = {"city": city, **key._asdict(), "most": GRANTS_MAX}
    if hot(connection, RELEASE, given).rowcount:
        hot(connection, GIVE_BACK, given)


def use_up(connection: Connection, city: str, resident: str) -> None:
    hot(connection, USE_UP, {"city": city, "resident": resident})
