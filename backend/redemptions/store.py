"""Redemptions and vouchers in the database, inside the caller's transaction: opened once, ended once."""

from datetime import datetime
from typing import NamedTuple

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection

from backend.redemptions.model import (
    Approved,
    At,
    CodeUnknown,
    Entry,
    EntryUnknown,
    Limit,
    Offer,
    RedemptionUnknown,
    SoldOut,
    State,
    UseConflict,
    VoucherState,
)
from backend.redemptions.rows import OFFER_COLUMNS, offer_of
from backend.storage.transaction import hot

OFFER = f"""
SELECT {OFFER_COLUMNS} FROM catalogue_entries e
JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = e.entry AND v.version = e.version
WHERE e.city = %(city)s AND e.entry = %(entry)s"""

AS_HELD = f"""
SELECT {OFFER_COLUMNS} FROM catalogue_versions v
JOIN catalogue_entries e ON e.city = %(city)s AND e.entry = v.entry
WHERE v.city = %(city)s AND v.entry = %(entry)s AND v.version = %(version)s"""

# The version too: what was checked is what is taken.
TAKE_STOCK = """
UPDATE catalogue_entries SET taken = taken + %(pieces)s
WHERE city = %(city)s AND entry = %(entry)s AND version = %(version)s
  AND (stock IS NULL OR taken + %(pieces)s <= stock)"""

GIVE_STOCK = """
UPDATE catalogue_entries SET taken = taken - %(pieces)s WHERE city = %(city)s AND entry = %(entry)s"""

TAKE_LIMIT = """
INSERT INTO redemption_counters (city, person, entry, period, used, allowed)
SELECT %(city)s, %(person)s, %(entry)s, %(period)s, %(pieces)s, %(allowed)s
WHERE %(pieces)s::bigint <= %(allowed)s::bigint
ON CONFLICT (city, person, entry, period) DO UPDATE
SET used = redemption_counters.used + EXCLUDED.used, allowed = EXCLUDED.allowed
WHERE redemption_counters.used + EXCLUDED.used <= EXCLUDED.allowed"""

USED = """
SELECT used FROM redemption_counters
WHERE city = %(city)s AND person = %(person)s AND entry = %(entry)s AND period = %(period)s"""

GIVE_LIMIT = """
UPDATE redemption_counters SET used = used - %(pieces)s
WHERE city = %(city)s AND person = %(resident)s AND entry = %(entry)s AND period = %(period)s"""

OPEN = """
INSERT INTO redemptions (city, redemption, resident, entry, version, pieces, points, request_sha256, code_hash, period,
                         state, held_at, expires_at)
VALUES (%(city)s, %(redemption)s, %(resident)s, %(entry)s, %(version)s, %(pieces)s, %(points)s, %(request_sha256)s,
        %(code_hash)s, %(period)s, 'held', %(held_at)s, %(expires_at)s)
ON CONFLICT DO NOTHING"""

_ROW = """
redemption::text, resident::text, entry, version, pieces, points, request_sha256, code_hash, period, held_at, expires_at, state,
service, store, use_key"""
FIND = f"SELECT {_ROW} FROM redemptions WHERE city = %(city)s AND redemption = %(redemption)s"
LOCK = FIND + " FOR UPDATE"
LOCK_BY_CODE = f"""
SELECT {_ROW} FROM redemptions WHERE city = %(city)s AND code_hash = %(code_hash)s
ORDER BY state = 'held' DESC, held_at DESC, redemptions.redemption LIMIT 1 FOR UPDATE"""

OPEN_OF = """
SELECT r.redemption::text FROM redemptions r
LEFT JOIN vouchers v ON v.city = %(city)s AND v.redemption = r.redemption
WHERE r.city = %(city)s AND r.resident = %(resident)s
  AND (r.state = 'held' OR (r.state = 'confirmed' AND v.state = 'issued')) ORDER BY r.redemption"""

CONFIRM = """
UPDATE redemptions SET state = 'confirmed', settled_at = %(now)s, service = %(service)s, store = %(store)s,
                       use_key = %(use_key)s
WHERE city = %(city)s AND redemption = %(redemption)s AND state = 'held'"""

GIVE_UP = """
UPDATE redemptions SET state = %(state)s, settled_at = %(now)s, lapsed = %(lapsed)s, repaid = %(repaid)s
WHERE city = %(city)s AND redemption = %(redemption)s AND state = 'held'"""

VOID = """
UPDATE redemptions SET state = 'voided', voided_at = %(now)s, lapsed = %(lapsed)s, repaid = %(repaid)s,
                       voided_by = %(by)s, approved_by = %(approved_by)s, void_reason = %(reason)s
WHERE city = %(city)s AND redemption = %(redemption)s AND state = 'confirmed'"""

OVERDUE = """
SELECT redemption::text FROM redemptions WHERE city = %(city)s AND state = 'held' AND expires_at <= %(now)s
ORDER BY expires_at, redemptions.redemption LIMIT %(limit)s"""

ISSUE = """
INSERT INTO vouchers (city, redemption, code_hash, state, issued_at, expires_at)
VALUES (%(city)s, %(redemption)s, %(code_hash)s, 'issued', %(now)s, %(expires_at)s)"""

_VOUCHER = "redemption::text, state, expires_at, service, store, use_key"
LOCK_VOUCHER = f"SELECT {_VOUCHER} FROM vouchers WHERE city = %(city)s AND redemption = %(redemption)s FOR UPDATE"
LOCK_VOUCHER_BY_CODE = f"SELECT {_VOUCHER} FROM vouchers WHERE city = %(city)s AND code_hash = %(code_hash)s FOR UPDATE"

END_VOUCHER = """
UPDATE vouchers SET state = %(state)s, ended_at = %(now)s, service = %(service)s, store = %(store)s, use_key = %(use_key)s
WHERE city = %(city)s AND redemption = %(redemption)s AND state = 'issued'"""

OVERDUE_VOUCHERS = """
SELECT redemption::text FROM vouchers WHERE city = %(city)s AND state = 'issued' AND expires_at <= %(now)s
ORDER BY expires_at, vouchers.redemption LIMIT %(limit)s"""


class Row(NamedTuple):
    """One redemption as it was asked for, and what became of it. `period`: which its limit counts in."""

    redemption: str
    resident: str
    entry: str
    version: int
    pieces: int
    points: int
    request_sha256: bytes
    code_hash: bytes | None
    period: str | None
    held_at: datetime
    expires_at: datetime
    state: State = State.HELD
    service: str | None = None
    store: str | None = None
    use_key: str | None = None


class Voucher(NamedTuple):
    redemption: str
    state: VoucherState
    expires_at: datetime
    service: str | None
    store: str | None
    use_key: str | None


def offer(connection: Connection, city: str, entry: str) -> Offer:
    """Raises EntryUnknown."""
    row = hot(connection, OFFER, {"city": city, "entry": entry}).fetchone()
    if row is None:
        raise EntryUnknown
    return offer_of(row)


def entry_as_held(connection: Connection, city: str, row: Row) -> Entry:
    """The version of the entry that was promised."""
    found = hot(connection, AS_HELD, {"city": city, "entry": row.entry, "version": row.version}).fetchone()
    assert found is not None, "versions are never deleted"
    return offer_of(found).entry


def is_repeat(found: Row | Voucher, at: At) -> bool:
    """Whether a shop asks again for what it has done. Raises UseConflict where its number was for another shop of its."""
    if (found.service, found.use_key) != (at.service, at.use_key):
        return False
    if found.store != at.store:
        raise UseConflict
    return True


def take_stock(connection: Connection, city: str, offered: Offer, pieces: int) -> bool:
    """False when another version has come meanwhile. Raises SoldOut."""
    given = {"city": city, "entry": offered.entry.entry, "version": offered.version, "pieces": pieces}
    if hot(connection, TAKE_STOCK, given).rowcount == 1:
        return True
    now = offer(connection, city, offered.entry.entry)
    if now.version != offered.version or now.left is None:
        return False
    raise SoldOut(left=now.left)


def take_limit(connection: Connection, city: str, row: Row, limit: Limit) -> int | None:
    """None when it was taken; else what was used already."""
    given = {"city": city, "person": row.resident, "entry": row.entry, "period": row.period}
    taken = hot(connection, TAKE_LIMIT, {**given, "pieces": row.pieces, "allowed": limit.pieces})
    if taken.rowcount == 1:
        return None
    found = hot(connection, USED, given).fetchone()
    return 0 if found is None else int(found[0])


def give_back(connection: Connection, city: str, row: Row) -> None:
    """The pieces go back to the limit and to the stock, in the order in which they were taken."""
    given = {"city": city, **row._asdict()}
    if row.period is not None:
        hot(connection, GIVE_LIMIT, given)
    hot(connection, GIVE_STOCK, given)


def open_redemption(connection: Connection, city: str, row: Row) -> bool:
    """False when one of this id is there, or its code is open; waits for one that is just being opened."""
    return hot(connection, OPEN, {"city": city, **row._asdict()}).rowcount == 1


def find(connection: Connection, city: str, redemption: str) -> Row | None:
    return _row(hot(connection, FIND, {"city": city, "redemption": redemption}).fetchone())


def open_of(connection: Connection, city: str, resident: str) -> list[str]:
    """Redemptions of `resident` that are held, and those whose voucher is not used yet."""
    return [one for (one,) in hot(connection, OPEN_OF, {"city": city, "resident": resident})]


def locked(connection: Connection, city: str, redemption: str) -> Row:
    """Nobody else ends it before COMMIT. Raises RedemptionUnknown."""
    found = _row(hot(connection, LOCK, {"city": city, "redemption": redemption}).fetchone())
    if found is None:
        raise RedemptionUnknown
    return found


def locked_by_code(connection: Connection, city: str, code_hash: bytes) -> Row:
    """The one that is open; else the last that had this code. Raises CodeUnknown."""
    found = _row(hot(connection, LOCK_BY_CODE, {"city": city, "code_hash": code_hash}).fetchone())
    if found is None:
        raise CodeUnknown
    return found


def confirm(connection: Connection, city: str, redemption: str, now: datetime, at: At | None) -> None:
    """Raises UseConflict: the shop's number stands for another."""
    _ended(connection, CONFIRM, {"city": city, "redemption": redemption, "now": now, **_place(at)})


def give_up(
    connection: Connection, city: str, redemption: str, state: State, now: datetime, *, lapsed: int, repaid: int
) -> None:
    given = {"city": city, "redemption": redemption, "state": state.value, "now": now}
    _ended(connection, GIVE_UP, {**given, "lapsed": lapsed, "repaid": repaid})


def void(
    connection: Connection,
    city: str,
    redemption: str,
    now: datetime,
    approved: Approved | None,
    *,
    lapsed: int,
    repaid: int,
) -> None:
    names = approved._asdict() if approved else dict.fromkeys(Approved._fields)
    given = {"city": city, "redemption": redemption, "now": now, "lapsed": lapsed, "repaid": repaid}
    _ended(connection, VOID, {**given, **names})


def overdue(connection: Connection, city: str, now: datetime, *, limit: int) -> list[str]:
    return [one for (one,) in hot(connection, OVERDUE, {"city": city, "now": now, "limit": limit})]


def issue_voucher(
    connection: Connection, city: str, redemption: str, code_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    given = {"city": city, "redemption": redemption, "code_hash": code_hash, "now": now, "expires_at": expires_at}
    hot(connection, ISSUE, given)


def locked_voucher(connection: Connection, city: str, redemption: str) -> Voucher:
    found = hot(connection, LOCK_VOUCHER, {"city": city, "redemption": redemption}).fetchone()
    assert found is not None, "a confirmed redemption of its kind has its voucher"
    return _voucher(found)


def locked_voucher_by_code(connection: Connection, city: str, code_hash: bytes) -> Voucher:
    """Raises CodeUnknown."""
    found = hot(connection, LOCK_VOUCHER_BY_CODE, {"city": city, "code_hash": code_hash}).fetchone()
    if found is None:
        raise CodeUnknown
    return _voucher(found)


def end_voucher(
    connection: Connection, city: str, redemption: str, state: VoucherState, now: datetime, at: At | None = None
) -> None:
    """Raises UseConflict."""
    given = {"city": city, "redemption": redemption, "state": state.value, "now": now}
    _ended(connection, END_VOUCHER, {**given, **_place(at)})


def overdue_vouchers(connection: Connection, city: str, now: datetime, *, limit: int) -> list[str]:
    return [one for (one,) in hot(connection, OVERDUE_VOUCHERS, {"city": city, "now": now, "limit": limit})]


def _ended(connection: Connection, statement: str, given: dict[str, object]) -> None:
    """The caller has locked the row and seen that it is open."""
    try:
        changed = hot(connection, statement, given).rowcount
    except UniqueViolation:
        raise UseConflict from None
    if changed != 1:
        raise ValueError("only what is open is ended")


def _place(at: At | None) -> dict[str, str | None]:
    return dict(at._asdict()) if at else dict.fromkeys(At._fields)


def _row(found: tuple[object, ...] | None) -> Row | None:
    if found is None:
        return None
    row = Row(*found)  # type: ignore[arg-type]  # as the statement's columns are
    code = None if row.code_hash is None else bytes(row.code_hash)
    return row._replace(request_sha256=bytes(row.request_sha256), code_hash=code, state=State(row.state))


def _voucher(found: tuple[object, ...]) -> Voucher:
    voucher = Voucher(*found)  # type: ignore[arg-type]  # as the statement's columns are
    return voucher._replace(state=VoucherState(voucher.state))
