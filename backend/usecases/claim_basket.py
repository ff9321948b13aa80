"""A shopper claims a basket with the code on the sales slip: once, in time, decided under the policy of the sale."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.kernel.periods import milliseconds
from backend.policies.compiled import PolicySet
from backend.policies.model import Outcome
from backend.policies.terms import Claims
from backend.residents import people
from backend.residents import store as resident_store
from backend.residents.cards.number import CardNumber, card_of
from backend.residents.claim_code import claim_hash
from backend.residents.member_code import SHOWN_TOLERANCE_MS, decode
from backend.residents.people import Home
from backend.residents.store import ShownCode
from backend.scans import claims, pending
from backend.scans.decide import Taken
from backend.scans.reread import WaitingScan
from backend.storage.transaction import Database
from backend.usecases.decide_again import DecideAgain
from backend.usecases.name_cards import CARD_SALES_A_DAY, CardSale, owners_of
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup

CLAIM_DAYS = 7
"""Source: product.md D5."""


class ClaimUnknown(DomainError):
    """Also where the basket has not arrived yet from a till without a connection: it may be claimed once it has."""

    code = "claim-unknown"
    text_zh = "没有查到这个领取码；收银台可能尚未联网上传，请稍后再试，或核对城市和号码。"
    text_en = (
        "No basket has this claim code. The till may not have sent it yet: try later, or check the city and the code."
    )


class ClaimExpired(DomainError):
    code = "claim-expired"
    text_zh = "领取码自购买起 {days} 天内有效，已过期。"
    text_en = "A claim code is good for {days} days after the sale; this one is out of date."


class ClaimSpent(DomainError):
    code = "claim-spent"
    text_zh = "这个领取码已被他人领取。"
    text_en = "Somebody else has claimed this basket."


class ClaimInStore(DomainError):
    code = "claim-in-store"
    text_zh = "按政策，这张小票的领取码须在购买的门店领取，请把小票和会员码出示给收银员。"
    text_en = "By its policy this claim code is good in the shop that sold it: show the slip and a member code to the cashier."


class MemberCodeRefused(DomainError):
    code = "member-code-refused"
    text_zh = "会员码无效、已过期或已用过，请顾客在小程序中重新出示。"
    text_en = "The member code is unknown, out of date or used; the customer may show a new one."


class CardRefused(DomainError):
    code = "card-refused"
    text_zh = "这张会员卡没有登记、已经挂失，或今天已记满 {sales_a_day} 笔，请顾客到服务点查询。"
    text_en = (
        "This card is not on record, was lost, or has credited {sales_a_day} sales today; ask at a service counter."
    )


class AtShop(NamedTuple):
    """Where a basket is claimed, and the member code or paper card that its customer shows there, as text."""

    store: str
    member: str


class ClaimBasket:
    def __init__(
        self,
        database: Database,
        registry: RegistryLookup,
        policies: PolicyLookup,
        *,
        card_sales_a_day: int = CARD_SALES_A_DAY,
    ) -> None:
        self._card_sales_a_day = card_sales_a_day
        self._again = DecideAgain(database, registry, policies)

    def claim(self, city: str, code: str, who: Home, now: datetime) -> Sequence[str]:
        """The baskets that now belong to `who`, with every scan of theirs decided again; after COMMIT.

        Claimed by the same resident before, it answers the same and changes nothing. Raises ClaimCodeMalformed,
        ClaimUnknown, ClaimExpired, ClaimSpent, ClaimInStore, ResidentClosed, GuardianConsentNeeded. `home` is `city` when
        left out.
        """
        return self._claimed(
            city, claim_hash(code), lambda connection: people.keep_acting(connection, who).resident, None, now
        )

    def claim_at(self, city: str, code: str, at: AtShop, now: datetime) -> Sequence[str]:
        """The same for the customer who shows a member code at a shop. Raises MemberCodeRefused and CardRefused too."""
        claim = claim_hash(code)
        card = card_of(at.member)

        def whose(connection: Connection) -> str:
            if card is not None:
                return self._holder_of(connection, card, claim, now)
            return _shown_by(connection, at.member, claim, now)

        return self._claimed(city, claim, whose, at.store, now)

    def _holder_of(self, connection: Connection, card: CardNumber, claim: bytes, now: datetime) -> str:
        """Whose the card is; the claim is one of the sales that it credits in a day, shown again for it the same one."""
        sale = CardSale(card.hashed, _stream_of(claim), 0, milliseconds(now))
        (named,) = owners_of(connection, card.city, [sale], self._card_sales_a_day)
        if named.resident is None:
            raise CardRefused(sales_a_day=self._card_sales_a_day)
        return named.resident

    def _claimed(
        self, city: str, claim: bytes, whose: Callable[[Connection], str], store: str | None, now: datetime
    ) -> Sequence[str]:
        found: list[claims.ClaimedBasket] = []

        def find(connection: Connection) -> list[WaitingScan]:
            found[:] = _taken(connection, city, claim, whose(connection), store, now)
            baskets = [one.basket for one in found]
            return as_in_store(pending.waiting_scans(connection, city, baskets, Outcome.UNCLAIMED.value))

        def allow(taken: Taken, policies: PolicySet) -> None:
            if any(one.store != store for one in found) and is_bound(taken, policies):
                raise ClaimInStore

        self._again.decide(city, find, now, allow)
        return [one.basket for one in found]


def _taken(
    connection: Connection, city: str, claim: bytes, resident: str, store: str | None, now: datetime
) -> list[claims.ClaimedBasket]:
    baskets = claims.baskets_of(connection, city, claim)
    if not baskets:
        raise ClaimUnknown
    if any(basket.resident not in (None, resident) for basket in baskets):
        raise ClaimSpent
    free = [basket.basket for basket in baskets if basket.resident is None]
    if free:
        if now > min(basket.sold_at for basket in baskets) + timedelta(days=CLAIM_DAYS):
            raise ClaimExpired(days=CLAIM_DAYS)
        claims.take(connection, city, free, resident, store)
    return baskets


def as_in_store(scans: list[WaitingScan]) -> list[WaitingScan]:
    """The scans as if claimed where they were sold. Where no policy asks for that (`is_bound`), it makes no difference."""
    for scan in scans:
        scan.basket.claimed_elsewhere = False
    return scans


def is_bound(taken: Taken, policies: PolicySet) -> bool:
    """Whether a policy gives something, or would but for a limit, that is claimed in the shop that sold the goods."""
    bound = {one.version for one in policies if one.policy.claims is Claims.SAME_STORE}
    # A limit by what the sale does not state is reckoned after the place of the claim is asked for.
    given = [(one.gross or one.reason == "fact_missing", one.policy_version) for one in taken.decisions]
    given += [(one.gross, one.policy_version) for one in taken.further]
    return any(gross and version in bound for gross, version in given)


def _shown_by(connection: Connection, member: str, claim: bytes, now: datetime) -> str:
    """Whose the code is, spent for this claim alone: shown again for it, it is good again."""
    code = decode(member)
    if code is None:
        raise MemberCodeRefused
    (use,) = resident_store.use_codes(
        connection, code.city, [ShownCode(code.handle, _stream_of(claim), 0)]
    ).values() or (None,)
    if use is None or milliseconds(now) > use.expires_at_ms + SHOWN_TOLERANCE_MS:
        raise MemberCodeRefused
    return use.resident


def _stream_of(claim: bytes) -> str:
    return str(UUID(bytes=claim[:16]))
