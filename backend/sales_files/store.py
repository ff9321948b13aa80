import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection

from backend.sales_files.model import WAITING_MAX, NewFile, RowAnswer, SalesFilesWaiting
from backend.storage.columns import ids, numbers, unquoted, words
from backend.storage.transaction import hot

COUNT_WAITING = """
SELECT count(*) FROM sales_files WHERE city = %(city)s AND retailer = %(retailer)s AND state <> 'recorded'"""

PUT = """
INSERT INTO sales_files (city, upload, retailer, file_name, content, size_bytes, sha256, uploaded_by, uploaded_name,
                         uploaded_at, state, rows, done, accepted, repeated, refused, points, subsidy_fen, moved_at)
VALUES (%(city)s, %(upload)s, %(retailer)s, %(file_name)s, %(content)s, %(size)s, %(sha256)s, %(by)s, %(by_name)s, %(now)s,
        'waiting', %(rows)s, 0, 0, 0, 0, 0, 0, %(now)s)"""

# What a worker began and did not end is taken again once it has not moved for a while. A retailer's files are recorded one
# after another: each must see what the one before it recorded, or the goods of a slip in both of them would count twice.
_FREE = """(f.state = 'recording' AND f.moved_at < %(stale)s OR f.state = 'waiting' AND NOT EXISTS (
  SELECT FROM sales_files o WHERE o.city = %(city)s AND o.retailer = f.retailer AND o.state = 'recording'))"""

WAITING = f"""
SELECT f.upload::text FROM sales_files f WHERE f.city = %(city)s AND f.state <> 'recorded' AND {_FREE}
ORDER BY f.upload LIMIT 10"""

TAKE = f"""
UPDATE sales_files f SET state = 'recording', moved_at = %(now)s, done = 0
WHERE f.city = %(city)s AND f.upload = %(upload)s AND {_FREE}
RETURNING content, retailer, uploaded_at"""

GIVE_BACK = """
UPDATE sales_files SET state = 'waiting', moved_at = %(now)s
WHERE city = %(city)s AND upload = %(upload)s AND state = 'recording'"""

MOVE = """
UPDATE sales_files SET done = least(rows, done + %(more)s), moved_at = %(now)s
WHERE city = %(city)s AND upload = %(upload)s AND state = 'recording'"""

# A worker that follows one that died answers again what that one has answered: the first answer stands.
ANSWER = """
INSERT INTO sales_file_rows (city, upload, file_line, event, line_no, state, code, zh, en, points, subsidy_fen, basket,
                             basket_line)
SELECT %(city)s, %(upload)s, unnest(%(file_lines)s::int[]), unnest(%(events)s::text[]), unnest(%(line_nos)s::int[]),
       unnest(%(states)s::text[]), unnest(%(codes)s::text[]), unnest(%(zh)s::text[]), unnest(%(en)s::text[]),
       unnest(%(points)s::bigint[]), unnest(%(subsidies)s::bigint[]), unnest(%(baskets)s::uuid[]),
       unnest(%(basket_lines)s::smallint[])
ON CONFLICT DO NOTHING"""

END = """
UPDATE sales_files f SET state = 'recorded', content = NULL, done = rows, moved_at = %(now)s, accepted = r.accepted,
       repeated = r.repeated, refused = r.refused, points = r.points, subsidy_fen = r.subsidy_fen
FROM (SELECT count(*) FILTER (WHERE state = 'accepted') AS accepted, count(*) FILTER (WHERE state = 'repeated') AS repeated,
             count(*) FILTER (WHERE state = 'refused') AS refused,
             coalesce(sum(points) FILTER (WHERE state = 'accepted'), 0)::bigint AS points,
             coalesce(sum(subsidy_fen) FILTER (WHERE state = 'accepted'), 0)::bigint AS subsidy_fen
      FROM sales_file_rows WHERE city = %(city)s AND upload = %(upload)s) r
WHERE f.city = %(city)s AND f.upload = %(upload)s AND f.state = 'recording'"""

FORGET = """
DELETE FROM sales_file_rows WHERE city = %(city)s AND upload IN (
  SELECT upload FROM sales_files WHERE city = %(city)s AND upload > %(after)s AND uploaded_at < %(before)s
  ORDER BY sales_files.upload LIMIT %(limit)s)"""

OLD = """
SELECT upload::text FROM sales_files WHERE city = %(city)s AND upload > %(after)s AND uploaded_at < %(before)s
ORDER BY sales_files.upload LIMIT %(limit)s"""


class Taken(NamedTuple):
    content: bytes
    retailer: str
    uploaded_at: datetime


class TakenMeanwhile(Exception):
    """Another file of the same retailer was taken in the same moment; the transaction is lost."""


def put(connection: Connection, city: str, new: NewFile, rows: int, now: datetime) -> bytes:
    """Its SHA-256. Raises SalesFilesWaiting where the retailer has too many that wait."""
    counted = hot(connection, COUNT_WAITING, {"city": city, "retailer": new.retailer}).fetchone()
    if counted is not None and counted[0] >= WAITING_MAX:
        raise SalesFilesWaiting(waiting_max=WAITING_MAX)
    sha256 = hashlib.sha256(new.content).digest()
    given = {**new._asdict(), "city": city, "size": len(new.content), "sha256": sha256, "rows": rows, "now": now}
    hot(connection, PUT, given)
    return sha256


def waiting(connection: Connection, city: str, stale: datetime) -> list[str]:
    """Files that a worker has to record; `stale`: what has not moved since was given up."""
    return [upload for (upload,) in hot(connection, WAITING, {"city": city, "stale": stale})]


def take(connection: Connection, city: str, upload: str, now: datetime, stale: datetime) -> Taken | None:
    """None when somebody else has it, or has another file of its retailer; TakenMeanwhile where that began just now."""
    try:
        row = hot(connection, TAKE, {"city": city, "upload": upload, "now": now, "stale": stale}).fetchone()
    except UniqueViolation:
        raise TakenMeanwhile from None
    return None if row is None else Taken(bytes(row[0]), row[1], row[2])


def give_back(connection: Connection, city: str, upload: str, now: datetime) -> None:
    hot(connection, GIVE_BACK, {"city": city, "upload": upload, "now": now})


def answer(connection: Connection, city: str, upload: str, answers: Sequence[RowAnswer], now: datetime) -> None:
    """Keeps the answers of some lines, and how far the file has come."""
    if answers:
        given = {
            "file_lines": numbers([one.file_line for one in answers]),
            "events": words([one.event for one in answers]),
            "line_nos": numbers([one.line_no for one in answers]),
            "states": unquoted([one.state for one in answers]),
            "codes": unquoted([one.code for one in answers]),
            "zh": words([one.zh for one in answers]),
            "en": words([one.en for one in answers]),
            "points": numbers([one.points for one in answers]),
            "subsidies": numbers([one.subsidy_fen for one in answers]),
            "baskets": ids([one.basket for one in answers]),
            "basket_lines": numbers([one.basket_line for one in answers]),
        }
        hot(connection, ANSWER, {"city": city, "upload": upload, **given})
    hot(connection, MOVE, {"city": city, "upload": upload, "more": len(answers), "now": now})


def end(connection: Connection, city: str, upload: str, now: datetime) -> None:
    hot(connection, END, {"city": city, "upload": upload, "now": now})


def forget_rows(
    connection: Connection, city: str, after: str, *, before: datetime, limit: int
) -> tuple[str | None, int]:
    """Deletes the answers of at most `limit` files that were uploaded before a moment: the last of those files, and how many
    answers that were.
    """
    given = {"city": city, "after": after, "before": before, "limit": limit}
    found = [upload for (upload,) in hot(connection, OLD, given)]
    deleted = hot(connection, FORGET, given).rowcount if found else 0
    return (found[-1] if found else None), deleted
