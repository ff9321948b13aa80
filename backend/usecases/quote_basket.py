"""What a basket would earn, told before it is paid: as a dry run that stores nothing, or held until it is captured."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from backend.certificates.validity import standing
from backend.kernel.periods import milliseconds
from backend.labels.model import Reading
from backend.labels.parse import parse
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer, TransferRow
from backend.policies.compiled import InForce, PolicySet
from backend.policies.limits import CounterKey
from backend.policies.model import Award
from backend.residents import people
from backend.residents import store as resident_store
from backend.residents.cards.number import card_of
from backend.residents.member_code import decode
from backend.retailers.store import Store, find_store
from backend.scans import quote_store, store
from backend.scans.cashier import SaidLine, said_lines
from backend.scans.decide import Decision, Registry, Taken, decide_baskets, entries_of
from backend.scans.explain import DecidedScan
from backend.scans.model import Basket, Read
from backend.scans.quote_store import QuoteRow
from backend.scans.quotes import (
    QuoteConflict,
    QuotedCounter,
    QuoteIdentity,
    QuoteState,
    basket_to_be,
    identity_of,
)
from backend.scans.redact import redact, seal_of
from backend.scans.sale_time import sale_year
from backend.storage.transaction import Database, pipelined
from backend.usecases.award_postings import transfers_of
from backend.usecases.name_cards import CARD_SALES_A_DAY, ShownCard, name_cards
from backend.usecases.races import LostRace, won
from backend.usecases.record_baskets import Arrival, ShownMember, name_member, name_members
from backend.usecases.take_decisions import (
    Loaded,
    Lookups,
    PolicyLookup,
    RegistryLookup,
    load,
    send_counters,
)

DRY_KEY = "dry run"
RESERVED_STEP, RETURNED_STEP = 1, 2
"""Steps of the postings whose reference is the stream of a quote."""


class QuoteRequest(NamedTuple):
    """What a shop's system asks: `service` is the name of its token, `member` the code or paper card that is shown."""

    service: str
    city: str
    store: str
    reads: tuple[Read, ...]
    member: str | None
    cashier: str | None = None


class Quoted(NamedTuple):
    """`quote` and `expires_at` are None of a dry run. `lines` as quoted, or as captured once it is."""

    quote: str | None
    city: str
    store: str
    state: QuoteState
    quoted_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None
    service: str
    lines: list[SaidLine]


class QuoteBasket:
    """Safe to call from many threads and processes at once."""

    def __init__(
        self,
        database: Database,
        registry: RegistryLookup,
        policies: PolicyLookup,
        *,
        line_key: bytes,
        card_sales_a_day: int = CARD_SALES_A_DAY,
    ) -> None:
        """`line_key` hashes requests that name what is not kept, as it does lines. `card_sales_a_day`: of a paper card, quotes
        that were never paid among them.
        """
        self._card_sales_a_day = card_sales_a_day
        self._database = database
        self._seal = seal_of(line_key)
        self._lookups = Lookups(registry, policies)

    def dry_run(self, request: QuoteRequest, now: datetime) -> Quoted:
        """Nothing is stored, locked or spent. Raises StoreUnknown."""
        identity = identity_of(request.service, request.city, DRY_KEY)
        with self._database.read() as connection:
            shop = find_store(connection, request.city, request.store)
            arrival = _arrival(request, identity, shop, milliseconds(now))
            _look_at_member(connection, arrival, keeps=False)
            name_cards(connection, [arrival], self._card_sales_a_day, counts=False)
            loaded, taken = self._decided(connection, request.city, arrival.basket, now, careful=False)
        in_force = loaded.registry.policies.in_force(arrival.basket.sold_at_ms)
        scans = _scans(arrival.basket, loaded.registry, taken)
        lines = said_lines(scans, loaded.registry.policies, in_force, loaded.limits.used)
        return Quoted(None, request.city, request.store, QuoteState.DRY, now, None, None, request.service, lines)

    def hold(self, request: QuoteRequest, key: str, minutes: int, now: datetime) -> Quoted:
        """The same, held for `minutes`; the same key and content answer with the quote that stands, and reserve once.

        Raises StoreUnknown, QuoteConflict when the key stands for other content, DatabaseBusy.
        """
        identity = identity_of(request.service, request.city, key)
        won(self._database, lambda c, careful: self._held(c, request, identity, minutes, now, careful=careful))
        return self.find(request.city, identity.basket)

    def find(self, city: str, basket: str) -> Quoted:
        """A quote as it stands. Raises QuoteUnknown."""
        with self._database.read() as connection:
            row = quote_store.find(connection, city, basket)
            policies = self._lookups.policies.lookup(connection, city)
            is_captured = row.state == QuoteState.CAPTURED
            scans = (quote_store.captured if is_captured else quote_store.quoted)(connection, city, basket)
            counters = quote_store.counters_of(connection, city, basket)
        used = {key: one.used_before + one.taken for key, one in counters.items()}
        lines = said_lines(scans, policies, promised(policies, row.versions), used)
        state = QuoteState(row.state)
        return Quoted(basket, city, row.store, state, row.sold_at, row.expires_at, row.settled_at, row.service, lines)

    def _held(
        self,
        connection: Connection,
        request: QuoteRequest,
        identity: QuoteIdentity,
        minutes: int,
        now: datetime,
        *,
        careful: bool,
    ) -> None:
        shop = find_store(connection, request.city, request.store)
        arrival = _arrival(request, identity, shop, milliseconds(now))
        basket = arrival.basket
        plain = _request_sha256(request, minutes)
        redact(basket, [_reading(read, basket) for read in basket.reads], self._seal)
        name_members(connection, [arrival])
        name_cards(connection, [arrival], self._card_sales_a_day)
        policies = self._lookups.policies.lookup(connection, request.city)
        versions = _versions(policies, basket)
        # Known to who knows a card's number, the hash would tie together all that its resident buys.
        kept = plain if basket.line is not None and arrival.card is None else self._seal(plain)
        row = _row(basket, request.service, kept, versions, now, now + timedelta(minutes=minutes))
        if not quote_store.open_quote(connection, request.city, row):
            stored = quote_store.find(connection, request.city, basket.basket)
            if stored.request_sha256 not in (plain, self._seal(plain)):
                raise QuoteConflict
            return
        loaded, taken = self._decided(connection, request.city, basket, now, careful=careful)
        if _versions(loaded.registry.policies, basket) != versions:  # published between the two look-ups
            raise LostRace
        _save(connection, request.city, basket, taken, loaded, now)

    def _decided(
        self, connection: Connection, city: str, basket: Basket, now: datetime, *, careful: bool
    ) -> tuple[Loaded, Taken]:
        readings = [[_reading(read, basket) for read in basket.reads]]
        loaded = load(connection, city, [basket], readings, now, lookups=self._lookups, careful=careful)
        return loaded, decide_baskets([basket], loaded.registry, loaded.limits)


def promised(policies: PolicySet, versions: Sequence[str]) -> InForce:
    """The versions that were in force at a quote, whatever has become of them since."""
    return InForce([policy for policy in policies if policy.version in versions])


def quote_line(reads: Sequence[Read]) -> bytes:
    """The canonical bytes of a quoted basket, in the form of a till's line."""
    return orjson.dumps({"reads": [_written(read) for read in reads]})


def reservation(basket: Basket, stream: str, awards: Sequence[TransferRow]) -> list[Transfer]:
    """What moves from each account of the budgets to the quote's own, in place of its awards."""
    sums: dict[str, int] = {}
    for *_, source, _owner, amount in awards:
        sums[source] = sums.get(source, 0) + amount
    transfers = []
    for line, (source, amount) in enumerate(sorted(sums.items())):
        place = chart.place_of(source)
        assert place.policy is not None
        held = chart.reserved(basket.basket, place.policy, place.unit)
        transfers.append(Transfer(stream, RESERVED_STEP, line, Reason.RESERVE.value, place.unit, source, held, amount))
    return transfers


def _save(connection: Connection, city: str, basket: Basket, taken: Taken, loaded: Loaded, now: datetime) -> None:
    """Raises LostRace when a limit no longer holds what was decided."""
    awards = transfers_of(taken, loaded.registry.policies, loaded.shares, loaded.baskets)
    counters = _counters(loaded)
    with pipelined(connection):
        store.write_decisions(connection, city, taken.rows, now, quote_store.DECIDE)
        if taken.further:
            store.save_further_awards(connection, city, taken.further, quote_store.ADD_AWARDS)
        if counters:
            quote_store.save_counters(connection, city, basket.basket, counters)
        counted = send_counters(connection, city, loaded)
        posted = post.send(connection, city, reservation(basket, basket.stream, awards), now)
        claimed = [store.claim_units(connection, city, taken.units, now)] if taken.units else []
    if not all(each.complete for each in (*counted, *posted, *claimed)):
        raise LostRace


def _counters(loaded: Loaded) -> list[QuotedCounter]:
    used: dict[CounterKey, int] = loaded.limits.used
    found = []
    for key in sorted(used):
        before = loaded.counters.get(key, store.NO_COUNTER).used
        if used[key]:
            found.append(QuotedCounter(*key, before, used[key] - before))
    return found


def _row(
    basket: Basket, service: str, request_sha256: bytes, versions: tuple[str, ...], now: datetime, expires_at: datetime
) -> QuoteRow:
    assert basket.store is not None
    assert basket.district is not None
    return QuoteRow(
        basket.basket,
        basket.device,
        basket.stream,
        service,
        request_sha256,
        basket.line,
        basket.store,
        basket.district,
        basket.resident,
        basket.cashier,
        versions,
        now,
        expires_at,
        QuoteState.HELD.value,
    )


def _versions(policies: PolicySet, basket: Basket) -> tuple[str, ...]:
    return tuple(policy.version for policy in policies.in_force(basket.sold_at_ms).policies)


def _arrival(request: QuoteRequest, identity: QuoteIdentity, shop: Store, now_ms: int) -> Arrival:
    basket = basket_to_be(identity, request.reads, quote_line(request.reads), shop.store, shop.district, now_ms)
    basket.cashier = request.cashier
    if request.member is None:
        return Arrival(basket)
    card = card_of(request.member)
    if card is not None:
        return Arrival(basket, card=ShownCard(card.hashed, card.city))
    code = decode(request.member)
    if code is None or not (code.city.isascii() and code.city.isdigit()):
        basket.member_fault = "malformed"
        return Arrival(basket)
    return Arrival(basket, ShownMember(code.handle, code.city, now_ms))


def _look_at_member(connection: Connection, arrival: Arrival, *, keeps: bool) -> None:
    """As `name_members`, and the code stays unspent. `keeps` the resident until COMMIT."""
    member = arrival.member
    if member is not None:
        found = resident_store.look_at_code(connection, member.home, member.handle)
        use = None if found is None or found[1] else found[0]
        name_member(arrival, use, spent=found is not None)
        if keeps and arrival.basket.resident is not None:
            # The code stays unspent, so it keeps nobody from leaving.
            people.keep_acting(connection, people.Home(member.home, arrival.basket.resident))


def _scans(basket: Basket, registry: Registry, taken: Taken) -> list[DecidedScan]:
    """The decisions with their facts, as they would be read back."""
    more: dict[int, list[Award]] = {}
    for award in taken.further:
        more.setdefault(award.line_no, []).append(Award(*award[4:]))
    return [
        DecidedScan(
            decision,
            basket.sold_at_ms,
            basket.sold_at_ms,
            basket.store,
            basket.district,
            _body(decision, registry, basket.sold_at_ms),
            basket.channel,
            basket.receipt_fen,
            tuple(more.get(decision.line_no, ())),
            basket.device,
            basket.cashier,
        )
        for decision in taken.decisions
    ]


def _body(decision: Decision, registry: Registry, sold_at_ms: int) -> str | None:
    found = entries_of(registry.readings[0][decision.line_no], registry.entries)
    at_sale = standing(found, sold_at_ms) if found else None
    return at_sale.entry.body if at_sale and at_sale.entry else None


def _reading(read: Read, basket: Basket) -> Reading:
    return parse(read.code, read.symbology, read.aim, year=sale_year(basket))


def _written(read: Read) -> dict[str, object]:
    line: dict[str, object] = {
        "code": "?" if read.text is None else read.text,
        "sym": read.symbology,
        "aim": read.aim,
        "qty": read.quantity,
        "price_fen": read.price_fen,
        "sn": read.serial,
    }
    if read.text is None:
        line["raw"] = base64.b64encode(read.code).decode()
    if read.evidence is not None:
        line["evidence"] = {name: value for name, value in read.evidence._asdict().items() if value is not None}
    return line


def _request_sha256(request: QuoteRequest, minutes: int) -> bytes:
    content = [
        request.city,
        request.store,
        request.member,
        request.cashier,
        minutes,
        [_written(read) for read in request.reads],
    ]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
