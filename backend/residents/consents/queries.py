from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.residents.consents.model import Agreement, ConsentText, Purpose
from backend.residents.consents.texts import built_in
from backend.storage.transaction import hot

PAGE_MAX = 100
WARDS_MAX = 20

LATEST = """
SELECT DISTINCT ON (purpose) purpose, given, at, text_sha256 FROM consent_history
WHERE city = %(city)s AND resident = %(resident)s ORDER BY purpose, number DESC"""

HISTORY = """
SELECT number, purpose, given, given_by, text_sha256, at FROM consent_history
WHERE city = %(city)s AND resident = %(resident)s AND (%(before)s::bigint IS NULL OR number < %(before)s)
ORDER BY number DESC LIMIT %(limit)s"""

TEXT = "SELECT purpose, version, text_zh, text_en FROM consent_texts WHERE city = %(city)s AND sha256 = %(sha256)s"

WARDS = """
SELECT ward::text, given_at FROM guardian_consents
WHERE city = %(city)s AND guardian_city = %(guardian_city)s AND guardian = %(guardian)s AND withdrawn_at IS NULL
ORDER BY given_at LIMIT %(limit)s"""


class Change(NamedTuple):
    """One line of a resident's own history; `number` counts from 1."""

    number: int
    purpose: str
    given: bool
    given_by: str
    text_sha256: bytes
    at: datetime


class Ward(NamedTuple):
    ward: str
    since: datetime


def agreements(connection: Connection, city: str, resident: str) -> dict[Purpose, Agreement]:
    """The last word on each purpose that the resident ever agreed to."""
    rows = hot(connection, LATEST, {"city": city, "resident": resident})
    found = [Agreement(Purpose(purpose), given, at, bytes(sha256)) for purpose, given, at, sha256 in rows]
    return {one.purpose: one for one in found}


def given(found: Iterable[Agreement]) -> frozenset[Purpose]:
    return frozenset(one.purpose for one in found if one.given)


def history(connection: Connection, city: str, resident: str, *, before: int | None, limit: int) -> list[Change]:
    """Newest first, below `before`; at most `limit`, at most 100."""
    asked = {"city": city, "resident": resident, "before": before, "limit": min(limit, PAGE_MAX)}
    return [Change(*row)._replace(text_sha256=bytes(row[4])) for row in hot(connection, HISTORY, asked)]


def text_of(connection: Connection, city: str, sha256: bytes) -> ConsentText | None:
    """A text by its hash: of this release, or any that somebody in `city` ever agreed to."""
    known = built_in(sha256)
    if known is not None:
        return known
    row = hot(connection, TEXT, {"city": city, "sha256": sha256}).fetchone()
    return None if row is None else ConsentText(*row)


def wards(connection: Connection, city: str, guardian_city: str, guardian: str) -> list[Ward]:
    """Children whose home is `city`, for whom this guardian agreed; at most 20."""
    asked = {"city": city, "guardian_city": guardian_city, "guardian": guardian, "limit": WARDS_MAX}
    return [Ward(*row) for row in hot(connection, WARDS, asked)]
