"""Residents are told 30 and 7 days before points end, by a subscribe message that they granted: once for each end."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, day_start_ms, instant, milliseconds
from backend.policies.words import amount_words
from backend.residents import people, sessions
from backend.residents.consents import queries as consents
from backend.residents.consents.model import Purpose
from backend.residents.identities import identity_hash, of_wechat
from backend.residents.notices import store
from backend.residents.notices.seal import WrongKey, seal, unseal
from backend.residents.notices.store import After, DueNotice, NoticeKey
from backend.residents.people import Home
from backend.storage.transaction import Database
from backend.usecases.sign_in import SignInWayClosed
from backend.usecases.wechat import NoticeRefused, WechatAway, WechatBusy

DAYS_BEFORE = (7, 30)
"""The nearer first: what ends within 7 days is told once, not twice."""
BATCH = 200
"""Looked up at once."""
RUN_MAX = 5_000
"""Sent in one run, which should be over before the next is due: runs begin in the daytime alone, and nobody is woken."""
THING_CHARS_MAX = 20
"""WeChat refuses a longer text of the kind `thing` (47003)."""


class NoticeSender(Protocol):
    def send_notice(self, open_id: str, template: str, facts: Mapping[str, str]) -> None: ...


class OpenIds(Protocol):
    @property
    def appid(self) -> str: ...

    def open_id(self, code: str) -> str: ...


class WechatNotBound(DomainError):
    """Else whoever gets a resident to press a button would read of their points."""

    code = "wechat-not-bound"
    text_zh = "这个微信没有绑定您的账户；请先用它登录，或在小程序里绑定。"
    text_en = "This WeChat does not belong to your account; sign in by it first, or add it in the mini-program."


class Sent(NamedTuple):
    """`unsure`: WeChat did not answer, so it is not sent again; `waiting`: it was busy or not reached, and is tried again."""

    sent: int = 0
    refused: int = 0
    unsure: int = 0
    waiting: int = 0

    def plus(self, other: "Sent") -> "Sent":
        return Sent(*(one + more for one, more in zip(self, other, strict=True)))


class GrantNotices:
    """What a resident grants in the mini-program (`wx.requestSubscribeMessage`), one notice a grant."""

    def __init__(self, database: Database, identity_key: bytes, wechat: OpenIds | None) -> None:
        self._database = database
        self._identity_key = identity_key
        self._wechat = wechat

    def grant(self, city: str, resident: str, home: str, code: str, nonce: bytes, now: datetime) -> int:
        """How many notices may be sent by now. `code` of wx.login says to whom; `nonce`: 12 random bytes.

        Raises SignInWayClosed, WechatNotBound, ResidentClosed, GuardianConsentNeeded, and what WeChat refuses.
        """
        if self._wechat is None:
            raise SignInWayClosed
        open_id = self._wechat.open_id(code)
        identity = identity_hash(self._identity_key, of_wechat(self._wechat.appid, open_id))
        sealed = seal(self._identity_key, open_id, nonce)

        def work(connection: Connection) -> int:
            who = people.keep_acting(connection, Home(home, resident))
            bound = sessions.home_of(connection, identity)
            if bound is None or people.survivor_of(connection, Home(*bound)) != Home(who.city, who.resident):
                raise WechatNotBound
            return store.grant(connection, city, who.resident, who.city, sealed, now)

        return self._database.write(work)

    def withdraw(self, city: str, resident: str) -> None:
        self._database.write(lambda connection: store.withdraw(connection, city, resident))


class SendNotices:
    """Safe to run twice at once and to be killed at any moment: a notice is claimed, and its grant spent, before it is sent."""

    def __init__(self, database: Database, identity_key: bytes, sender: NoticeSender, template: str) -> None:
        self._database = database
        self._identity_key = identity_key
        self._sender = sender
        self._template = template

    def send(self, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> Sent:
        """What is due in `city`, at most RUN_MAX; it ends early when `stopping`, or when WeChat is busy or not reached."""
        done, today = Sent(), civil_date(milliseconds(now))
        after = now
        for days in DAYS_BEFORE:
            until = instant(day_start_ms(today + timedelta(days=days + 1)))
            for one in self._due(city, days, After(after), until):
                if stopping() or done.waiting or sum(done) >= RUN_MAX:
                    return done
                done = done.plus(self._send(city, one, days, now))
            after = until
        return done

    def _due(self, city: str, days: int, after: After, until: datetime) -> Iterator[DueNotice]:
        """Page by page: those who may not be told any more keep nobody behind them from it."""
        while True:
            with self._database.read() as connection:
                found = store.due(connection, city, days, after, until, BATCH)
            yield from found
            if len(found) < BATCH:
                return
            after = After(found[-1].ends_at, found[-1].resident)

    def _send(self, city: str, one: DueNotice, days: int, now: datetime) -> Sent:
        key = NoticeKey(one.resident, civil_date(milliseconds(one.ends_at) - 1), days)
        sealed = self._database.write(lambda connection: _claimed(connection, city, one, key, now))
        if sealed is None:
            return Sent()
        try:
            self._sender.send_notice(unseal(self._identity_key, sealed), self._template, facts_of(one, key.last_day))
        except WechatBusy:  # it refused before it looked
            return self._again(city, key)
        except (NoticeRefused, WrongKey):
            self._settle(city, key, "refused", now)
            self._database.write(lambda connection: store.use_up(connection, city, key.resident))
            return Sent(refused=1)
        except WechatAway as away:
            if away.is_unsent:
                return self._again(city, key)
            self._settle(city, key, "unsure", now)
            return Sent(unsure=1)
        self._settle(city, key, "sent", now)
        return Sent(sent=1)

    def _again(self, city: str, key: NoticeKey) -> Sent:
        self._database.write(lambda connection: store.release(connection, city, key))
        return Sent(waiting=1)

    def _settle(self, city: str, key: NoticeKey, state: str, now: datetime) -> None:
        self._database.write(lambda connection: store.settle(connection, city, key, state, now))


def _claimed(connection: Connection, city: str, one: DueNotice, key: NoticeKey, now: datetime) -> bytes | None:
    """Only while it is agreed to: the resident's row is kept, so that this is the last word."""
    who = people.keep_one(connection, Home(one.home, one.resident))
    agreed = consents.given(consents.agreements(connection, *who).values())
    return store.claim(connection, city, key, now) if Purpose.NOTICES in agreed else None


def facts_of(one: DueNotice, last_day: date) -> dict[str, str]:
    """The keywords of the template: thing1 what ends, time2 its last day, thing3 what to do."""
    said = "、".join(amount_words(unit, amount).zh for unit, amount in sorted(one.amounts.items()))
    thing = said if len(said) <= THING_CHARS_MAX else f"{len(one.amounts)} 种权益"
    return {
        "thing1": thing,
        "time2": f"{last_day.year}年{last_day.month}月{last_day.day}日",
        "thing3": "到期后不能再用，请尽早使用",
    }
