"""An official signs in by their city's own sign-on, which takes the place of the password; our second factor stays."""

from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.officials import factor, session_life, store
from backend.officials.model import Stage
from backend.storage.transaction import Database
from backend.usecases.official_sign_in import Opening, Visitor


class SignOnAway(DomainError):
    code = "sign-on-away"
    text_zh = "本市统一身份认证暂时连接不上，请稍后再试，或用密码登录。"
    text_en = "The city's sign-on cannot be reached; try again shortly, or use a password."


class SignOnRefused(DomainError):
    code = "sign-on-refused"
    text_zh = "本市统一身份认证没有确认您的身份，请重新登录。"
    text_en = "The city's sign-on did not confirm who you are; please sign in again."


class SignOnUnknown(DomainError):
    code = "sign-on-unknown"
    text_zh = "您的身份已确认，但没有登记为本市控制台人员，请联系本市管理员。"
    text_en = "You are who you say, but no official of this city's console; ask its administrator."


class Identity(NamedTuple):
    """Who is there, in the provider's words: `subject` never changes hands, `login` is our sign-in name."""

    city: str
    subject: str
    login: str


class Started(NamedTuple):
    """A sign-on under way: where the browser goes, and what it has to bring back."""

    address: str
    state: str
    nonce: str
    verifier: str


class Provider(Protocol):
    def start(self, state: str, nonce: str, verifier: str) -> Started: ...

    def identity(self, code: str, started: Started, now: datetime) -> Identity: ...


class SignOn:
    def __init__(self, database: Database, identity_key: bytes) -> None:
        self._database, self._key = database, identity_key

    def enter(self, identity: Identity, visitor: Visitor, opening: Opening, now: datetime) -> None:
        """Opens a session that still asks for the second factor.

        The first time, the official's account is bound to the subject, and a password no longer opens it.
        Raises SignOnUnknown.
        """

        def work(connection: Connection) -> None:
            home = store.home_of(connection, identity.login)
            if home is None or home[0] != identity.city:
                raise SignOnUnknown
            if not store.bind_subject(connection, *home, identity.subject):
                raise SignOnUnknown
            sealed = store.credentials(connection, *home).factor_sealed
            offered = None if sealed else factor.seal(self._key, opening.secret, opening.nonce)
            session = store.NewSession(
                token_hash(opening.token),
                *home,
                opening.session,
                Stage.PASSWORD,
                visitor.device,
                visitor.address,
                offered,
                *session_life.ends(Stage.PASSWORD, now),
            )
            store.open_session(connection, session, now)

        self._database.write(work)
