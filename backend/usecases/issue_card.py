"""A paper card is issued at a service counter, blocked when it is lost, and merged by who holds its sheet."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.errors import DomainError
from backend.residents import identities, people, sessions
from backend.residents.cards import store
from backend.residents.cards.number import CardNumber
from backend.residents.cards.store import NewCard
from backend.residents.identities import identity_hash, mobile_number
from backend.residents.people import Home
from backend.usecases.sign_in import remember

LOST, REPLACED = "lost", "replaced"


class CardUnknown(DomainError):
    code = "card-unknown"
    text_zh = "没有这张有效的会员卡，请核对卡号，或查看是否已挂失、已换卡。"
    text_en = "There is no such card that is good; check its number, or whether it was lost or replaced."


class CardOfAnotherCity(DomainError):
    code = "card-of-another-city"
    text_zh = "账户属于 {city}，请在那里办理会员卡。"
    text_en = "The account is at home in {city}; its card is issued there."


class DrawnCard(NamedTuple):
    """Random parts, drawn by the caller: the card's id and number, the secret of its sheet, a newcomer's id."""

    card: str
    number: CardNumber
    secret: str
    newcomer: str


def issue_card(
    connection: Connection, drawn: DrawnCard, phone: bytes | None, key: bytes, by: str, now: datetime
) -> list[str]:
    """Issues it to the account of a phone (`phone`: its keyed hash), or to a new one that the card alone leads to; the
    cards that it takes the place of.

    Raises ResidentClosed, GuardianConsentNeeded, CardOfAnotherCity.
    """
    number = drawn.number
    identity = identity_hash(key, f"card:{number.number}") if phone is None else phone
    if sessions.join(connection, identity, number.city, drawn.newcomer, now):  # who is known stays who it is
        remember(connection, key, identity, drawn.newcomer, now)
    home = sessions.home_of(connection, identity)
    assert home is not None, "entered by us or before us"
    person = people.keep_acting(connection, people.survivor_of(connection, Home(*home)))
    if person.city != number.city:
        raise CardOfAnotherCity(city=person.city)
    replaced = store.block_all(connection, number.city, person.resident, REPLACED, now)
    new = NewCard(drawn.card, number.hashed, secret_hash(drawn.secret), number.ending, person.resident, by)
    store.issue(connection, number.city, new, now)
    after = {"ending": number.ending, "by": by, "replaces": len(replaced)}
    record(connection, Act(What.CARD_ISSUED, number.city, "card", drawn.card, now, after=after))
    return replaced


def block_card(connection: Connection, number: CardNumber, by: str, now: datetime) -> None:
    """An official blocks a card that was reported lost. Raises CardUnknown."""
    owner = store.owner(connection, number.city, number.hashed)
    if owner is None or not store.block(connection, number.city, owner[1], owner[0], LOST, now):
        raise CardUnknown
    _blocked(connection, number.city, owner[0], by, now)


def block_cards_of(connection: Connection, city: str, phone: bytes, by: str, now: datetime) -> int:
    """The same for all cards of the account of a phone: its number is not at hand when a card is lost. Raises CardUnknown."""
    home = sessions.home_of(connection, phone)
    person = None if home is None else people.survivor_of(connection, Home(*home))
    blocked = [] if person is None else store.block_all(connection, city, person.resident, LOST, now)
    for card in blocked:
        _blocked(connection, city, card, by, now)
    if not blocked:
        raise CardUnknown
    return len(blocked)


def block_own_card(connection: Connection, who: Home, card: str, now: datetime) -> None:
    """Its resident says that it is lost. Raises CardUnknown."""
    person = people.keep_acting(connection, who)
    cities = sorted(people.homes_of(connection, person))
    # An id is one city's: the first that knows it is the only one.
    if not any(store.block(connection, city, person.resident, card, LOST, now) for city in cities):
        raise CardUnknown


def phone_hash(key: bytes, typed: str) -> bytes:
    """Raises PhoneMalformed."""
    return identity_hash(key, identities.of_phone(mobile_number(typed)))


def secret_hash(secret: str) -> bytes:
    return hashlib.sha256(b"card\0" + secret.encode("ascii")).digest()


def _blocked(connection: Connection, city: str, card: str, by: str, now: datetime) -> None:
    after = {"state": "blocked", "by": by}
    record(connection, Act(What.CARD_BLOCKED, city, "card", card, now, before={"state": "good"}, after=after))
