"""A shopper claims a basket with the code on the sales slip: once, in time, decided under the policy of the sale."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.policies.model import Outcome
from backend.residents.claim_code import claim_hash
from backend.scans import claims, pending
from backend.scans.reread import WaitingScan
from backend.storage.transaction import Database
from backend.usecases.decide_again import DecideAgain
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


class ClaimBasket:
    def __init__(self, database: Database, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._again = DecideAgain(database, registry, policies)

    def claim(self, city: str, code: str, resident: str, now: datetime) -> Sequence[str]:
        """The baskets that now belong to `resident`, with every scan of theirs decided again; after COMMIT.

        Claimed by the same resident before, it answers the same and changes nothing. Raises ClaimCodeMalformed,
        ClaimUnknown, ClaimExpired, ClaimSpent.
        """
        claim = claim_hash(code)
        found: list[str] = []

        def find(connection: Connection) -> list[WaitingScan]:
            found[:] = _taken(connection, city, claim, resident, now)
            return pending.waiting_scans(connection, city, found, Outcome.UNCLAIMED.value)

        self._again.decide(city, find, now)
        return found


def _taken(connection: Connection, city: str, claim: bytes, resident: str, now: datetime) -> list[str]:
    baskets = claims.baskets_of(connection, city, claim)
    if not baskets:
        raise ClaimUnknown
    if any(basket.resident not in (None, resident) for basket in baskets):
        raise ClaimSpent
    free = [basket.basket for basket in baskets if basket.resident is None]
    if free:
        if now > min(basket.sold_at for basket in baskets) + timedelta(days=CLAIM_DAYS):
            raise ClaimExpired(days=CLAIM_DAYS)
        claims.take(connection, city, free, resident)
    return [basket.basket for basket in baskets]
