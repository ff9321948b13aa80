"""Finds the resident behind each paper card that tills were shown, and counts what a card credits in a day."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.residents.cards import store
from backend.residents.cards.store import CardUse, KnownCard
from backend.scans.model import Basket


class ShownCard(NamedTuple):
    """A card that a till was shown, by the hash of its number; `home` stands in the number."""

    number_hash: bytes
    home: str


class ShowsCard(Protocol):
    @property
    def basket(self) -> Basket: ...
    @property
    def card(self) -> ShownCard | None: ...


def name_cards(connection: Connection, arrivals: Sequence[ShowsCard], sales_a_day: int) -> None:
    """Names the resident of each basket that shows a card, or why it names none: unknown, blocked when it was sold, or used
    as often as it may be in the day of the sale. A basket that comes again counts once.
    """
    homes: defaultdict[str, list[tuple[Basket, ShownCard]]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.card is not None:
            homes[arrival.card.home].append((arrival.basket, arrival.card))
    for home in sorted(homes):
        _name(connection, home, homes[home], sales_a_day)


def _name(connection: Connection, home: str, shown: Sequence[tuple[Basket, ShownCard]], sales_a_day: int) -> None:
    known = store.lock(connection, home, [card.number_hash for _, card in shown])
    good = []
    for basket, card in shown:
        basket.resident, basket.member_fault = None, _fault(basket, known, card)
        if basket.member_fault is None:
            found = known[card.number_hash]
            use = CardUse(found.card, basket.stream.replace("-", ""), basket.root_seq, civil_date(basket.sold_at_ms))
            good.append((basket, found, use))
    if good:
        _count(connection, home, good, sales_a_day)


def _fault(basket: Basket, known: Mapping[bytes, KnownCard], card: ShownCard) -> str | None:
    found = known.get(card.number_hash)
    if found is None:
        return "card_unknown"
    if found.blocked_at is not None and basket.sold_at_ms >= milliseconds(found.blocked_at):
        return "card_blocked"
    return None


def _count(
    connection: Connection, home: str, good: Sequence[tuple[Basket, KnownCard, CardUse]], sales_a_day: int
) -> None:
    before = store.uses(connection, home, [use for *_, use in good])
    sales = {use[:3] for use in before}
    places = Counter((use.card, use.day) for use in before)
    new: list[tuple[CardUse, int]] = []
    for basket, found, use in good:
        if use[:3] not in sales:
            if places[use.card, use.day] >= sales_a_day:
                basket.member_fault = "card_limit"
                continue
            places[use.card, use.day] += 1
            sales.add(use[:3])
            new.append((use, places[use.card, use.day]))
        basket.resident = found.resident
    if new:
        store.enter(connection, home, new)
