"""A resident signs in: an outside identity becomes a session, and on the first day a resident."""

import hmac
import re
from datetime import datetime, timedelta

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.residents import sessions
from backend.residents.queries import Session
from backend.storage.transaction import Database

SESSION_H = 12
TOKEN_CHARS_MIN = 32
DEVELOPMENT = re.compile(r"dev:([^\s\x00-\x1f\x7f]{1,32})")


class SignInRefused(DomainError):
    code = "sign-in-refused"
    text_zh = "登录未成功，请重新登录。"
    text_en = "Signing in did not succeed; please try again."


class ResidentClosed(DomainError):
    code = "resident-closed"
    text_zh = "该账户已注销。"
    text_en = "This account has been closed."


class SignIn:
    """Finds a person by a keyed hash of the outside identity, which itself is stored nowhere."""

    def __init__(self, database: Database, identity_key: bytes, *, development: bool) -> None:
        """`development` accepts codes of the form dev:<name>, which anyone can write."""
        self._database = database
        self._identity_key = identity_key
        self._development = development

    def sign_in(self, code: str, city: str, *, resident: str, token: str, now: datetime) -> Session:
        """Opens a session for `token`. A person who is new joins `city` as `resident`; another keeps the home it has.

        Raises SignInRefused, ResidentClosed.
        """
        identity = self._identity(code)
        newcomer = Session(city, resident, now + timedelta(hours=SESSION_H))
        return self._database.write(lambda connection: _opened(connection, identity, newcomer, token, now))

    def sign_out(self, token: str, now: datetime) -> None:
        """Ends the session of `token`; ending it twice changes nothing."""
        self._database.write(lambda connection: sessions.revoke(connection, token_hash(token), now))

    def _identity(self, code: str) -> bytes:
        if not self._development or not DEVELOPMENT.fullmatch(code):
            raise SignInRefused
        return hmac.digest(self._identity_key, code.encode(), "sha256")


def _opened(connection: Connection, identity: bytes, newcomer: Session, token: str, now: datetime) -> Session:
    home = sessions.home_of(connection, identity)
    if home is None:
        if not sessions.join(connection, identity, newcomer.city, newcomer.resident, now):
            home = sessions.home_of(connection, identity)
        else:
            home = (newcomer.city, newcomer.resident)
    assert home is not None, "an entry that stood in the way of ours is there"
    session = Session(*home, newcomer.expires_at)
    if not sessions.is_active(connection, session.city, session.resident):
        raise ResidentClosed
    sessions.open_session(connection, token_hash(token), session, now)
    return session
