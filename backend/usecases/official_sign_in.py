"""An official signs in: password, then a code of the second factor, then, the first time, a password of their own.

Each step opens a session of its own with a new token and ends the one before, so that a token that was seen earlier opens
nothing later.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.officials import devices, factor, passwords, session_life, slowing, store
from backend.officials.model import Official, Side, Stage
from backend.storage.transaction import Database


class OfficialSignInRefused(DomainError):
    code = "official-sign-in-refused"
    text_zh = "登录名或密码不正确。"
    text_en = "Wrong sign-in name or password."


class OfficialCodeRefused(DomainError):
    code = "official-code-refused"
    text_zh = "动态码不正确，或已用过；请等待下一个。"
    text_en = "The code is wrong or was used before; please wait for the next one."


class PasswordUnchanged(DomainError):
    code = "password-unchanged"
    text_zh = "新密码须与原密码不同。"
    text_en = "The new password must differ from the old one."


class NoPassword(DomainError):
    code = "official-without-password"
    text_zh = "您由本市统一身份认证登录，没有密码可换。"
    text_en = "You sign in by the city's own sign-on: there is no password to change."


class Visitor(NamedTuple):
    """Whence a sign-in comes: a browser's name and an address, as its list will say, and the cookie of a known browser."""

    device: str | None
    address: str | None
    known: str | None


class Opening(NamedTuple):
    """What is made by chance for a new session: its token, its name, a second factor to offer, a browser's cookie."""

    token: str
    session: str
    secret: str
    nonce: bytes
    known: str


class Reached(NamedTuple):
    stage: Stage
    known: str | None
    """The cookie that a browser gets which was not known."""


class OfficialSignIn:
    def __init__(self, database: Database, identity_key: bytes, *, development: bool = False) -> None:
        """`development`: the page shows the code that it asks for, so that a demonstration needs no phone."""
        self._database, self._key, self._development = database, identity_key, development

    def with_password(
        self, side: Side, login: str, password: str, visitor: Visitor, opening: Opening, now: datetime
    ) -> None:
        """`side`: at whose door. Raises OfficialSignInRefused, OfficialSignInSlowed, SignInBusy."""
        with self._database.read() as connection:
            home = store.home_of(connection, login)
            found = None if home is None else store.credentials(connection, *home)
            tries = self._tries(connection, login, home, visitor)
        self._database.write(lambda connection: slowing.take(connection, tries, now))
        good = passwords.matches(None if found is None else found.password_hash, password)
        if home is None or found is None or not good or not _may_enter(found, side):
            raise OfficialSignInRefused
        offered = None if found.factor_sealed else factor.seal(self._key, opening.secret, opening.nonce)

        def begin(connection: Connection) -> None:
            slowing.forget(connection, [tries[0].key])
            _open(connection, home, Stage.PASSWORD, visitor, opening, now, offered=offered)

        self._database.write(begin)

    def offered_secret(self, token: str) -> str | None:
        """What a sign-in sets up as second factor; None where one is set up already."""
        with self._database.read() as connection:
            sealed = store.offered(connection, token_hash(token))
        return None if sealed is None else factor.unseal(self._key, sealed)

    def shown_code(self, official: Official, token: str, now: datetime) -> str | None:
        """For development alone: the next code that would be taken."""
        if not self._development:
            return None
        with self._database.read() as connection:
            found = store.credentials(connection, official.city, official.official)
            sealed = found.factor_sealed or store.offered(connection, token_hash(token))
        return (
            None if sealed is None else factor.next_code(factor.unseal(self._key, sealed), now, after=found.factor_step)
        )

    def with_code(
        self, official: Official, token: str, code: str, visitor: Visitor, opening: Opening, now: datetime
    ) -> Reached:
        """Raises OfficialCodeRefused, OfficialSignInSlowed."""
        home, held = (official.city, official.official), token_hash(token)
        tried = self._try_code(official, visitor, now)

        def enter(connection: Connection) -> Reached:
            found = store.credentials(connection, *home)
            self._take_code(connection, home, found, code, now, offered=store.offered(connection, held))
            stage = Stage.FACTOR if found.password_change else Stage.FULL
            slowing.forget(connection, [tried.key])
            store.revoke(connection, held, now)
            _open(connection, home, stage, visitor, opening, now)
            is_known = _is_known(connection, home, visitor)
            told = {"device": visitor.device, "known": is_known}
            kind = "official" if official.side is Side.CITY else "staff"
            record(connection, Act(What.OFFICIAL_SIGNED_IN, home[0], kind, home[1], now, after=told))
            if is_known:
                return Reached(stage, known=None)
            devices.remember(connection, home, token_hash(opening.known), now)
            return Reached(stage, known=opening.known)

        return self._database.write(enter)

    def with_new_password(
        self, official: Official, password: str, visitor: Visitor, opening: Opening, now: datetime
    ) -> None:
        """Ends every other session. Raises PasswordTooWeak, PasswordUnchanged, NoPassword, SignInBusy."""
        passwords.check_strength(password, official.login)
        home = (official.city, official.official)
        with self._database.read() as connection:
            kept = store.credentials(connection, *home).password_hash
        if kept is None:
            raise NoPassword
        if passwords.matches(kept, password):
            raise PasswordUnchanged
        hashed = passwords.hashed(password)

        def change(connection: Connection) -> None:
            store.set_password(connection, *home, hashed)
            store.revoke_all(connection, *home, now)
            _open(connection, home, Stage.FULL, visitor, opening, now)

        self._database.write(change)

    def prove_again(self, official: Official, token: str, code: str, visitor: Visitor, now: datetime) -> None:
        """A fresh code of the second factor, for what asks for one. Raises OfficialCodeRefused, OfficialSignInSlowed."""
        home = (official.city, official.official)
        tried = self._try_code(official, visitor, now)

        def prove(connection: Connection) -> None:
            self._take_code(connection, home, store.credentials(connection, *home), code, now, offered=None)
            slowing.forget(connection, [tried.key])
            store.prove(connection, token_hash(token), now)

        self._database.write(prove)

    def renew(self, official: Official, token: str, now: datetime) -> None:
        """Moves the end of a session in use on, now and then."""
        later = session_life.renewed(official.stage, official.expires_at, official.ends_at, now)
        if later is not None:
            self._database.write(lambda connection: store.renew(connection, token_hash(token), later))

    def look_at(self, token: str, city: str) -> None:
        self._database.write(lambda connection: store.look_at(connection, token_hash(token), city))

    def sign_out(self, token: str, now: datetime) -> None:
        self._database.write(lambda connection: store.revoke(connection, token_hash(token), now))

    def end_session(self, official: Official, session: str, now: datetime) -> bool:
        """One of the official's own list; False when there is none of that name open."""
        home = (official.city, official.official)
        return self._database.write(lambda connection: store.revoke_named(connection, *home, session, now))

    def _tries(
        self, connection: Connection, login: str, home: tuple[str, str] | None, visitor: Visitor
    ) -> list[slowing.Try]:
        """The first is what a success forgets; of all strangers together every try counts, as most succeed at nothing."""
        if home is not None and _is_known(connection, home, visitor):
            return [slowing.Try(slowing.key_of(self._key, "device", login, visitor.known), slowing.KNOWN_DEVICE)]
        return [
            slowing.Try(slowing.key_of(self._key, "address", login, visitor.address), slowing.ADDRESS),
            slowing.Try(slowing.key_of(self._key, "strangers", login), slowing.STRANGERS),
        ]

    def _try_code(self, official: Official, visitor: Visitor, now: datetime) -> slowing.Try:
        """Codes are guessed by one who has the password: all strangers together, and each known browser by itself."""

        def take(connection: Connection) -> slowing.Try:
            known = visitor.known if _is_known(connection, (official.city, official.official), visitor) else None
            tried = slowing.Try(slowing.key_of(self._key, "code", official.official, known), slowing.CODES)
            slowing.take(connection, [tried], now)
            return tried

        return self._database.write(take)

    def _take_code(
        self,
        connection: Connection,
        home: tuple[str, str],
        found: store.Credentials,
        code: str,
        now: datetime,
        *,
        offered: bytes | None,
    ) -> None:
        sealed = found.factor_sealed or offered
        step = (
            None
            if sealed is None
            else factor.step_of(factor.unseal(self._key, sealed), code, now, after=found.factor_step)
        )
        if sealed is None or step is None:
            raise OfficialCodeRefused
        enrols = found.factor_sealed is None
        taken = store.set_factor(connection, *home, sealed, step) if enrols else store.use_step(connection, *home, step)
        if not taken:
            raise OfficialCodeRefused


def _may_enter(found: store.Credentials, side: Side) -> bool:
    """At the door of the other side it is as if there were no such account."""
    return found.disabled_at is None and (found.retailer is None) == (side is Side.CITY)


def _is_known(connection: Connection, home: tuple[str, str], visitor: Visitor) -> bool:
    return visitor.known is not None and devices.is_known(connection, home, token_hash(visitor.known))


def _open(
    connection: Connection,
    home: tuple[str, str],
    stage: Stage,
    visitor: Visitor,
    opening: Opening,
    now: datetime,
    *,
    offered: bytes | None = None,
) -> None:
    session = store.NewSession(
        token_hash(opening.token),
        *home,
        opening.session,
        stage,
        visitor.device,
        visitor.address,
        offered,
        *session_life.ends(stage, now),
    )
    store.open_session(connection, session, now)
