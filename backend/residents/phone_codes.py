"""Codes sent to phones: one at a time a phone, few a day, few tries a code. Writes in somebody else's transaction."""

import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, day_start_ms, milliseconds
from backend.storage.transaction import hot

GOOD_FOR = timedelta(minutes=5)
AGAIN_AFTER = timedelta(seconds=60)
SENT_A_DAY_MAX = 5
TRIES_MAX = 5

# A phone names no city, so its row is found across cities.
PUT = """
INSERT INTO phone_codes (phone_hash, code_hash, sent_at, expires_at, tries, day, sent)
VALUES (%(phone)s, %(code)s, %(now)s, %(expires_at)s, 0, %(day)s, 1)
ON CONFLICT (phone_hash) DO UPDATE SET code_hash = excluded.code_hash, sent_at = excluded.sent_at,
  expires_at = excluded.expires_at, used_at = NULL, tries = 0, day = excluded.day,
  sent = CASE WHEN phone_codes.day = excluded.day THEN phone_codes.sent + 1 ELSE 1 END
WHERE phone_codes.sent_at <= %(again)s AND (phone_codes.day <> excluded.day OR phone_codes.sent < %(sent_max)s)
RETURNING sent"""

SENT = "SELECT sent_at, day, sent FROM phone_codes WHERE phone_hash = %(phone)s"

TRY = """
UPDATE phone_codes SET tries = tries + 1
WHERE phone_hash = %(phone)s AND used_at IS NULL AND expires_at > %(now)s AND tries < %(tries_max)s
RETURNING code_hash"""

USE = "UPDATE phone_codes SET used_at = %(now)s WHERE phone_hash = %(phone)s"


class PhoneCodeTooSoon(DomainError):
    code = "phone-code-too-soon"
    text_zh = "验证码刚刚发出，请 {wait_s} 秒后再试。"
    text_en = "A code was sent just now; please try again in {wait_s} seconds."


class PhoneCodesUsedUp(DomainError):
    code = "phone-codes-used-up"
    text_zh = "该手机号今天的验证码已发完，请明天再试。"
    text_en = "No more codes can be sent to this number today; please try again tomorrow."


class _Sent(NamedTuple):
    sent_at: datetime
    day: object
    sent: int


def put_code(connection: Connection, phone: bytes, code: bytes, now: datetime) -> None:
    """A new code, both by their keyed hashes, in place of the last. Raises PhoneCodeTooSoon, PhoneCodesUsedUp."""
    asked = {
        "phone": phone,
        "code": code,
        "now": now,
        "expires_at": now + GOOD_FOR,
        "again": now - AGAIN_AFTER,
        "day": civil_date(milliseconds(now)),
        "sent_max": SENT_A_DAY_MAX,
    }
    if hot(connection, PUT, asked).fetchone() is None:
        _refuse(connection, phone, now)


def take_code(connection: Connection, phone: bytes, code: bytes, now: datetime) -> bool:
    """Whether `code` is the phone's; it is then used. A wrong one costs a try, so the caller must commit either way."""
    row = hot(connection, TRY, {"phone": phone, "now": now, "tries_max": TRIES_MAX}).fetchone()
    if row is None or not hmac.compare_digest(bytes(row[0]), code):
        return False
    hot(connection, USE, {"phone": phone, "now": now})
    return True


def _refuse(connection: Connection, phone: bytes, now: datetime) -> None:
    row = hot(connection, SENT, {"phone": phone}).fetchone()
    assert row is not None, "a row stood in the way"
    last = _Sent(*row)
    if last.day == civil_date(milliseconds(now)) and last.sent >= SENT_A_DAY_MAX:
        tomorrow_ms = day_start_ms(civil_date(milliseconds(now)) + timedelta(days=1))
        raise PhoneCodesUsedUp(wait_s=(tomorrow_ms - milliseconds(now)) // 1_000 + 1)
    raise PhoneCodeTooSoon(wait_s=max(1, round((last.sent_at + AGAIN_AFTER - now).total_seconds())))
