"""The lines of a snapshot. Pure.

Four sorts, each a key and a JSON array: goods (`g:` + GTIN of 14 digits, `w:` + key of a label that is a web address, `o:` +
certification body of organic marks, `t:` + another label's text) name a kind; a kind (`k:`) says what it would earn in each
zone, and (`l:`) which policies surely pay what of it, where their budgets are lent to tills; a place (`p:`) says which zone
it lies in. So a policy changes few lines and a certificate one, and what policies give is worked out once for all goods that
they cannot tell apart.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple, TypeVar

import orjson

from backend.certificates.model import FOREVER_MS, Entry
from backend.certificates.validity import standing
from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, day_start_ms
from backend.labels.model import Confidence, Reading, Scheme, Scope
from backend.labels.parse import parse
from backend.labels.schemes.efficiency import address_of
from backend.policies.compiled import PolicySet
from backend.policies.expect import Expected, expected, payers
from backend.policies.model import Facts, Level, Proof
from backend.snapshots.zones import ANYWHERE, Place, Zones

Shown = TypeVar("Shown")
GOODS_MAX: Final = 300_000
NAME_CHARS_MAX: Final = 20
ORGANIC_BODY: Final = "organic_body:"
_ANY_MARK: Final = "有机码{}24000000000000"
"""What any mark of a body says, whichever piece it is on."""
_STRENGTH: Final = "SEMU"
_LEVELS: Final = {
    Scope.UNIT: Level.UNIT.value,
    Scope.MODEL: Level.MODEL.value,
    Scope.ENTERPRISE: Level.ENTERPRISE.value,
    Scope.LICENCE: Level.ENTERPRISE.value,
}
_PROOFS: Final = (Proof.TILL.value, Proof.TILL_ONLINE.value)
"""Without a price, and with one; the till knows which of the two it reads."""


class SnapshotTooLarge(DomainError):
    code = "snapshot-too-large"
    text_zh = "已认证商品 {goods} 件，超过快照上限 {goods_max} 件；终端将不再提示预计积分。"
    text_en = "{goods} certified goods are more than a snapshot holds ({goods_max}); tills will say nothing of points."


class Kind(NamedTuple):
    """Everything of goods that policies can look at before a sale. `unit`: a label of a single piece, too."""

    scheme: str
    level: str
    unit: bool
    category: str | None
    grade: int | None
    tier: int | None
    body: str
    certificate_scheme: str


class World(NamedTuple):
    """What a snapshot is made of. `exhausted`: pools of budgets with nothing left; `stores`: store -> district."""

    entries: Mapping[str, tuple[Entry, ...]]
    policies: PolicySet
    stores: Mapping[str, str]
    exhausted: Collection[str]
    at_ms: int
    lent: Collection[tuple[str, str]] = ()
    """(policy, unit) of budgets out of which tills may promise."""


def lines_of(world: World) -> dict[str, str]:
    """Key -> line. Raises SnapshotTooLarge."""
    zones = Zones(world.policies.in_force(world.at_ms).policies, world.stores)
    goods, kinds = _goods(world)
    until_ms = policies_until(world.policies, world.at_ms)
    offers = {f"k:{_id(kind)}": _json([until_ms, _offers(kind, zones, world)]) for kind in kinds}
    lent = {f"l:{_id(kind)}": _json([paid]) for kind in kinds if world.lent and (paid := _paid(kind, zones, world))}
    return goods | offers | lent | {f"p:{place}": _json([zone]) for place, zone in zones.lines().items()}


def _goods(world: World) -> tuple[dict[str, str], set[Kind]]:
    lines: dict[str, str] = {}
    kinds: set[Kind] = set()
    for key in world.entries:
        text, address = key.partition(":")[2], address_of(key)
        reading = parse(_ANY_MARK.format(text) if key.startswith(ORGANIC_BODY) else address or text)
        if key not in reading.registry_keys:
            continue  # it is found by no text that a till could match
        found = next((world.entries[key] for key in reading.registry_keys if key in world.entries), ())
        at_sale = standing(found, world.at_ms)
        if not reading.usable or at_sale.state != "valid" or at_sale.entry is None or reading.scope not in _LEVELS:
            continue
        if reading.confidence is Confidence.REVIEW and key.startswith(ORGANIC_BODY):
            continue  # a person looks at marks of a body that is not approved
        kind = _kind(reading, at_sale.entry)
        kinds.add(kind)
        line_key = f"{_sort_of(key, reading)}:{key if address else text}"
        lines[line_key] = _json([at_sale.entry.product[:NAME_CHARS_MAX], _id(kind), _until(at_sale.entry, world.at_ms)])
    if len(lines) > GOODS_MAX:
        raise SnapshotTooLarge(goods=len(lines), goods_max=GOODS_MAX)
    return lines, kinds


def _sort_of(key: str, reading: Reading) -> str:
    if address_of(key):
        return "w"
    if key.startswith(ORGANIC_BODY):
        return "o"
    return "g" if reading.scheme is Scheme.GTIN else "t"


def _kind(reading: Reading, entry: Entry) -> Kind:
    level = min(_LEVELS[reading.scope], entry.level, key=_STRENGTH.index)
    facts = (entry.category, entry.grade, entry.tier, entry.body, entry.scheme)
    return Kind(reading.scheme.value, level, reading.scheme is Scheme.GTIN and entry.level == Level.UNIT.value, *facts)


def _until(entry: Entry, at_ms: int) -> int:
    """Until when the certificate is known to be valid, in Unix ms."""
    states = (state.until_ms for state in entry.states if state.from_ms <= at_ms < state.until_ms)
    return min(entry.until_ms, *states)


def policies_until(policies: PolicySet, at_ms: int) -> int:
    """The next moment at which another set of policies, or another rule of transition, is in force."""
    today = civil_date(at_ms)
    ends = (date.fromisoformat(one.until) for policy in policies for one in policy.policy.transitions)
    moments = [day_start_ms(end + timedelta(days=1)) for end in ends if end >= today]
    return min([*moments, *(start for start in policies.starts if start > at_ms)], default=FOREVER_MS)


def _offers(kind: Kind, zones: Zones, world: World) -> Mapping[str, object]:
    """Zone -> what is expected of a model's label, without and with a price, then of a single piece's label."""
    in_force, on = world.policies.in_force(world.at_ms), civil_date(world.at_ms)

    def shown(facts: Facts) -> dict[str, int | str]:
        return _shown(expected(in_force.plan(facts), facts, on, world.exhausted))

    return _by_zone(kind, zones, shown)


def _paid(kind: Kind, zones: Zones, world: World) -> Mapping[str, object]:
    """The same of lent budgets alone: unit -> policy -> amount; empty where none of them surely pays anything, as where a
    label of a single piece may have been paid for already.
    """
    if kind.scheme == Scheme.ORGANIC.value:
        return {}
    in_force, on = world.policies.in_force(world.at_ms), civil_date(world.at_ms)

    def shown(facts: Facts) -> dict[str, dict[str, int]]:
        units: dict[str, dict[str, int]] = {}
        for (policy, unit), amount in payers(in_force.plan(facts), facts, on).items():
            units.setdefault(unit, {})[policy] = amount
        return {unit: paid for unit, paid in units.items() if all((policy, unit) in world.lent for policy in paid)}

    found = _by_zone(kind, zones, shown)
    return found if any(any(amounts) for amounts in found.values()) else {}


def _by_zone(kind: Kind, zones: Zones, shown: Callable[[Facts], Shown]) -> dict[str, list[Shown]]:
    labels: Sequence[tuple[str, str]] = [(kind.scheme, kind.level)]
    if kind.scheme == Scheme.GTIN.value:
        labels = [*labels, (Scheme.SGTIN.value, Level.UNIT.value if kind.unit else kind.level)]

    def at(place: Place) -> list[Shown]:
        return [shown(_facts(kind, label, proof, place)) for label in labels for proof in _PROOFS]

    everywhere = at(zones.places[ANYWHERE])
    others = {zone: at(place) for zone, place in zones.places.items() if zone != ANYWHERE}
    return {ANYWHERE: everywhere} | {zone: offer for zone, offer in others.items() if offer != everywhere}


def _facts(kind: Kind, label: tuple[str, str], proof: str, place: Place) -> Facts:
    return Facts(
        scheme=label[0],
        level=label[1],
        proof=proof,
        category=kind.category,
        grade=kind.grade,
        tier=kind.tier,
        price_fen=None,
        quantity=1,
        store=place.store,
        district=place.district,
        body=kind.body,
        certificate_scheme=kind.certificate_scheme,
    )


def _shown(amounts: Expected) -> dict[str, int | str]:
    return {unit: amount if isinstance(amount, int) else amount.value for unit, amount in amounts.items()}


def _id(kind: Kind) -> str:
    return hashlib.sha256(repr(tuple(kind)).encode()).hexdigest()[:12]


def _json(value: Iterable[object]) -> str:
    return orjson.dumps(value).decode()
