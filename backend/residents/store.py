from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from backend.storage.columns import ids, numbers, octets
from backend.storage.transaction import hot

USE_CODES = """
UPDATE member_codes m SET used_stream = t.stream, used_seq = t.seq
FROM unnest(%(handles)s::bytea[], %(streams)s::uuid[], %(seqs)s::bigint[]) WITH ORDINALITY t(handle, stream, seq, place)
WHERE m.city = %(city)s AND m.handle = ANY(%(handles)s::bytea[]) AND m.handle = t.handle
  AND (m.used_seq IS NULL OR (m.used_stream = t.stream AND m.used_seq = t.seq))
RETURNING t.place, m.resident::text, (date_part('epoch', m.expires_at) * 1000)::bigint"""

LOOK_AT_CODE = """
SELECT resident::text, (date_part('epoch', expires_at) * 1000)::bigint, used_seq IS NOT NULL FROM member_codes
WHERE city = %(city)s AND handle = %(handle)s"""

KNOWN_CODES = """
SELECT handle FROM member_codes WHERE city = %(city)s AND handle = ANY(%(handles)s::bytea[])"""

ISSUE_CODE = """
INSERT INTO member_codes (city, handle, resident, expires_at) VALUES (%(city)s, %(handle)s, %(resident)s, %(expires)s)"""


class ShownCode(msgspec.Struct, frozen=True, gc=False):
    """A member code in a basket: `seq` is that of the first part, so that continuations may show it again."""

    handle: bytes
    stream: str
    seq: int


class CodeUse(msgspec.Struct, frozen=True, gc=False):
    resident: str
    expires_at_ms: int


def use_codes(connection: Connection, home: str, shown: Sequence[ShownCode]) -> dict[ShownCode, CodeUse]:
    """Spends each code for the basket that shows it. A code spent by another basket, or unknown, is absent.

    Of two baskets that show one code, the database takes either; the other is absent.
    """
    rows = hot(
        connection,
        USE_CODES,
        {
            "city": home,
            "handles": octets([code.handle for code in shown]),
            "streams": ids([code.stream for code in shown]),
            "seqs": numbers([code.seq for code in shown]),
        },
    ).fetchall()
    return {shown[place - 1]: CodeUse(resident, expires) for place, resident, expires in rows}


def look_at_code(connection: Connection, home: str, handle: bytes) -> tuple[CodeUse, bool] | None:
    """Whose a code is and whether a basket has used it, without using it; None when it is unknown."""
    row = hot(connection, LOOK_AT_CODE, {"city": home, "handle": handle}).fetchone()
    return None if row is None else (CodeUse(row[0], row[1]), row[2])


def known_codes(connection: Connection, home: str, handles: Sequence[bytes]) -> frozenset[bytes]:
    return frozenset(handle for (handle,) in hot(connection, KNOWN_CODES, {"city": home, "handles": octets(handles)}))


def issue_code(connection: Connection, city: str, handle: bytes, resident: str, expires_at: datetime) -> None:
    hot(connection, ISSUE_CODE, {"city": city, "handle": handle, "resident": resident, "expires": expires_at})
