"""Writes of agreements, with the resident's row locked by the caller (`standing_of`)."""

from datetime import datetime

from sqlalchemy import Connection

from backend.residents.consents.model import ConsentText, GivenBy, Purpose
from backend.storage.transaction import hot

KEEP_TEXT = """
INSERT INTO consent_texts (city, sha256, purpose, version, text_zh, text_en, stored_at)
VALUES (%(city)s, %(sha256)s, %(purpose)s, %(version)s, %(zh)s, %(en)s, %(now)s) ON CONFLICT DO NOTHING"""

LAST_NUMBER = """
SELECT coalesce(max(number), 0) FROM consent_history WHERE city = %(city)s AND resident = %(resident)s"""

ADD = """
INSERT INTO consent_history (city, resident, number, purpose, given, given_by, text_sha256, at)
VALUES (%(city)s, %(resident)s, %(number)s, %(purpose)s, %(given)s, %(given_by)s, %(sha256)s, %(now)s)"""

ADD_WARD = """
INSERT INTO guardian_consents (city, ward, resident, guardian_city, guardian, text_sha256, given_at)
VALUES (%(city)s, %(ward)s, %(resident)s, %(guardian_city)s, %(guardian)s, %(sha256)s, %(now)s)"""

END_WARD = """
UPDATE guardian_consents SET withdrawn_at = %(now)s
WHERE city = %(city)s AND ward = %(ward)s AND guardian_city = %(guardian_city)s AND guardian = %(guardian)s
  AND withdrawn_at IS NULL RETURNING resident::text"""

END_WARDS = """
UPDATE guardian_consents SET withdrawn_at = %(now)s
WHERE city = %(city)s AND guardian = %(guardian)s AND withdrawn_at IS NULL RETURNING resident::text"""

# Nobody is their own guardian.
GIVE_WARDS = """
UPDATE guardian_consents SET guardian_city = %(home)s, guardian = %(to)s
WHERE city = %(city)s AND guardian = %(guardian)s AND resident <> %(to)s AND withdrawn_at IS NULL"""

END_GUARDIANS = """
UPDATE guardian_consents SET withdrawn_at = %(now)s
WHERE city = %(city)s AND (resident = %(child)s OR guardian = %(child)s) AND withdrawn_at IS NULL"""

HAS_GUARDIAN = """
SELECT EXISTS (SELECT FROM guardian_consents
               WHERE city = %(city)s AND resident = %(resident)s AND withdrawn_at IS NULL)"""

FORGET_CODES = "DELETE FROM counter_codes WHERE city = %(city)s AND resident = %(resident)s AND kind = %(kind)s"

PUT_CODE = """
INSERT INTO counter_codes (city, code_hash, kind, resident, expires_at)
VALUES (%(city)s, %(code)s, %(kind)s, %(resident)s, %(expires_at)s)"""

TAKE_CODE = """
DELETE FROM counter_codes WHERE city = %(city)s AND code_hash = %(code)s AND kind = %(kind)s
RETURNING resident::text, expires_at"""


def keep_text(connection: Connection, city: str, text: ConsentText, now: datetime) -> None:
    given = {"city": city, "sha256": text.sha256, "purpose": text.purpose, "version": text.version}
    hot(connection, KEEP_TEXT, {**given, "zh": text.zh, "en": text.en, "now": now})


def add(
    connection: Connection,
    city: str,
    resident: str,
    purpose: Purpose,
    *,
    given: bool,
    given_by: GivenBy,
    text_sha256: bytes,
    now: datetime,
) -> None:
    who = {"city": city, "resident": resident}
    last = hot(connection, LAST_NUMBER, who).fetchone()
    assert last is not None
    line = {"number": last[0] + 1, "purpose": purpose.value, "given": given, "given_by": given_by.value}
    hot(connection, ADD, {**who, **line, "sha256": text_sha256, "now": now})


def add_ward(
    connection: Connection, city: str, ward: str, resident: str, guardian: tuple[str, str], sha256: bytes, now: datetime
) -> None:
    """`guardian`: home city and id."""
    of_guardian = {"guardian_city": guardian[0], "guardian": guardian[1]}
    hot(
        connection,
        ADD_WARD,
        {"city": city, "ward": ward, "resident": resident, "sha256": sha256, "now": now, **of_guardian},
    )


def end_ward(connection: Connection, city: str, ward: str, guardian: tuple[str, str], now: datetime) -> str | None:
    """The child whose guardian has withdrawn; None when there is no such agreement of theirs."""
    asked = {"city": city, "ward": ward, "guardian_city": guardian[0], "guardian": guardian[1], "now": now}
    row = hot(connection, END_WARD, asked).fetchone()
    return None if row is None else str(row[0])


def end_wards(connection: Connection, city: str, guardian: str, now: datetime) -> list[str]:
    """Children whose home is `city` and whose guardian has left, in order."""
    return sorted({child for (child,) in hot(connection, END_WARDS, {"city": city, "guardian": guardian, "now": now})})


def give_wards(connection: Connection, city: str, guardian: str, to: tuple[str, str], now: datetime) -> None:
    """Two accounts become one: children of `guardian` are those of `to` (home city and id). Whose own guardian agreed for the
    account that is no more has to ask again.
    """
    hot(connection, GIVE_WARDS, {"city": city, "guardian": guardian, "home": to[0], "to": to[1]})
    hot(connection, END_GUARDIANS, {"city": city, "child": guardian, "now": now})


def has_guardian(connection: Connection, city: str, resident: str) -> bool:
    row = hot(connection, HAS_GUARDIAN, {"city": city, "resident": resident}).fetchone()
    return row is not None and bool(row[0])


def put_code(connection: Connection, city: str, kind: str, resident: str, code: bytes, expires_at: datetime) -> None:
    """In place of the resident's last one of its kind."""
    hot(connection, FORGET_CODES, {"city": city, "resident": resident, "kind": kind})
    given = {"city": city, "resident": resident, "kind": kind, "code": code, "expires_at": expires_at}
    hot(connection, PUT_CODE, given)


def take_code(connection: Connection, city: str, kind: str, code: bytes, now: datetime) -> str | None:
    """Whose code it is; it is then gone. None when it is unknown or out of date."""
    row = hot(connection, TAKE_CODE, {"city": city, "kind": kind, "code": code}).fetchone()
    return None if row is None or row[1] <= now else str(row[0])
