"""Statements and what is to be sent. The resident's row is locked by the caller wherever a consent counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.credit.model import GOOD_FOR, LOOKS_BACK, Statement
from backend.credit.queries import Benefit
from backend.kernel.ids import new_id
from backend.storage.transaction import hot

# A purchase counts once, whatever its lines, the baskets that its till parted them into and old units handed in for it, while
# a line of it was awarded, proved by a till, and did not wholly come back.
PURCHASES = """
SELECT count(DISTINCT (p.device, p.stream, coalesce(p.part_of, p.seq))) FROM baskets b
LEFT JOIN hand_ins h ON h.city = %(city)s AND h.basket = b.basket
JOIN baskets p ON p.city = %(city)s AND p.basket = coalesce(h.sold_basket, b.basket)
WHERE b.city = %(city)s AND b.resident = %(resident)s AND b.sold_at > %(since)s AND b.sold_at <= %(until)s AND EXISTS (
  SELECT FROM (SELECT DISTINCT ON (x.line_no) x.line_no, x.outcome, x.proof FROM decisions x
               WHERE x.city = %(city)s AND x.basket = b.basket ORDER BY x.line_no, x.decision_no DESC) d
  JOIN decisions f ON f.city = %(city)s AND f.basket = b.basket AND f.line_no = d.line_no AND f.decision_no = 1
  WHERE d.outcome = 'awarded' AND d.proof <> 'P0' AND f.quantity > coalesce((
    SELECT sum(r.quantity) FROM returns r
    WHERE r.city = %(city)s AND r.basket = b.basket AND r.line_no = d.line_no), 0))"""

ISSUE = """
INSERT INTO passport_statements (city, statement, resident, kind, at_least, since, issued_at, expires_at, place)
VALUES (%(city)s, %(statement)s, %(resident)s, 'verified_green_purchases', %(at_least)s, %(since)s, %(now)s, %(expires_at)s,
        %(place)s) ON CONFLICT DO NOTHING"""

_COLUMNS = "statement::text, at_least, since, issued_at, expires_at, place, revoked_at, revoked_why"

OF_RESIDENT = f"""
SELECT {_COLUMNS} FROM passport_statements WHERE city = %(city)s AND resident = %(resident)s
ORDER BY revoked_at IS NOT NULL, issued_at DESC LIMIT %(limit)s"""

ONE = f"""
SELECT {_COLUMNS} FROM passport_statements
WHERE city = %(city)s AND resident = %(resident)s AND statement = %(statement)s"""

BY_ID = f"""
SELECT {_COLUMNS}, resident::text FROM passport_statements WHERE city = %(city)s AND statement = %(statement)s"""

REVOKE = """
UPDATE passport_statements SET revoked_at = %(now)s, revoked_why = %(why)s
WHERE city = %(city)s AND resident = %(resident)s AND revoked_at IS NULL
  AND (%(statement)s::uuid IS NULL OR statement = %(statement)s::uuid)"""

GROUND = """
SELECT version, platform, contact, document_number, issuer, published_on, document_url FROM passport_grounds
WHERE city = %(city)s ORDER BY version DESC LIMIT 1"""

PUBLISH_GROUND = """
INSERT INTO passport_grounds (city, version, platform, contact, document_number, issuer, published_on, document_url,
                              published_by, published_at)
VALUES (%(city)s, %(version)s, %(platform)s, %(contact)s, %(document_number)s, %(issuer)s, %(published_on)s,
        %(document_url)s, %(by)s, %(now)s)"""

PUBLISH_BENEFIT = """
INSERT INTO passport_benefits (city, benefit, at_least, title_zh, title_en, recipient, document_number, document_url,
                               published_at)
VALUES (%(city)s, %(benefit)s, %(at_least)s, %(title_zh)s, %(title_en)s, %(recipient)s, %(document_number)s,
        %(document_url)s, %(now)s)"""

PUT_EXPORT = """
INSERT INTO credit_exports (city, export, resident, act, about, statement, subject, at_least, ground, expires_at, created_at,
                            due_at, attempts)
VALUES (%(city)s, %(export)s, %(resident)s, %(act)s, %(about)s, %(statement)s, %(subject)s, %(at_least)s, %(ground)s,
        %(expires_at)s, %(now)s, %(now)s, 0) ON CONFLICT DO NOTHING"""

CANCEL = """
UPDATE credit_exports SET cancelled_at = %(now)s
WHERE city = %(city)s AND resident = %(resident)s AND act = 'state' AND sent_at IS NULL AND cancelled_at IS NULL"""

# What was tried may have arrived, although no answer came.
SENT = """
SELECT s.export::text, s.ground FROM credit_exports s
WHERE s.city = %(city)s AND s.resident = %(resident)s AND s.act = 'state' AND s.attempts > 0 AND NOT EXISTS (
  SELECT FROM credit_exports e WHERE e.city = %(city)s AND e.about = s.export)"""

FORGET_SUBJECT = """
UPDATE credit_exports SET subject = NULL WHERE city = %(city)s AND resident = %(resident)s AND subject IS NOT NULL"""


class Ground(NamedTuple):
    """The published document under which a city sends to its platform."""

    version: int
    platform: str
    contact: str
    document_number: str
    issuer: str
    published_on: object
    document_url: str


def purchases(connection: Connection, city: str, resident: str, since: datetime, until: datetime) -> int:
    asked = {"city": city, "resident": resident, "since": since, "until": until}
    return _one(connection, PURCHASES, asked)


def issue(
    connection: Connection, city: str, resident: str, statement: str, at_least: int, place: int, now: datetime
) -> bool:
    """False when the place is taken: another is to be drawn."""
    given = {"city": city, "resident": resident, "statement": statement, "at_least": at_least, "place": place}
    times = {"since": now - LOOKS_BACK, "now": now, "expires_at": now + GOOD_FOR}
    return bool(hot(connection, ISSUE, {**given, **times}).rowcount)


def statements(connection: Connection, city: str, resident: str, *, limit: int) -> list[Statement]:
    """Newest first; where there are more than `limit`, those that were made void are left out before others."""
    asked = {"city": city, "resident": resident, "limit": limit}
    found = [Statement(*row) for row in hot(connection, OF_RESIDENT, asked)]
    return sorted(found, key=lambda one: one.issued_at, reverse=True)


def find(connection: Connection, city: str, resident: str, statement: str) -> Statement | None:
    row = hot(connection, ONE, {"city": city, "resident": resident, "statement": statement}).fetchone()
    return None if row is None else Statement(*row)


def by_id(connection: Connection, city: str, statement: str) -> tuple[Statement, str] | None:
    """The statement and whose it is."""
    row = hot(connection, BY_ID, {"city": city, "statement": statement}).fetchone()
    return None if row is None else (Statement(*row[:-1]), row[-1])


def revoke(
    connection: Connection, city: str, resident: str, why: str, now: datetime, *, statement: str | None = None
) -> int:
    """One statement of the resident's, or all."""
    given = {"city": city, "resident": resident, "why": why, "now": now, "statement": statement}
    return hot(connection, REVOKE, given).rowcount


def ground(connection: Connection, city: str) -> Ground | None:
    row = hot(connection, GROUND, {"city": city}).fetchone()
    return None if row is None else Ground(*row)


def publish_ground(connection: Connection, city: str, new: Ground, by: str, now: datetime) -> None:
    hot(connection, PUBLISH_GROUND, {"city": city, **new._asdict(), "by": by, "now": now})


def publish_benefit(connection: Connection, city: str, new: Benefit, now: datetime) -> None:
    hot(connection, PUBLISH_BENEFIT, {"city": city, **new._asdict(), "now": now})


def put_export(
    connection: Connection, city: str, resident: str, statement: Statement, subject: bytes, ground: int, now: datetime
) -> str:
    export = new_id()
    said = {"statement": statement.statement, "at_least": statement.at_least, "expires_at": statement.expires_at}
    given = {"city": city, "export": export, "resident": resident, "act": "state", "about": None, "ground": ground}
    hot(connection, PUT_EXPORT, {**given, **said, "subject": subject, "now": now})
    return export


def stop_exports(connection: Connection, city: str, resident: str, now: datetime) -> int:
    """What is not sent is cancelled; of what was sent, or may have been, the deletion is asked. How many deletions."""
    hot(connection, CANCEL, {"city": city, "resident": resident, "now": now})
    sent = hot(connection, SENT, {"city": city, "resident": resident}).fetchall()
    nothing = {"statement": None, "subject": None, "at_least": None, "expires_at": None}
    for export, under in sent:
        given = {"city": city, "export": new_id(), "resident": resident, "act": "erase", "about": export}
        hot(connection, PUT_EXPORT, {**given, **nothing, "ground": under, "now": now})
    return len(sent)


def forget_subject(connection: Connection, city: str, resident: str) -> None:
    hot(connection, FORGET_SUBJECT, {"city": city, "resident": resident})


def _one(connection: Connection, statement: str, asked: dict[str, object]) -> int:
    row: Sequence[int] | None = hot(connection, statement, asked).fetchone()
    assert row is not None
    return int(row[0])
