"""From a read to a decision: label, certificate at the moment of sale, policy, limits. Pure; a fold over the batch."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from backend.certificates.model import Entry, Worth
from backend.certificates.validity import NOT_KNOWN, worth_at
from backend.kernel.amounts import unit_price
from backend.kernel.periods import civil_date, period_keys
from backend.labels.model import Confidence, Reading, Scope
from backend.policies.compiled import InForce, PolicySet
from backend.policies.evaluate import evaluate
from backend.policies.evidence import NO_EVIDENCE, trade_in_days
from backend.policies.limits import CounterKey, FactMissing, Limits, Met
from backend.policies.model import HAND_IN, Award, Buyer, Facts, Level, Outcome, Proof, Verdict
from backend.scans.evidence import evidence_text
from backend.scans.lent import Draw, Lent
from backend.scans.lines import shown_text
from backend.scans.model import Basket, Read
from backend.scans.moment import Moment, moment_of, sale_of
from backend.scans.signals import Signals, priced_as

_STRENGTH = "SEMU"
_WEAKER = {one: {other: min(one, other, key=_STRENGTH.index) for other in _STRENGTH} for one in _STRENGTH}
# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and the hot path reads these for every scan.
_NO_SIGNS: tuple[int | None, int | None] = (None, None)
_NOTHING_BESIDE = (*_NO_SIGNS, *NO_EVIDENCE[:6], None)
"""The last facts of most lines: nothing to compare with, and no evidence."""
_UNIT, _MODEL, _ENTERPRISE, _LICENCE = Scope.UNIT, Scope.MODEL, Scope.ENTERPRISE, Scope.LICENCE
_NOTHING, _REVIEW = Scope.NONE, Confidence.REVIEW
_U, _M, _E, _S = Level.UNIT.value, Level.MODEL.value, Level.ENTERPRISE.value, Level.SELF.value
_PERSON, _P0 = Buyer.PERSON.value, Proof.SCAN.value
_NONE, _PENDING, _HELD = Outcome.NONE.value, Outcome.PENDING.value, Outcome.HELD.value
_UNCLAIMED = Outcome.UNCLAIMED.value
_VOIDS = Verdict(_NONE, "basket_voids")
"""Of a basket that takes a sale back: nothing in it was sold."""


# A NamedTuple's own constructor is a Python function; thirty arguments cost it more than the tuple itself.
_new = tuple.__new__
_order_of_sale = attrgetter("sold_at_ms", "device", "stream", "seq")


class Decision(NamedTuple):
    """One row of `decisions`, in the order of its columns but for the city and the moment of deciding."""

    basket: str
    line_no: int
    decision_no: int
    label_key: str | None
    scheme: str
    code: bytes | None
    code_text: str | None
    symbology: str | None
    quantity: int
    price_fen: int | None
    serial: str | None
    evidence: str | None
    resident: str | None
    level: str | None
    proof: str
    certificate: str | None
    certificate_row: str | None
    certificate_scheme: str | None
    category: str | None
    grade: int | None
    tier: int | None
    outcome: str
    reason: str
    policy_version: str | None
    rule: str | None
    missing: str | None
    unit: str | None
    gross: int
    award: int
    limit_name: str | None
    limit_left: int | None
    median_fen: int | None = None
    travel_kmh: int | None = None
    """Facts of other sales that watches compared with (`signals`)."""


DecisionRow = tuple[Any, ...]
"""The fields of a Decision, in their order."""


class FurtherAward(NamedTuple):
    """One row of `further_awards`, in the order of its columns but for the city."""

    basket: str
    line_no: int
    decision_no: int
    award_no: int
    reason: str
    policy_version: str
    rule: str
    unit: str
    gross: int
    award: int
    limit_name: str | None
    limit_left: int | None


class Taken(NamedTuple):
    """What was decided of a batch. `rows`: its decisions without names, put together at half the cost; `units`: for each unit
    label that now earns, the (basket, line) that does; `draws`: what leases pay of the awards.
    """

    rows: list[DecisionRow]
    further: list[FurtherAward]
    units: dict[str, tuple[str, int]]
    draws: Sequence[Draw] = ()

    @property
    def decisions(self) -> list[Decision]:
        return [Decision._make(row) for row in self.rows]

    def add(self, place: tuple[str, int, int], more: Sequence[Award]) -> None:
        """Further awards of the decision at (basket, line, number)."""
        self.further.extend(_new(FurtherAward, (*place, number, *award)) for number, award in enumerate(more, 2))

    def plus(self, other: "Taken") -> "Taken":
        draws = (*self.draws, *other.draws)
        return Taken(self.rows + other.rows, self.further + other.further, self.units | other.units, draws)


NOTHING = Taken([], [], {})


@dataclass(frozen=True, slots=True)
class Registry:
    """What a batch is decided against: labels read, certificates known now, compiled policies, labels already awarded."""

    readings: Sequence[Sequence[Reading]]
    entries: Mapping[str, tuple[Entry, ...]]
    policies: PolicySet
    spent_units: frozenset[str]
    signals: Signals | None = None
    """None where no version watches anything."""
    lent: Lent | None = None
    """None where no basket speaks of a lease."""


def decide_baskets(baskets: Sequence[Basket], registry: Registry, limits: Limits, *, decision_no: int = 1) -> Taken:
    """The decisions of new baskets.

    Folds in the order of sale (time, device, stream, seq), so that the last of a cap goes to the earliest sale.
    """
    taken = Taken([], [], {})
    append = taken.rows.append
    turns = [_order_of_sale(basket) for basket in baskets]
    for position in sorted(range(len(baskets)), key=turns.__getitem__):
        basket = baskets[position]
        moment = moment_of(basket, registry.policies)
        for line_no, (read, reading) in enumerate(zip(basket.reads, registry.readings[position], strict=True)):
            append(_decide(basket, line_no, read, reading, moment, registry, limits, taken, decision_no))
    return taken if registry.lent is None else taken._replace(draws=registry.lent.draws)


def persons_met(baskets: Sequence[Basket], policies: PolicySet) -> set[CounterKey]:
    """The counters of persons alone that deciding `baskets` may look at."""
    keys: set[CounterKey] = set()
    for basket in baskets:
        if basket.resident is not None:
            periods = period_keys(civil_date(basket.sold_at_ms))
            caps = policies.in_force(basket.sold_at_ms).plain_caps
            keys.update((basket.resident, periods[cap.period_at], cap.counter) for cap in caps)
    return keys


def others_met(baskets: Sequence[Basket], registry: Registry) -> tuple[set[CounterKey], dict[CounterKey, Met]]:
    """All other counters that deciding `baskets` may look at, and what is known of them."""
    limits = Limits({}, {})
    keys: set[CounterKey] = set()
    if any(not cap.plain for policy in registry.policies for cap in policy.caps):
        for basket, readings in zip(baskets, registry.readings, strict=True):
            in_force = registry.policies.in_force(basket.sold_at_ms)
            if in_force.other_caps:
                for read, reading in zip(basket.reads, readings, strict=True):
                    keys.update(_others_met(basket, read, reading, registry, in_force, limits))
    return keys, limits.met


def _others_met(
    basket: Basket, read: Read, reading: Reading, registry: Registry, in_force: InForce, limits: Limits
) -> Iterator[CounterKey]:
    found = entries_of(reading, registry.entries)
    if not found or basket.resident is None:
        return
    at_sale = worth_at(found, basket.sold_at_ms)
    sold_on = civil_date(basket.sold_at_ms)
    # Level and proof play no part in which counters a sale has.
    facts = facts_of(reading, _S, _P0, at_sale, read, basket, sale_of(basket))
    for group in in_force.plan(facts):
        for policy in group.policies:
            for cap in policy.caps:
                if not cap.plain and cap.concerns(facts):
                    with contextlib.suppress(FactMissing):
                        yield limits.meet(cap, basket.resident, facts, sold_on, period_keys(sold_on))[0]


def _decide(
    basket: Basket,
    line_no: int,
    read: Read,
    reading: Reading,
    moment: Moment,
    registry: Registry,
    limits: Limits,
    taken: Taken,
    decision_no: int,
) -> DecisionRow:
    found = entries_of(reading, registry.entries)
    at_sale = worth_at(found, moment.sold_at_ms) if found else NOT_KNOWN
    level, price_fen, evidence = level_of(reading, at_sale.level), read.price_fen, read.evidence
    proof = moment.unpriced if price_fen is None else moment.priced
    unit_key = reading.key if reading.scope is _UNIT and basket.channel != HAND_IN else None  # that piece earned before
    signals, lent = registry.signals, registry.lent
    others = _NO_SIGNS if signals is None else signals.of(basket.basket, priced_as(reading), moment.sold_on)
    spent = unit_key is not None and (unit_key in registry.spent_units or unit_key in taken.units)
    verdict = _refusal(basket, reading, found, at_sale.state, moment, spent, read.released)
    if verdict is None:
        assert level is not None and basket.resident is not None  # noqa: PT018 - not a test
        facts = facts_of(reading, level, proof, at_sale, read, basket, moment.sale, others)
        beside = None if lent is None else lent.beside(basket.basket, line_no, limits)
        verdict = evaluate(
            facts, basket.resident, moment.sold_on, moment.policies.plan(facts), limits, released=read.released
        )
        if beside is not None:
            beside.settle((basket.basket, line_no, decision_no), limits)
        if unit_key is not None and verdict.amount:
            taken.units[unit_key] = (basket.basket, line_no)
        if verdict.more:
            taken.add((basket.basket, line_no, decision_no), verdict.more)
    shown = None if not reading.usable and (reading.personal or reading.secret) else shown_text(read)
    row = (
        basket.basket,
        line_no,
        decision_no,
        reading.key,
        reading.scheme,
        None if shown is None or shown == read.text else read.code,
        shown,
        read.symbology,
        read.quantity,
        price_fen,
        read.serial,
        None if evidence is None and basket.buyer == _PERSON else evidence_text(evidence, basket.buyer),
        basket.resident,
        level,
        proof,
    )
    why = verdict.outcome, verdict.reason, verdict.version, verdict.rule, verdict.missing, verdict.unit
    what = verdict.gross, verdict.amount, verdict.limit_name, verdict.limit_left
    # Tuples put together cost a fifth of one that is made field by field.
    return row + at_sale.told + why + what + others


def facts_of(
    reading: Reading,
    level: str,
    proof: str,
    at_sale: Worth,
    read: Read,
    basket: Basket,
    sale: tuple[object, ...],
    others: tuple[int | None, int | None] = _NO_SIGNS,
) -> Facts:
    """`sale`: the facts of its basket; `others`: the median price and the journey that watches compare with."""
    quantity, price_fen, evidence = read.quantity, read.price_fen, read.evidence
    line = (
        reading.scheme,
        level,
        proof,
        at_sale.category,
        at_sale.grade,
        at_sale.tier,
        price_fen,
        quantity,
        basket.store,
        basket.district,
        at_sale.body,
        at_sale.scheme,
        reading.key,
        price_fen if quantity == 1 else unit_price(price_fen, quantity),
        read.serial,
    )
    if evidence is None:
        return _new(Facts, line + sale + (_NOTHING_BESIDE if others is _NO_SIGNS else others + _NOTHING_BESIDE[2:]))
    days = trade_in_days(evidence, basket.sold_at_ms, basket.channel)
    return _new(Facts, line + sale + (*others, *evidence[:6], days))


def entries_of(reading: Reading, entries: Mapping[str, tuple[Entry, ...]]) -> Sequence[Entry]:
    for key in reading.registry_keys:
        found = entries.get(key)
        if found:
            return found
    return ()


def level_of(reading: Reading, at_best: str | None) -> str | None:
    """The weaker of what the label proves and what its scheme may prove `at_best`."""
    scope = reading.scope
    if scope is _MODEL:
        level = _M
    elif scope is _UNIT:
        level = _U
    elif scope is _ENTERPRISE or scope is _LICENCE:
        level = _E
    else:
        return None
    return level if at_best is None else _WEAKER[level][at_best]


def _refusal(
    basket: Basket,
    reading: Reading,
    found: Sequence[Entry],
    state: str,
    moment: Moment,
    spent: bool,  # noqa: FBT001 - the hot path calls by position
    released: bool,  # noqa: FBT001
) -> Verdict | None:
    """Why no policy is asked, in the order in which a resident would want to hear it; None when one is."""
    if basket.void_of is not None:
        return _VOIDS
    if not reading.usable:
        return _not_usable(reading)
    if not found:
        return Verdict(_PENDING, "product_unknown")
    if state != "valid":
        return Verdict(_NONE, f"certificate_{state}")
    if moment.hold is not None and not released:
        return Verdict(_HELD, moment.hold)
    if reading.confidence is _REVIEW and not released and found[0].registry_key != reading.key:
        # The registry settles a doubtful reading only when it knows this very label, not just its body.
        return Verdict(_HELD, "label_review")
    if basket.resident is None:
        return _nobodys(basket)
    return Verdict(_NONE, "unit_already_awarded") if spent else None


def _not_usable(reading: Reading) -> Verdict:
    personal_or_kind = "label_personal" if reading.personal else f"label_{reading.scheme.value}"
    return Verdict(_NONE, personal_or_kind if reading.scope is _NOTHING else "label_not_awardable")


def _nobodys(basket: Basket) -> Verdict:
    """A code that was shown but names nobody, a claim that is open, or no code at all."""
    if basket.member_fault is not None:
        return Verdict(_NONE, f"member_{basket.member_fault}")
    return Verdict(_UNCLAIMED, "claim_open" if basket.claim_sha256 else "no_member")
