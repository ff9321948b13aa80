"""What pages show of the counts of certificates: of a city by county, of a province by city; a scheme alone, or all."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.certificates.counts import NOWHERE
from backend.storage.transaction import hot

MONTHS_MAX = 1_200
KEYS_MAX = 200

BY_MONTH = """
SELECT month, sum(delta)::bigint, sum(added)::bigint, sum(withdrawn)::bigint, sum(expired)::bigint
FROM certificate_months
WHERE region >= %(low)s AND region <= %(high)s AND (%(scheme)s::text IS NULL OR scheme = %(scheme)s) AND month <= %(last)s
GROUP BY month ORDER BY month LIMIT %(limit)s"""

BY_SCHEME = """
SELECT scheme, sum(delta)::bigint, coalesce(sum(added) FILTER (WHERE month >= %(first)s), 0)::bigint,
       coalesce(sum(withdrawn) FILTER (WHERE month >= %(first)s), 0)::bigint,
       coalesce(sum(expired) FILTER (WHERE month >= %(first)s), 0)::bigint
FROM certificate_months
WHERE region >= %(low)s AND region <= %(high)s AND (%(scheme)s::text IS NULL OR scheme = %(scheme)s) AND month <= %(last)s
GROUP BY scheme ORDER BY sum(delta) DESC, scheme LIMIT %(limit)s"""

BY_REGION = """
SELECT rpad(left(region, %(digits)s), 6, '0'), sum(delta)::bigint,
       coalesce(sum(added) FILTER (WHERE month >= %(first)s), 0)::bigint,
       coalesce(sum(withdrawn) FILTER (WHERE month >= %(first)s), 0)::bigint,
       coalesce(sum(expired) FILTER (WHERE month >= %(first)s), 0)::bigint
FROM certificate_months
WHERE region >= %(low)s AND region <= %(high)s AND (%(scheme)s::text IS NULL OR scheme = %(scheme)s) AND month <= %(last)s
GROUP BY 1 ORDER BY 1 LIMIT %(limit)s"""

COUNTED = """
SELECT c.recorded_at FROM certificates_counted d JOIN registry_changes c ON c.version = d.version WHERE d.one"""


class Month(NamedTuple):
    """`valid` at the end of the month that begins on `begins`; the rest within it."""

    begins: date
    valid: int
    added: int
    withdrawn: int
    expired: int
    other: int


class Standing(NamedTuple):
    """`valid` at the end of the last month; the rest within the span that was asked for."""

    key: str
    valid: int
    added: int
    withdrawn: int
    expired: int


def by_month(connection: Connection, region: str, scheme: str | None, span: tuple[date, date]) -> Sequence[Month]:
    """Every month of `span`, its first and last, also those in which nothing changed. `region`: a county, city (`…00`) or
    province (`…0000`).
    """
    rows = hot(connection, BY_MONTH, {**_of(region, scheme), "last": span[1], "limit": MONTHS_MAX}).fetchall()
    changed = {row[0]: row[1:] for row in rows}
    valid = sum(delta for begins, (delta, *_) in changed.items() if begins < span[0])
    found, begins = [], span[0]
    while begins <= span[1]:
        delta, added, withdrawn, expired = changed.get(begins, (0, 0, 0, 0))
        valid += delta
        found.append(Month(begins, valid, added, withdrawn, expired, delta - added + withdrawn + expired))
        begins = next_month(begins)
    return found


def by_scheme(connection: Connection, region: str, scheme: str | None, span: tuple[date, date]) -> Sequence[Standing]:
    given = {**_of(region, scheme), "first": span[0], "last": span[1], "limit": KEYS_MAX}
    return [Standing(*row) for row in hot(connection, BY_SCHEME, given)]


def by_region(connection: Connection, region: str, scheme: str | None, span: tuple[date, date]) -> Sequence[Standing]:
    """Of a city its counties, of a province its cities."""
    given = {**_of(region, scheme), "first": span[0], "last": span[1], "limit": KEYS_MAX}
    digits = 4 if region.endswith("0000") else 6
    return [Standing(*row) for row in hot(connection, BY_REGION, {**given, "digits": digits})]


def valid_at_end_of(connection: Connection, region: str, scheme: str | None, month: date) -> int:
    """`month`: its first day."""
    return by_month(connection, region, scheme, (month, month))[0].valid


def without_region(connection: Connection, scheme: str | None, month: date) -> int:
    """Valid certificates whose holder has no code in the registry, in the whole country."""
    return valid_at_end_of(connection, NOWHERE, scheme, month)


def counted_at(connection: Connection) -> datetime | None:
    """When the registry was last changed by what is counted; None where nothing is."""
    row = hot(connection, COUNTED).fetchone()
    return None if row is None else row[0]


def next_month(day: date) -> date:
    """Its first day."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _of(region: str, scheme: str | None) -> dict[str, object]:
    """Codes of a city lie between its own and that with nines in place of its zeros."""
    stem = region if region == NOWHERE else region.removesuffix("00").removesuffix("00")
    return {"low": region, "high": stem.ljust(6, "9"), "scheme": scheme}
