"""The code that a resident shows at a till: signed by the home city, good for one basket within two minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.residents import people, store
from backend.residents.member_code import VALID_S_MAX, MemberCode, encode
from backend.residents.people import Home
from backend.storage.transaction import Database


class IssuedCode(NamedTuple):
    text: str
    expires_at: datetime


class IssueMemberCode:
    def __init__(self, database: Database, sign: Callable[[bytes], bytes], key_id: str) -> None:
        """`sign` is the city's member-code key, whose public half the tills hold under `key_id`."""
        self._database = database
        self._sign = sign
        self._key_id = key_id

    def issue(self, city: str, resident: str, *, handle: bytes, now: datetime) -> IssuedCode:
        """A code valid from now for 120 s, rounded down to the second; `handle` is 128 random bits and means nothing.

        Raises ResidentClosed, GuardianConsentNeeded.
        """
        expires_at = (now + timedelta(seconds=VALID_S_MAX)).replace(microsecond=0)

        def entered(connection: Connection) -> None:
            person = people.keep_acting(connection, Home(city, resident))
            store.issue_code(connection, city, handle, person.resident, expires_at)

        self._database.write(entered)
        code = MemberCode(self._key_id, city, handle, int(expires_at.timestamp()))
        return IssuedCode(encode(code, self._sign), expires_at)
