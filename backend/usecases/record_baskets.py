"""The heart: baskets in, one database transaction a city, a constant number of statements, receipts out."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from backend.kernel.periods import instant
from backend.labels.model import Reading, Scheme
from backend.labels.parse import parse
from backend.residents import people
from backend.residents import store as resident_store
from backend.residents.member_code import SHOWN_TOLERANCE_MS, VALID_S_MAX
from backend.residents.store import ShownCode
from backend.scans import elsewhere, return_rows, store
from backend.scans.decide import NOTHING, Decision, FurtherAward, Taken, decide_baskets
from backend.scans.identity import basket_id, owner_of, phone_of
from backend.scans.model import Basket, BasketConflict, BasketState, Read, Recorded
from backend.scans.quarantine import Quarantined, set_aside
from backend.scans.redact import forget_line, redact, seal_of
from backend.scans.sale_time import sale_year
from backend.storage.transaction import sqlstate
from backend.usecases.culprits import without_culprits
from backend.usecases.name_cards import CARD_SALES_A_DAY, ShownCard, name_cards
from backend.usecases.races import Writes, won
from backend.usecases.take_decisions import Lookups, PolicyLookup, RegistryLookup, load, save

READINGS_MAX = 65_536
CULPRITS_MAX = 20
"""Baskets in a row, none recorded between, that a process sets aside for errors which are not about a value: more of them
are a fault of ours, under which tills and phones must keep what they hold."""
_REFUSED_VALUE = ("22", "23")
# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_RECORDED, _DUPLICATE = BasketState.RECORDED.value, BasketState.DUPLICATE.value
_QUARANTINED = BasketState.QUARANTINED.value
_GTIN = Scheme.GTIN


class ShownMember(msgspec.Struct, frozen=True, gc=False):
    """A member code of a basket. `shown_at_ms`: the earliest moment at which it was shown."""

    handle: bytes
    home: str
    shown_at_ms: int


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A basket and the member code or card shown with it, if one was. `home`: of a phone's scan, where its resident belongs."""

    basket: Basket
    member: ShownMember | None = None
    home: str | None = None
    card: ShownCard | None = None


class Settled(NamedTuple):
    """What became of a basket, and what was decided of its lines when it was new."""

    recorded: Recorded
    decisions: Sequence[Decision]
    further: Sequence[FurtherAward]


class Batch(NamedTuple):
    """One answer a basket, in order, and what was decided of all that were new."""

    answers: list[Recorded]
    taken: Taken


class RecordBaskets:
    """Records baskets of one city; safe to call from many threads and processes at once."""

    def __init__(
        self,
        database: Writes,
        registry: RegistryLookup,
        policies: PolicyLookup,
        *,
        line_key: bytes,
        card_sales_a_day: int = CARD_SALES_A_DAY,
    ) -> None:
        """`line_key` hashes lines that are not kept; with another one a repeat of such a basket counts as a conflict.
        `card_sales_a_day`: how many sales of a day a paper card credits.
        """
        self._card_sales_a_day = card_sales_a_day
        self._database = database
        self._seal = seal_of(line_key)
        self._lookups = Lookups(registry, policies)
        self._readings: dict[tuple[bytes, str | None, str | None], Reading] = {}
        self._culprits = 0

    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]:
        """What became of each basket, in order; it returns only after COMMIT.

        A basket seen before answers as it did; the same key with other content is quarantined. When a batch fails it is
        bisected and the single culprit quarantined, so one basket never holds up another. Raises DatabaseBusy and other
        failures that pass, and what seems to fail whatever the basket.
        """
        return self._settled(city, arrivals, now).answers

    def decide(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Settled]:
        """As `record`, with the decisions of what is new."""
        answers, taken = self._settled(city, arrivals, now)
        decided: defaultdict[str, list[Decision]] = defaultdict(list)
        for decision in taken.decisions:
            decided[decision.basket].append(decision)
        further: defaultdict[str, list[FurtherAward]] = defaultdict(list)
        for award in taken.further:
            further[award.basket].append(award)
        return [
            Settled(answer, decided[answer.basket], further[answer.basket])
            if answer.state == _RECORDED
            else Settled(answer, (), ())
            for answer in answers
        ]

    def _settled(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> Batch:
        if not arrivals:
            return Batch([], NOTHING)
        parts = without_culprits(
            arrivals,
            lambda part: self._recorded(city, part, now),
            lambda arrival, error: self._left_out(city, arrival.basket, error, now),
            doing="record_baskets",
            named=lambda arrival: arrival.basket.basket,
        )
        answers, taken = parts[0]
        for part in parts[1:]:
            answers, taken = answers + part.answers, taken.plus(part.taken)
        return Batch(answers, taken)

    def _recorded(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> Batch:
        known = self._readings.get
        readings = [
            [
                known((read.code, read.symbology, read.aim)) or self._reading(read, arrival.basket)
                for read in arrival.basket.reads
            ]
            for arrival in arrivals
        ]
        for arrival, read_as in zip(arrivals, readings, strict=True):
            redact(arrival.basket, read_as, self._seal)
        batch = won(self._database, lambda c, careful: self._attempt(c, city, arrivals, readings, now, careful=careful))
        self._culprits = 0
        return batch

    def _attempt(
        self,
        connection: Connection,
        city: str,
        arrivals: Sequence[Arrival],
        readings: Sequence[Sequence[Reading]],
        now: datetime,
        *,
        careful: bool,
    ) -> Batch:
        refused = name_phones(connection, city, arrivals)
        if not refused:
            return self._record_all(connection, city, arrivals, readings, now, careful=careful)
        heard = [place for place in range(len(arrivals)) if place not in refused]
        some, read_as = [arrivals[place] for place in heard], [readings[place] for place in heard]
        batch = self._record_all(connection, city, some, read_as, now, careful=careful) if some else Batch([], NOTHING)
        answers = dict(zip(heard, batch.answers, strict=True))
        answers |= {place: _recorded_as(arrivals[place].basket, _QUARANTINED, why) for place, why in refused.items()}
        return Batch([answers[place] for place in range(len(arrivals))], batch.taken)

    def _record_all(
        self,
        connection: Connection,
        city: str,
        arrivals: Sequence[Arrival],
        readings: Sequence[Sequence[Reading]],
        now: datetime,
        *,
        careful: bool,
    ) -> Batch:
        baskets = [arrival.basket for arrival in arrivals]
        name_members(connection, arrivals)
        name_cards(connection, arrivals, self._card_sales_a_day)
        for arrival in arrivals:
            if arrival.basket.member_fault is not None or arrival.card is not None:
                # Whoever's code it was may have left since, and nothing leads from it to them but this line; and the number
                # of a card would tie together all that its resident buys.
                forget_line(arrival.basket, self._seal)
        countable = self._countable(connection, city, arrivals, now)
        fresh = _firsts(baskets, store.claim(connection, city, countable, now) if countable else set())
        taken = NOTHING
        if fresh:
            new, read_as = [baskets[place] for place in fresh], [readings[place] for place in fresh]
            loaded = load(connection, city, new, read_as, now, lookups=self._lookups, careful=careful)

            taken = decide_baskets(new, loaded.registry, loaded.limits)

            save(connection, city, taken, loaded, now)
            # A till's self-test takes back itself: it sold nothing, so there is nothing to wait for.
            voids = [
                (b.basket, basket_id(b.device, b.stream, b.void_of)) for b in new if b.void_of not in (None, b.seq)
            ]
            if voids:
                return_rows.open_voids(connection, city, voids, now)
        return Batch(self._answers(connection, city, baskets, frozenset(fresh), now), taken)

    def _countable(self, connection: Connection, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Basket]:
        """All baskets but phones' scans whose id was used in another city: those are conflicts, as the same id with other
        content is.
        """
        away: defaultdict[str, list[Basket]] = defaultdict(list)
        for arrival in arrivals:
            if arrival.home is not None and arrival.home != city:
                away[arrival.home].append(arrival.basket)
        used = set()
        for home in sorted(away):
            known = elsewhere.taken(connection, home, away[home], now)
            used |= {id(b) for b in away[home] if b.basket in known and not self._is_same(b, known[b.basket])}
        return [arrival.basket for arrival in arrivals if id(arrival.basket) not in used]

    def _answers(
        self, connection: Connection, city: str, baskets: Sequence[Basket], fresh: frozenset[int], now: datetime
    ) -> list[Recorded]:
        repeats = [basket for place, basket in enumerate(baskets) if place not in fresh]
        known = store.stored(connection, city, repeats) if repeats else {}
        conflicts = [basket for basket in repeats if not self._is_same(basket, known.get(basket.basket))]
        if conflicts:
            entries = [_quarantined(city, basket, BasketConflict.code) for basket in conflicts]
            set_aside(connection, city, entries, now)
        return [
            _recorded_as(basket, _RECORDED, None)
            if place in fresh
            else _repeated_as(basket, same=self._is_same(basket, known.get(basket.basket)))
            for place, basket in enumerate(baskets)
        ]

    def _is_same(self, basket: Basket, recorded_sha256: bytes | None) -> bool:
        """Whichever hash was kept: what counts as private may have been another matter when it was recorded."""
        if recorded_sha256 is None:  # not recorded in this city: a phone's scan id that was used in another
            return False
        return recorded_sha256 in (basket.sha256, basket.sealed_sha256) or recorded_sha256 == self._seal(basket.sha256)

    def _reading(self, read: Read, basket: Basket) -> Reading:
        key = (read.code, read.symbology, read.aim)
        reading = parse(*key, year=sale_year(basket))
        if reading.scheme is _GTIN and len(self._readings) < READINGS_MAX:
            # Only product codes are remembered: few, seen again and again, and nobody's secret.
            self._readings[key] = reading
        return reading

    def _left_out(self, city: str, basket: Basket, error: Exception, now: datetime) -> Batch:
        """Quarantines the basket that makes every batch with it fail. Raises `error` where too many do in a row."""
        state = sqlstate(error)
        if state is None or not state.startswith(_REFUSED_VALUE):
            self._culprits += 1
            if self._culprits > CULPRITS_MAX:
                raise error
        reason = "unexpected" if state is None else f"sqlstate_{state}"
        entry = _quarantined(city, basket, reason)
        self._database.write(lambda connection: set_aside(connection, city, [entry], now))
        return Batch([_recorded_as(basket, _QUARANTINED, reason)], NOTHING)


def name_phones(connection: Connection, city: str, arrivals: Sequence[Arrival]) -> dict[int, str]:
    """Keeps the residents whose phones have read until COMMIT; one that was merged into another reads for that one.

    A scan that was sent before by an account which the resident has absorbed since is a repeat of that.
    Of those who have left, or wait for a guardian, nothing is stored: by the place of their scans, why.
    """
    refused = {}
    homes: defaultdict[str, list[int]] = defaultdict(list)
    for place, arrival in enumerate(arrivals):
        if arrival.home is not None:
            homes[arrival.home].append(place)
    for home in sorted(homes):
        phones = [owner_of(arrivals[place].basket.device) for place in homes[home]]
        kept = people.keep(connection, home, phones)
        for place, phone in zip(homes[home], phones, strict=True):
            basket, who = arrivals[place].basket, kept.get(phone)
            if who is None:
                continue
            if who.refusal is not None:
                refused[place] = who.refusal.code
            basket.resident = who.home.resident
            if who.absorbed:
                _as_sent_before(connection, city, basket, who.absorbed)
    return refused


def _as_sent_before(connection: Connection, city: str, basket: Basket, absorbed: Sequence[str]) -> None:
    devices = {basket_id(phone_of(one), basket.stream, basket.seq): phone_of(one) for one in absorbed}
    for known in store.known(connection, city, devices):
        basket.basket, basket.device = known, devices[known]


def name_members(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Finds the resident behind each member code, spends the code, and says of any other why it names nobody."""
    homes: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        if arrival.member is not None:
            homes[arrival.member.home].append(arrival)
    for home in sorted(homes):
        shown = [ShownCode(a.member.handle, a.basket.stream, a.basket.root_seq) for a in homes[home] if a.member]
        uses = resident_store.use_codes(connection, home, shown)
        used = [uses.get(code) for code in shown]
        absent = [code.handle for code, use in zip(shown, used, strict=True) if use is None]
        known = resident_store.known_codes(connection, home, absent) if absent else frozenset()
        for arrival, code, use in zip(homes[home], shown, used, strict=True):
            name_member(arrival, use, spent=use is None and code.handle in known)


def name_member(arrival: Arrival, use: resident_store.CodeUse | None, *, spent: bool) -> None:
    basket, member = arrival.basket, arrival.member
    assert member is not None
    basket.resident, basket.member_fault = None, None  # an attempt that was rolled back may have left them
    if use is None:
        basket.member_fault = "spent" if spent else "unknown"
        return
    earliest = use.expires_at_ms - VALID_S_MAX * 1000 - SHOWN_TOLERANCE_MS
    latest = use.expires_at_ms + SHOWN_TOLERANCE_MS
    # A till without a trusted clock cannot prove when the code was shown; its basket is held for that anyway.
    if not basket.clock_held and not (earliest <= basket.sold_at_ms and member.shown_at_ms <= latest):
        basket.member_fault = "expired"
        return
    basket.resident = use.resident


def _firsts(baskets: Sequence[Basket], claimed: set[str]) -> list[int]:
    """Where each claimed basket stands first: what follows under its number, in one batch, is a repeat."""
    first: dict[str, int] = {}
    for place, basket in enumerate(baskets):
        first.setdefault(basket.basket, place)
    return [place for basket, place in first.items() if basket in claimed]


def _repeated_as(basket: Basket, *, same: bool) -> Recorded:
    if same:
        return _recorded_as(basket, _DUPLICATE, None)
    return _recorded_as(basket, _QUARANTINED, BasketConflict.code)


def _recorded_as(basket: Basket, state: str, code: str | None) -> Recorded:
    return Recorded(basket.basket, basket.device, basket.stream, basket.seq, basket.sha256, state, code)


def _quarantined(city: str, basket: Basket, reason: str) -> Quarantined:
    received_at = instant(basket.received_at_ms)
    line = basket.line or b""
    return Quarantined(
        reason, line, basket.sealed_sha256 or basket.sha256, received_at, device=basket.device, city=city
    )
