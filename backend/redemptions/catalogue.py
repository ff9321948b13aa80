"""The catalogue in the database: a new version of an entry, or its withdrawal, each with who, when and why."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.redemptions.model import Entry, Offer
from backend.redemptions.rows import OFFER_COLUMNS, entry_columns, offer_of
from backend.storage.transaction import hot

LOCK = f"""
SELECT {OFFER_COLUMNS} FROM catalogue_entries e
JOIN catalogue_versions v ON v.city = %(city)s AND v.entry = e.entry AND v.version = e.version
WHERE e.city = %(city)s AND e.entry = %(entry)s FOR UPDATE OF e"""

ENTER = """
INSERT INTO catalogue_entries (city, entry, version, stock, taken)
VALUES (%(city)s, %(entry)s, %(version)s, %(stock)s, 0)
ON CONFLICT DO NOTHING"""

MOVE = """
UPDATE catalogue_entries SET version = %(version)s, stock = %(stock)s
WHERE city = %(city)s AND entry = %(entry)s AND (%(stock)s::bigint IS NULL OR taken <= %(stock)s::bigint)"""

VERSION = """
INSERT INTO catalogue_versions (city, entry, version, withdrawn, kind, title_zh, title_en, text_zh, text_en, points,
  pieces_max, stock, limit_pieces, limit_period, starts_at, ends_at, hold_minutes, at_till, stores, voucher_days, points_back,
  recipient, shop_fen, sha256, published_by, reason, published_at)
VALUES (%(city)s, %(entry)s, %(version)s, %(withdrawn)s, %(kind)s, %(title_zh)s, %(title_en)s, %(text_zh)s, %(text_en)s,
  %(points)s, %(pieces_max)s, %(stock)s, %(limit_pieces)s, %(limit_period)s, %(starts_at)s, %(ends_at)s, %(hold_minutes)s,
  %(at_till)s, %(stores)s, %(voucher_days)s, %(points_back)s, %(recipient)s, %(shop_fen)s, %(sha256)s, %(by)s, %(reason)s,
  %(now)s)"""


class Act(NamedTuple):
    """Who publishes or withdraws, why, and the SHA-256 of the entry as it stood in the file."""

    by: str
    reason: str
    sha256: bytes


def locked_offer(connection: Connection, city: str, entry: str) -> Offer | None:
    """None where there is no such entry yet."""
    row = hot(connection, LOCK, {"city": city, "entry": entry}).fetchone()
    return None if row is None else offer_of(row)


def enter(connection: Connection, city: str, entry: Entry, act: Act, now: datetime) -> bool:
    """The first version. False where somebody else entered it at the same moment."""
    given = {"city": city, "entry": entry.entry, "version": 1, "stock": entry.stock}
    if hot(connection, ENTER, given).rowcount != 1:
        return False
    _record(connection, city, entry, 1, act, now, withdrawn=False)
    return True


def move(
    connection: Connection, city: str, entry: Entry, version: int, act: Act, now: datetime, *, withdrawn: bool = False
) -> bool:
    """The next version of an entry that is locked. False where more is taken than its stock."""
    given = {"city": city, "entry": entry.entry, "version": version, "stock": entry.stock}
    if hot(connection, MOVE, given).rowcount != 1:
        return False
    _record(connection, city, entry, version, act, now, withdrawn=withdrawn)
    return True


def _record(
    connection: Connection, city: str, entry: Entry, version: int, act: Act, now: datetime, *, withdrawn: bool
) -> None:
    given = {"city": city, "version": version, "withdrawn": withdrawn, "now": now, **act._asdict()}
    hot(connection, VERSION, entry_columns(entry) | given)
