from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.redemptions.model import Offer, State, VoucherState
from backend.redemptions.rows import OFFER_COLUMNS, offer_of
from backend.storage.columns import words
from backend.storage.transaction import hot

PAGE_MAX = 100
FIRST = ""
"""Comes before every entry."""

OFFERED = f"""
SELECT {OFFER_COLUMNS} FROM catalogue_entries e
JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = e.entry AND v.version = e.version
WHERE e.city = %(city)s AND e.entry > %(after)s AND NOT v.withdrawn AND v.starts_at <= %(now)s AND v.ends_at > %(now)s
ORDER BY e.entry LIMIT %(limit)s"""

LISTED = f"""
SELECT {OFFER_COLUMNS}, v.published_at, v.published_by FROM catalogue_entries e
JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = e.entry AND v.version = e.version
WHERE e.city = %(city)s ORDER BY e.entry"""

VERSIONS = """
SELECT version, withdrawn, points, stock, published_at, published_by, reason, encode(sha256, 'hex') FROM catalogue_versions
WHERE city = %(city)s AND entry = %(entry)s ORDER BY version"""

USED = """
SELECT entry, period, used FROM redemption_counters
WHERE city = %(city)s AND person = %(person)s AND entry = ANY(%(entries)s::text[])"""

_REDEEMED = """
SELECT r.redemption::text, r.resident::text, r.entry, v.kind, v.title_zh, v.title_en, v.at_till, v.recipient, v.stores,
       r.pieces, r.points, r.state, r.held_at, r.expires_at, r.settled_at, r.store, r.lapsed, r.repaid, r.voided_at,
       r.void_reason, c.state, c.expires_at, c.ended_at, c.store
FROM redemptions r
JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = r.entry AND v.version = r.version
LEFT JOIN vouchers c ON c.city = %(city)s AND c.redemption = r.redemption
WHERE r.city = %(city)s"""
ONE = _REDEEMED + " AND r.redemption = %(redemption)s"
HISTORY = (
    _REDEEMED
    + """ AND r.resident = %(resident)s
  AND (%(held_at)s::timestamptz IS NULL OR (r.held_at, r.redemption) < (%(held_at)s, %(redemption)s::uuid))
ORDER BY r.held_at DESC, r.redemption DESC LIMIT %(limit)s"""
)
RECENT = _REDEEMED + " ORDER BY r.held_at DESC, r.redemption DESC LIMIT %(limit)s"


class Listed(NamedTuple):
    offer: Offer
    published_at: datetime
    published_by: str


class Version(NamedTuple):
    """One act of publishing; `sha256` in hex."""

    version: int
    withdrawn: bool
    points: int
    stock: int | None
    published_at: datetime
    published_by: str
    reason: str
    sha256: str


class HistoryKey(NamedTuple):
    """The last redemption of a page; the next page begins below it."""

    held_at: datetime
    redemption: str


class Redeemed(NamedTuple):
    """A redemption as it stands, with the words of the version that was promised. `voucher_*`: where one was issued."""

    redemption: str
    resident: str
    entry: str
    kind: str
    title_zh: str
    title_en: str
    at_till: bool
    recipient: str | None
    stores: str
    pieces: int
    points: int
    state: State
    held_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    store: str | None
    lapsed: int | None
    repaid: int | None
    voided_at: datetime | None
    void_reason: str | None
    voucher_state: VoucherState | None
    voucher_expires_at: datetime | None
    voucher_ended_at: datetime | None
    voucher_store: str | None


def offered(connection: Connection, city: str, now: datetime, *, after: str, limit: int) -> list[Offer]:
    """What may be redeemed at `now`, by entry; below `after`, at most `limit`, at most 100."""
    given = {"city": city, "now": now, "after": after, "limit": min(limit, PAGE_MAX)}
    return [offer_of(row) for row in hot(connection, OFFERED, given)]


def listed(connection: Connection, city: str) -> list[Listed]:
    """The version in force of every entry, withdrawn ones too."""
    return [Listed(offer_of(row), *row[-2:]) for row in hot(connection, LISTED, {"city": city})]


def versions(connection: Connection, city: str, entry: str) -> list[Version]:
    return [Version(*row) for row in hot(connection, VERSIONS, {"city": city, "entry": entry})]


def used(connection: Connection, city: str, person: str, entries: Sequence[str]) -> dict[tuple[str, str], int]:
    """By entry and period, what a person has redeemed of them."""
    rows = hot(connection, USED, {"city": city, "person": person, "entries": words(entries)})
    return {(entry, period): count for entry, period, count in rows}


def redeemed(connection: Connection, city: str, redemption: str) -> Redeemed | None:
    row = hot(connection, ONE, {"city": city, "redemption": redemption}).fetchone()
    return None if row is None else _redeemed(row)


def history(
    connection: Connection, city: str, resident: str, *, after: HistoryKey | None, limit: int
) -> list[Redeemed]:
    """A resident's redemptions in one city, newest first, below `after`; at most `limit`, at most 100."""
    held_at, redemption = after or (None, None)
    given = {"city": city, "resident": resident, "held_at": held_at, "redemption": redemption}
    return [_redeemed(row) for row in hot(connection, HISTORY, {**given, "limit": min(limit, PAGE_MAX)})]


def recent(connection: Connection, city: str, *, limit: int) -> list[Redeemed]:
    """The newest of a city, for its officials."""
    return [_redeemed(row) for row in hot(connection, RECENT, {"city": city, "limit": limit})]


def _redeemed(row: tuple[object, ...]) -> Redeemed:
    found = Redeemed(*row)  # type: ignore[arg-type]  # as the statement's columns are
    voucher = None if found.voucher_state is None else VoucherState(found.voucher_state)
    return found._replace(state=State(found.state), voucher_state=voucher)
