"""Passwords of officials: argon2id by its library's defaults (RFC 9106, the low-memory profile), few at a time."""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.kernel.errors import DomainError

CHARS_MIN, CHARS_MAX = 12, 128
DIFFERENT_CHARS_MIN = 6
ONE_TIME_BYTES = 15
AT_A_TIME = 3
"""Each takes 64 MiB for as long as it takes."""
WAIT_S = 5.0

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_A_TIME)
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$kU1MUVGOPUNiTBtwC+Oi1w$bJI4jiFkMzMZVJCrY6kutiG1Qw6VRMS8GTdcRRj0sX4"
"""What `hashed` makes, of a password that no official has: verified where there is no such official, so that the answer
takes as long. Written here, since making it took every program that starts a tenth of a second.
"""


class PasswordTooWeak(DomainError):
    code = "password-too-weak"
    text_zh = "密码须为 12 至 128 个字符，至少 6 个不同字符，且不含登录名。"
    text_en = "A password has 12 to 128 characters, 6 different ones at least, and does not contain the sign-in name."


class SignInBusy(DomainError):
    code = "sign-in-busy"
    text_zh = "正在登录的人较多，请稍后再试。"
    text_en = "Many people are signing in just now; please try again shortly."


def check_strength(password: str, login: str) -> None:
    """Raises PasswordTooWeak."""
    long_enough = CHARS_MIN <= len(password) <= CHARS_MAX
    if not long_enough or len(set(password)) < DIFFERENT_CHARS_MIN or login.lower() in password.lower():
        raise PasswordTooWeak


def one_time() -> str:
    """A password that an official is handed and must change at the first sign-in."""
    return secrets.token_urlsafe(ONE_TIME_BYTES)


def hashed(password: str) -> str:
    """Raises SignInBusy."""
    _take_turn()
    try:
        return _hasher.hash(password)
    finally:
        _turns.release()


def matches(kept: str | None, password: str) -> bool:
    """False for None too, in the same time. Raises SignInBusy."""
    _take_turn()
    try:
        _hasher.verify(kept or NOBODYS, password[: CHARS_MAX + 1])
    except (VerificationError, InvalidHashError):
        return False
    else:
        return kept is not None
    finally:
        _turns.release()


def _take_turn() -> None:
    if not _turns.acquire(timeout=WAIT_S):
        raise SignInBusy
