"""Baskets of nobody, which whoever holds the claim code on the sales slip may make their own, once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import unquoted
from backend.storage.transaction import hot

# All parts of one basket carry one claim code. Locked, so that two claims of it wait for one another.
BASKETS = """
SELECT basket::text, resident::text, sold_at, store FROM baskets
WHERE city = %(city)s AND claim_sha256 = %(claim)s ORDER BY baskets.basket FOR UPDATE"""

TAKE = """
UPDATE baskets SET resident = %(resident)s::uuid, claimed_elsewhere = store IS DISTINCT FROM %(store)s::text
WHERE city = %(city)s AND basket = ANY(%(baskets)s::uuid[]) AND resident IS NULL"""


class ClaimedBasket(NamedTuple):
    basket: str
    resident: str | None
    sold_at: datetime
    store: str | None


def baskets_of(connection: Connection, city: str, claim: bytes) -> list[ClaimedBasket]:
    """The baskets under a claim code's hash, locked until COMMIT."""
    return [ClaimedBasket(*row) for row in hot(connection, BASKETS, {"city": city, "claim": claim})]


def take(connection: Connection, city: str, baskets: Sequence[str], resident: str, store: str | None) -> int:
    """Gives baskets of nobody to `resident`, who claims them at `store`, None where by phone; how many there were."""
    given = {"city": city, "baskets": unquoted(baskets), "resident": resident, "store": store}
    return hot(connection, TAKE, given).rowcount
