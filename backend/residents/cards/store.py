from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import ids, numbers, octets, words
from backend.storage.transaction import hot

FIND = """
SELECT number_hash, card::text, resident::text, blocked_at FROM member_cards
WHERE city = %(city)s AND number_hash = ANY(%(hashes)s::bytea[])"""

# Alone until COMMIT: so a day's count is right, and who blocks, merges or leaves waits, or is waited for.
LOCK = f"{FIND} ORDER BY number_hash FOR UPDATE"

USES = """
SELECT card::text, replace(stream::text, '-', ''), seq, day FROM card_uses
WHERE city = %(city)s AND card = ANY(%(cards)s::uuid[])
  AND (day = ANY(%(days)s::date[]) OR stream = ANY(%(streams)s::uuid[]) AND seq = ANY(%(seqs)s::bigint[]))"""

ENTER = """
INSERT INTO card_uses (city, card, stream, seq, day, place)
SELECT %(city)s, t.card, t.stream, t.seq, t.day, t.place
FROM unnest(%(cards)s::uuid[], %(streams)s::uuid[], %(seqs)s::bigint[], %(days)s::date[], %(places)s::smallint[])
     t(card, stream, seq, day, place)"""

ISSUE = """
INSERT INTO member_cards (city, card, number_hash, secret_hash, ending, resident, issued_at, issued_by, tries)
VALUES (%(city)s, %(card)s, %(number_hash)s, %(secret_hash)s, %(ending)s, %(resident)s, %(now)s, %(by)s, 0)"""

BLOCK_ALL = """
UPDATE member_cards SET blocked_at = %(now)s, blocked_why = %(why)s
WHERE city = %(city)s AND resident = %(resident)s AND blocked_at IS NULL RETURNING card::text"""

BLOCK = BLOCK_ALL.replace("AND blocked_at", "AND card = %(card)s AND blocked_at")

BY_NUMBER = """
SELECT card::text, resident::text FROM member_cards WHERE city = %(city)s AND number_hash = %(hash)s"""

# A wrong one costs a try; the right one costs none.
PROVE = """
UPDATE member_cards SET tries = tries + CASE WHEN secret_hash = %(secret)s THEN 0 ELSE 1 END
WHERE city = %(city)s AND number_hash = %(hash)s AND blocked_at IS NULL AND tries < %(tries_max)s
RETURNING resident::text, secret_hash = %(secret)s"""

GIVE = "UPDATE member_cards SET resident = %(to)s WHERE city = %(city)s AND resident = %(resident)s"


class KnownCard(NamedTuple):
    card: str
    resident: str
    blocked_at: datetime | None


class CardUse(NamedTuple):
    """A sale that a card is shown for: `stream` without hyphens, `seq` that of its first part."""

    card: str
    stream: str
    seq: int
    day: date


class NewCard(NamedTuple):
    card: str
    number_hash: bytes
    secret_hash: bytes
    ending: str
    resident: str
    by: str


def find(connection: Connection, city: str, hashes: Collection[bytes], *, alone: bool) -> dict[bytes, KnownCard]:
    """Those of the cards that are known, by the hash of the number; `alone`: the caller's until COMMIT."""
    rows = hot(connection, LOCK if alone else FIND, {"city": city, "hashes": octets(sorted(set(hashes)))})
    return {bytes(hashed): KnownCard(*card) for hashed, *card in rows}


def uses(connection: Connection, city: str, asked: Sequence[CardUse]) -> set[CardUse]:
    """What these cards were used for on these days, and whether they were used for these very sales."""
    given = {
        "city": city,
        "cards": ids(sorted({one.card for one in asked})),
        "days": words(sorted({one.day.isoformat() for one in asked})),
        "streams": ids(sorted({one.stream for one in asked})),
        "seqs": numbers(sorted({one.seq for one in asked})),
    }
    return {CardUse(*row) for row in hot(connection, USES, given)}


def enter(connection: Connection, city: str, new: Sequence[tuple[CardUse, int]]) -> None:
    """Uses that are new, each with its place in the day."""
    given = {
        "city": city,
        "cards": ids([use.card for use, _ in new]),
        "streams": ids([use.stream for use, _ in new]),
        "seqs": numbers([use.seq for use, _ in new]),
        "days": words([use.day.isoformat() for use, _ in new]),
        "places": numbers([place for _, place in new]),
    }
    hot(connection, ENTER, given)


def issue(connection: Connection, city: str, new: NewCard, now: datetime) -> None:
    hot(connection, ISSUE, {"city": city, "now": now, **new._asdict()})


def block_all(connection: Connection, city: str, resident: str, why: str, now: datetime) -> list[str]:
    """The cards of `resident` that were good until now."""
    given = {"city": city, "resident": resident, "why": why, "now": now}
    return [card for (card,) in hot(connection, BLOCK_ALL, given)]


def block(connection: Connection, city: str, resident: str, card: str, why: str, now: datetime) -> bool:
    """False where it is no card of the resident's that was good until now."""
    given = {"city": city, "resident": resident, "card": card, "why": why, "now": now}
    return hot(connection, BLOCK, given).fetchone() is not None


def owner(connection: Connection, city: str, hashed: bytes) -> tuple[str, str] | None:
    """A card's id and its resident, by the hash of its number."""
    row = hot(connection, BY_NUMBER, {"city": city, "hash": hashed}).fetchone()
    return None if row is None else (row[0], row[1])


def prove(connection: Connection, city: str, hashed: bytes, secret: bytes, tries_max: int) -> str | None:
    """The resident whose card it is, for who knows its sheet's secret; a wrong one costs a try, which must be committed."""
    given = {"city": city, "hash": hashed, "secret": secret, "tries_max": tries_max}
    row = hot(connection, PROVE, given).fetchone()
    return str(row[0]) if row is not None and row[1] else None


def give_cards(connection: Connection, city: str, resident: str, to: str) -> None:
    """Cards of `resident` credit `to`. Waits for sales in which one is being shown."""
    hot(connection, GIVE, {"city": city, "resident": resident, "to": to})
