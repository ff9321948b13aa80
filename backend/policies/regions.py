"""Sets of sales, exactly: which facts a rule can hold for, so that a reader of policies can tell covered from uncovered.

Of each fact only as many values are kept as the conditions at hand can tell apart: every value that they name, one
between each two neighbours, one beyond, and "not known". A set of values is the bits of an integer, a box one such set
a fact, a region a list of boxes: "covered by earlier rules" is a subtraction, without guessing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.kernel.amounts import MAX_AMOUNT
from backend.policies.conditions import FACTS
from backend.policies.model import HAND_IN, SALES, Buyer, Condition, Group, Level, Policy, Proof, Rule

STEPS_MAX = 5_000
"""Boxes made for one question before it is given up as too complex (about 20 ms; a document asks some hundred)."""
BOXES_MAX = 1_000

_NEVER_MISSING = frozenset({"scheme", "level", "proof", "quantity", "certificate_scheme", "channel", "buyer"})
_LEAST = {"grade": 1, "tier": 1, "quantity": 1, "trade_in_days": -36_600}
_MOST = {"grade": 5, "tier": 3, "trade_in_days": 36_600}
"""As the register of certificates holds them: grades 1-5, 1-3 stars; and days within a hundred years."""
_WORDS: Mapping[str, tuple[str, ...]] = {
    "level": tuple(level.value for level in Level),
    "proof": tuple(proof.value for proof in Proof),
    "channel": (*SALES, HAND_IN),
    "buyer": tuple(buyer.value for buyer in Buyer),
}
_OTHER = "\x00"
"""Stands for every text that no condition names."""

Value = int | str
Box = dict[str, int]
"""fact -> bits of the values that it may have; a fact that is absent may have any."""
Region = list[Box]


class TooComplex(Exception):
    """The conditions have too many combinations to look at them all."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of one fact that can be told apart, in order; `bits` of a value, `known` of all but "not known"."""

    fact: str
    values: tuple[Value, ...]
    bits: Mapping[Value, int]
    known: int
    missing: int

    @property
    def all(self) -> int:
        return self.known | self.missing


class Space:
    """All sales, as finely as the conditions, scopes, caps and tables of `policies` can tell them apart."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        named: dict[str, set[Value]] = {fact: set() for fact in FACTS}
        for policy in policies:
            for fact, values in _named(policy):
                named[fact].update(values)
        self.axes = {fact: _axis(fact, values) for fact, values in named.items()}
        self._steps = 0

    def bits(self, condition: Condition) -> int:
        """The values for which `condition` holds; one that is not known fails every comparison."""
        axis, op, value = self.axes[condition.fact], condition.op, condition.value
        if op in ("=", "in", "!=", "not_in"):
            wanted = self.values(condition.fact, value if isinstance(value, tuple) else (value,))
            return wanted if op in ("=", "in") else axis.known & ~wanted
        below = (1 << bisect_left(axis.values, value)) - 1
        upto = below | axis.bits.get(value, 0)  # type: ignore[arg-type]
        return {"<": below, "<=": upto, ">": axis.known & ~upto, ">=": axis.known & ~below}[op]

    def values(self, fact: str, names: Iterable[Value]) -> int:
        bits = self.axes[fact].bits
        found = 0
        for name in names:
            found |= bits.get(name, 0)
        return found

    def least(self, fact: str, box: Box) -> int | None:
        """The smallest number that `fact` may have in `box`; None where it may be missing."""
        axis, bits = self.axes[fact], box.get(fact, self.axes[fact].all)
        return None if bits & axis.missing else _number(axis, (bits & -bits).bit_length() - 1)

    def most(self, fact: str, box: Box) -> int | None:
        """The largest number that `fact` may have in `box`; None where it may be missing or has no end."""
        axis, bits = self.axes[fact], box.get(fact, self.axes[fact].all)
        if bits & axis.missing:
            return None
        # A kept value stands for all numbers up to the next one.
        following = bits.bit_length()
        return _number(axis, following) - 1 if following < len(axis.values) else _MOST.get(fact)

    def scope(self, policy: Policy) -> Box:
        scope = policy.scope
        sides = (
            ("district", scope.districts),
            ("store", scope.stores),
            ("certificate_scheme", scope.schemes),
            ("category", scope.categories),
            ("channel", scope.channels or SALES),
            ("buyer", scope.buyers),
        )
        return {fact: self.values(fact, names) for fact, names in sides if names}

    def region(self, rule: Rule, within: Box) -> Region:
        """Where all conditions of `rule` hold, inside of `within`. Raises TooComplex."""
        self._steps = 0
        return self._narrowed([within], rule.when)

    def cut(self, region: Region, fact: str, bits: int) -> Region:
        """What of `region` has one of the values `bits` of `fact`."""
        return self.meet(region, {fact: bits})

    def meet(self, region: Region, box: Box) -> Region:
        return [met for one in region if (met := self._met(one, box)) is not None]

    def minus(self, region: Region, others: Iterable[Box]) -> Region:
        """What of `region` lies in none of `others`. Raises TooComplex."""
        self._steps = 0
        left = region
        for other in others:
            if not left:
                break
            left = [piece for box in left for piece in self._pieces(box, other)]
            self._spend(len(left) + 1)
        return left

    def _narrowed(self, region: Region, member: Condition | Group) -> Region:
        if isinstance(member, Condition):
            return self.cut(region, member.fact, self.bits(member))
        if member.mode == "all":
            # Plain conditions first: they make few boxes of few.
            for inner in sorted(member.members, key=lambda one: isinstance(one, Group)):
                region = self._narrowed(region, inner)
            return region
        if _is_one_fact(member.members):
            bits = 0
            for condition in member.members:
                bits |= self.bits(condition)  # type: ignore[arg-type]  # told apart above
            return self.cut(region, member.members[0].fact, bits)  # type: ignore[union-attr]
        found: Region = []
        for inner in member.members:
            found += self._narrowed(region, inner)
            self._spend(len(found))
        return found

    def _met(self, box: Box, other: Box) -> Box | None:
        met = dict(box)
        for fact, bits in other.items():
            kept = met.get(fact, self.axes[fact].all) & bits
            if not kept:
                return None
            met[fact] = kept
        return met

    def _pieces(self, box: Box, other: Box) -> Iterator[Box]:
        """`box` without `other`: for each fact what lies beside it, so that no piece overlaps another."""
        if self._met(box, other) is None:
            yield box
            return
        inside = dict(box)
        for fact, bits in other.items():
            mine = inside.get(fact, self.axes[fact].all)
            if mine & ~bits:
                yield {**inside, fact: mine & ~bits}
            inside[fact] = mine & bits

    def _spend(self, boxes: int) -> None:
        self._steps += boxes
        if self._steps > STEPS_MAX or boxes > BOXES_MAX:
            raise TooComplex


def conditions_of(member: Condition | Group, place: str) -> Iterator[tuple[str, Condition]]:
    """Every condition below `member`, with its place in the document."""
    if isinstance(member, Condition):
        yield place, member
        return
    for position, one in enumerate(member.members):
        yield from conditions_of(one, f"{place}.{position}")


def conditions_of_rule(rule: Rule, place: str) -> Iterator[tuple[str, Condition]]:
    for position, member in enumerate(rule.when.members):
        yield from conditions_of(member, f"{place}.when.{position}")


def _is_one_fact(members: Sequence[Condition | Group]) -> bool:
    facts = {member.fact if isinstance(member, Condition) else None for member in members}
    return len(facts) == 1 and None not in facts


def _named(policy: Policy) -> Iterator[tuple[str, Iterable[Value]]]:
    scope = policy.scope
    yield "district", scope.districts
    yield "store", scope.stores
    yield "certificate_scheme", scope.schemes
    yield "category", scope.categories
    for cap in policy.caps:
        yield "certificate_scheme", cap.schemes
        yield "category", cap.categories
    for rule in policy.rules:
        for _, condition in conditions_of_rule(rule, ""):
            yield condition.fact, condition.value if isinstance(condition.value, tuple) else (condition.value,)
        for reward in rule.rewards:
            if reward.by is not None:
                yield reward.by, reward.table or ()


def _axis(fact: str, named: set[Value]) -> Axis:
    if FACTS[fact].kind is int:
        values: tuple[Value, ...] = tuple(_numbers(fact, sorted(value for value in named if isinstance(value, int))))
    else:
        values = _WORDS.get(fact) or (*sorted(value for value in named if isinstance(value, str)), _OTHER)
    known = (1 << len(values)) - 1
    missing = 0 if fact in _NEVER_MISSING else known + 1
    return Axis(fact, values, {value: 1 << at for at, value in enumerate(values)}, known, missing)


def _numbers(fact: str, named: Sequence[int]) -> list[int]:
    """What is named, and one number in each gap before, between and behind."""
    least, most = _LEAST.get(fact, 0), _MOST.get(fact, MAX_AMOUNT)
    inside = [value for value in named if least <= value <= most]
    found: list[int] = []
    free = least
    for value in inside:
        if value > free:
            found.append(free)
        found.append(value)
        free = value + 1
    return [*found, free] if free <= most else found


def _number(axis: Axis, position: int) -> int:
    value = axis.values[position]
    assert isinstance(value, int)
    return value
