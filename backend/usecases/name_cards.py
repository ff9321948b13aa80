"""Finds the resident behind each paper card that a shop was shown, and counts what a card credits in a day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.residents.cards import store
from backend.residents.cards.store import CardUse, KnownCard
from backend.scans.model import Basket

CARD_SALES_A_DAY = 10


class ShownCard(NamedTuple):
    """A card that a shop was shown, by the hash of its number; `home` stands in the number."""

    number_hash: bytes
    home: str


class ShowsCard(Protocol):
    @property
    def basket(self) -> Basket: ...
    @property
    def card(self) -> ShownCard | None: ...


class CardSale(NamedTuple):
    """The sale that a card is shown for: `stream` and `seq` name it, shown again it is the same one."""

    number_hash: bytes
    stream: str
    seq: int
    at_ms: int


class Named(NamedTuple):
    """Whose the card is, or why it names nobody: card_unknown, card_blocked, card_limit."""

    resident: str | None
    fault: str | None


def name_cards(connection: Connection, arrivals: Sequence[ShowsCard], sales_a_day: int, *, counts: bool = True) -> None:
    """Names the resident of each basket that shows a card, or why it names none: unknown, blocked when it was sold, or used
    as often as it may be in the day of the sale. A basket that comes again counts once, without `counts` none does.
    """
    homes: defaultdict[str, list[tuple[Basket, CardSale]]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.card is not None:
            basket = arrival.basket
            sale = CardSale(arrival.card.number_hash, basket.stream, basket.root_seq, basket.sold_at_ms)
            homes[arrival.card.home].append((basket, sale))
    for home in sorted(homes):
        named = owners_of(connection, home, [sale for _, sale in homes[home]], sales_a_day, counts=counts)
        for (basket, _), one in zip(homes[home], named, strict=True):
            basket.resident, basket.member_fault = one


def owners_of(
    connection: Connection, home: str, sales: Sequence[CardSale], sales_a_day: int, *, counts: bool = True
) -> list[Named]:
    """By sale, whose card of the city `home` it was; with `counts` the cards are the caller's alone until COMMIT."""
    known = store.find(connection, home, [sale.number_hash for sale in sales], alone=counts)
    shown = [(known.get(sale.number_hash), sale) for sale in sales]
    asked = [_use(card, sale) for card, sale in shown if card is not None]
    credit = _Credit(store.uses(connection, home, asked) if asked else set(), sales_a_day)
    named = [_named(card, sale, credit) for card, sale in shown]
    if credit.new and counts:
        store.enter(connection, home, credit.new)
    return named


class _Credit:
    """What cards were used for in a day, and what they are used for now: `new`, each with its place in the day."""

    def __init__(self, before: Collection[CardUse], sales_a_day: int) -> None:
        self._sales_a_day = sales_a_day
        self._places = Counter((use.card, use.day) for use in before)
        self._credited = {use[:3] for use in before}
        self.new: list[tuple[CardUse, int]] = []

    def is_left(self, use: CardUse) -> bool:
        """Whether this sale is one of those that the card credits in the day, or was before."""
        if use[:3] in self._credited:
            return True
        if self._places[use.card, use.day] >= self._sales_a_day:
            return False
        self._places[use.card, use.day] += 1
        self._credited.add(use[:3])
        self.new.append((use, self._places[use.card, use.day]))
        return True


def _named(card: KnownCard | None, sale: CardSale, credit: _Credit) -> Named:
    if card is None:
        return Named(None, "card_unknown")
    if card.blocked_at is not None and sale.at_ms >= milliseconds(card.blocked_at):
        return Named(None, "card_blocked")
    return Named(card.resident, None) if credit.is_left(_use(card, sale)) else Named(None, "card_limit")


def _use(card: KnownCard, sale: CardSale) -> CardUse:
    return CardUse(card.card, sale.stream.replace("-", ""), sale.seq, civil_date(sale.at_ms))
