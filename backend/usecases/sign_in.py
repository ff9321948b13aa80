"""A resident signs in: an outside identity becomes a session, and on the first day a resident."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.residents import identities, people, phone_codes, sessions
from backend.residents.identities import identity_hash, mobile_number
from backend.residents.leaving import sealed
from backend.residents.leaving import store as leaving
from backend.residents.leaving.model import caps_of
from backend.residents.queries import Session
from backend.residents.session_life import LONGEST, Way, renewed, unused_until
from backend.residents.standing import ResidentClosed, keep_acting
from backend.storage.transaction import Database
from backend.usecases.wechat import Wechat

DEVELOPMENT = re.compile(r"dev:([^\s\x00-\x1f\x7f]{1,32})")


class SignInRefused(DomainError):
    code = "sign-in-refused"
    text_zh = "登录未成功，请重新登录。"
    text_en = "Signing in did not succeed; please try again."


class PhoneCodeRefused(DomainError):
    code = "phone-code-refused"
    text_zh = "验证码不正确或已失效，请核对；输错五次后须重新获取。"
    text_en = "The code is wrong or out of date; after five wrong ones a new code is needed."


class SignInWayClosed(DomainError):
    code = "sign-in-way-closed"
    text_zh = "本城市尚未开通这种登录方式，请换一种方式登录。"
    text_en = "This way of signing in is not open here; please use another."


class IdentityOfAnother(DomainError):
    code = "identity-of-another"
    text_zh = "该手机号或微信已用于另一个账户，不能绑定；如都是您本人的，可以合并账户。"
    text_en = "This number or WeChat account belongs to another account here; if both are yours, merge them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Of an outside identity: WeChat's code, or a phone (as typed) with the code sent to it."""

    way: Way
    code: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Of a session: its names and token are drawn by the caller. A person who is new joins `city` as `resident`."""

    city: str
    resident: str
    session: str
    token: str
    device: str | None = None


class SignIn:
    """Finds a person by a keyed hash of the outside identity, which itself is stored nowhere."""

    def __init__(self, database: Database, identity_key: bytes, wechat: Wechat | None, *, development: bool) -> None:
        """`wechat` None: that way is closed. `development` accepts dev:<name>, which anyone can write."""
        self._database = database
        self._identity_key = identity_key
        self._wechat = wechat
        self._development = development

    def sign_in(self, proof: Proof, opening: Opening, now: datetime) -> Session:
        """A person who is known keeps the home that they have.

        Raises SignInRefused, SignInWayClosed, PhoneMalformed, PhoneCodeRefused, ResidentClosed, and what WeChat refuses.
        """
        identity = self.identity_of(proof)
        ends_at = now + LONGEST
        expires_at = unused_until(proof.way, now, ends_at)
        newcomer = Session(opening.city, opening.resident, opening.session, proof.way, expires_at, ends_at)

        def enter(connection: Connection) -> Session | None:
            if not self.proved(connection, proof, identity, now):
                return None
            session = _opened(connection, identity, newcomer, opening, now)
            if session.resident == newcomer.resident:
                remember(connection, self._identity_key, identity, session.resident, now)
            return session

        session = self._database.write(enter)
        if session is None:
            raise PhoneCodeRefused
        return session

    def bind(self, proof: Proof, city: str, resident: str, now: datetime) -> None:
        """A further identity by which a signed-in resident will be found; binding it twice changes nothing.

        Raises IdentityOfAnother, SignInRefused, SignInWayClosed, PhoneMalformed, PhoneCodeRefused, and what WeChat refuses.
        """
        self._enter(self.identity_of(proof), city, resident, now, proof)

    def bind_wechat_phone(self, code: str, city: str, resident: str, now: datetime) -> None:
        """The number that WeChat vouches for. Raises IdentityOfAnother, SignInWayClosed, and what WeChat refuses."""
        number = self._open_wechat().phone_number(code)
        self._enter(self._hash(identities.of_phone(number)), city, resident, now, None)

    def renew(self, token: str, session: Session, now: datetime) -> Session | None:
        """The session with its end moved on, when it is time to; None when it was ended meanwhile."""
        later = renewed(session.way, session.expires_at, session.ends_at, now)
        if later is None:
            return session
        lasts = self._database.write(lambda connection: sessions.renew(connection, token_hash(token), later))
        return session._replace(expires_at=later) if lasts else None

    def sign_out(self, token: str, now: datetime) -> None:
        """Ends the session of `token`; ending it twice changes nothing."""
        self._database.write(lambda connection: sessions.revoke(connection, token_hash(token), now))

    def end_session(self, who: Session, session: str, now: datetime) -> bool:
        """Ends another session of the same resident; False when there is none of that name."""
        return self._database.write(
            lambda connection: sessions.revoke_named(connection, who.city, who.resident, session, now)
        )

    def identity_of(self, proof: Proof) -> bytes:
        """The keyed hash of the identity that `proof` speaks of. Raises SignInRefused, SignInWayClosed, PhoneMalformed, and
        what WeChat refuses.
        """
        return self._hash(self._identity(proof))

    def proved(self, connection: Connection, proof: Proof, identity: bytes, now: datetime) -> bool:
        """WeChat has vouched already; a phone's code is tried here. A wrong one costs a try, which must be committed:
        so False, not a refusal.
        """
        if proof.way is not Way.PHONE:
            return True
        code = phone_code_hash(self._identity_key, identity, proof.code)
        return phone_codes.take_code(connection, identity, code, now)

    def _enter(self, identity: bytes, city: str, resident: str, now: datetime, proof: Proof | None) -> None:
        def enter(connection: Connection) -> bool | None:
            if proof is not None and not self.proved(connection, proof, identity, now):
                return None
            keep_acting(connection, city, resident)
            mine = sessions.belongs_to(connection, identity, city, resident)
            if mine:
                remember(connection, self._identity_key, identity, resident, now)
            return mine

        entered = self._database.write(enter)
        if entered is None:
            raise PhoneCodeRefused
        if not entered:
            raise IdentityOfAnother

    def _identity(self, proof: Proof) -> str:
        match proof.way:
            case Way.DEVELOPMENT:
                if not self._development or not DEVELOPMENT.fullmatch(proof.code):
                    raise SignInRefused
                return proof.code
            case Way.PHONE:
                return identities.of_phone(mobile_number(proof.phone or ""))
            case Way.WECHAT:
                wechat = self._open_wechat()
                return identities.of_wechat(wechat.appid, wechat.open_id(proof.code))

    def _open_wechat(self) -> Wechat:
        if self._wechat is None:
            raise SignInWayClosed
        return self._wechat

    def _hash(self, identity: str) -> bytes:
        return identity_hash(self._identity_key, identity)


def phone_code_hash(identity_key: bytes, phone: bytes, code: str) -> bytes:
    """Bound to the phone's own hash, so that six digits cannot be looked up in a table of hashes."""
    return identity_hash(identity_key, f"code:{phone.hex()}:{code}")


def remember(connection: Connection, identity_key: bytes, identity: bytes, resident: str, now: datetime) -> None:
    """One who left within the year and comes back has used of limits what was used before."""
    note = leaving.note(connection, sealed.name_of(identity_key, identity), now)
    if note is not None:
        used = caps_of(sealed.unseal(identity_key, identity, note.sealed))
        leaving.carry(connection, resident, note.departure, used, now)


def _opened(connection: Connection, identity: bytes, newcomer: Session, opening: Opening, now: datetime) -> Session:
    home = sessions.home_of(connection, identity)
    if home is None:
        if not sessions.join(connection, identity, newcomer.city, newcomer.resident, now):
            home = sessions.home_of(connection, identity)
        else:
            home = (newcomer.city, newcomer.resident)
    assert home is not None, "an entry that stood in the way of ours is there"
    # Kept until COMMIT, so that no session is opened for an account that another one absorbs, or that is just closed.
    kept = people.keep(connection, home[0], [home[1]]).get(home[1])
    assert kept is not None, "who is in the directory is on record"
    session = newcomer._replace(city=kept.home.city, resident=kept.home.resident)
    if not kept.is_active:
        raise ResidentClosed
    sessions.open_session(connection, token_hash(opening.token), session, now, device=opening.device)
    return session
