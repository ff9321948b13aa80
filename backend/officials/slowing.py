"""Failed sign-ins make the next ones wait: those of one address, and of everyone who is not on a device of the official's own.

An attacker who fails on purpose, from however many addresses, makes other strangers wait for a minute at most, and never the
official in a browser in which they signed in before. Whoever has the password and guesses codes waits longer.
"""

import hmac
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.storage.columns import octets
from backend.storage.transaction import hot

FORGOTTEN_AFTER = timedelta(days=1)
DOUBLINGS_MAX = 12
FAILURES_MAX = 1_000

# Whoever fails may have typed any name, so the rows are of no city.
FOUND = """
SELECT key, failures, failed_at FROM official_tries
WHERE key = ANY (%(keys)s::bytea[]) AND failed_at > %(since)s FOR UPDATE"""

COUNT = """
INSERT INTO official_tries (key, failures, failed_at) VALUES (%(key)s, 1, %(now)s)
ON CONFLICT (key) DO UPDATE SET failed_at = excluded.failed_at,
  failures = CASE WHEN official_tries.failed_at <= %(since)s THEN 1
    WHEN official_tries.failures < %(failures_max)s THEN official_tries.failures + 1 ELSE official_tries.failures END"""

FORGET = "DELETE FROM official_tries WHERE key = ANY (%(keys)s::bytea[])"


class OfficialSignInSlowed(DomainError):
    code = "official-sign-in-slowed"
    text_zh = "失败次数较多，请 {wait_s} 秒后再试；在您登录过的浏览器上不受他人影响。"
    text_en = (
        "Too many failures: try again in {wait_s} s. A browser in which you signed in before is not slowed by others."
    )


class Bound(NamedTuple):
    """`free` failures cost nothing; each further one doubles the wait, from 2 s up to `wait_max`."""

    free: int
    wait_max: timedelta


KNOWN_DEVICE = Bound(10, timedelta(minutes=5))
ADDRESS = Bound(5, timedelta(minutes=15))
STRANGERS = Bound(50, timedelta(minutes=1))
CODES = Bound(5, timedelta(minutes=15))


class Try(NamedTuple):
    key: bytes
    bound: Bound


def key_of(identity_key: bytes, *parts: str | None) -> bytes:
    """A keyed hash: the table tells nobody which names were tried from where."""
    return hmac.digest(
        identity_key, "\0".join(["tries of officials", *(part or "" for part in parts)]).encode(), "sha256"
    )


def wait(bound: Bound, failures: int, failed_at: datetime, now: datetime) -> timedelta:
    """How long the next try has to wait; zero or less when it may be made."""
    if failures < bound.free:
        return timedelta(0)
    doubled = timedelta(seconds=2 ** min(failures - bound.free + 1, DOUBLINGS_MAX))
    return failed_at + min(doubled, bound.wait_max) - now


def take(connection: Connection, tries: Sequence[Try], now: datetime) -> None:
    """Counts a try as failed before it is made; `forget` undoes that when it succeeds. Raises OfficialSignInSlowed."""
    since = now - FORGOTTEN_AFTER
    keys = octets([one.key for one in tries])
    found = {bytes(key): (failures, at) for key, failures, at in hot(connection, FOUND, {"keys": keys, "since": since})}
    waits = [wait(one.bound, *found[one.key], now) for one in tries if one.key in found]
    longest = max(waits, default=timedelta(0))
    if longest > timedelta(0):
        raise OfficialSignInSlowed(wait_s=math.ceil(longest.total_seconds()))
    for key in sorted(one.key for one in tries):
        hot(connection, COUNT, {"key": key, "now": now, "since": since, "failures_max": FAILURES_MAX})


def forget(connection: Connection, keys: Sequence[bytes]) -> None:
    hot(connection, FORGET, {"keys": octets(keys)})
