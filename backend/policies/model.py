from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.amounts import Rounding, Unit
from backend.kernel.periods import Period


class Level(StrEnum):
    """What a label proves: one unit, a model, an enterprise, or only a self-declaration."""

    UNIT = "U"
    MODEL = "M"
    ENTERPRISE = "E"
    SELF = "S"


class Proof(StrEnum):
    """What a delivery proves: P3 till online with price, P2 any other till, P1 claim code, P0 phone scan."""

    TILL_ONLINE = "P3"
    TILL = "P2"
    CLAIM = "P1"
    SCAN = "P0"


class Facts(NamedTuple):
    """What the rules may look at, for one scan. Amounts in fen; `price_fen` is the final price of the whole line."""

    scheme: str
    level: str
    proof: str
    category: str | None
    grade: int | None
    tier: int | None
    price_fen: int | None
    quantity: int
    store: str | None
    district: str | None
    body: str | None
    certificate_scheme: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a registered fact, e.g. grade <= 2."""

    fact: str
    op: str
    value: int | str | tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Holds when all, or any, of its members hold."""

    mode: str
    members: tuple["Condition | Group", ...]


class RewardKind(StrEnum):
    FIXED = "fixed"
    PER_UNIT = "per_unit"
    PERCENT = "percent"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Reward:
    """What a rule pays, in one unit, before rates and caps.

    fixed: `amount` a scan; per_unit: `amount` a piece; percent: `basis_points` of the line's price in fen, for a table by
    grade or tier the row's; `cap_per_unit` bounds it a piece; `factor_bp` multiplies; rounded once, as named.
    """

    kind: RewardKind
    unit: Unit
    rounding: Rounding
    amount: int = 0
    basis_points: int = 0
    by: str | None = None
    table: Mapping[int, int] | None = None
    table_is_percent: bool = False
    cap_per_unit: int | None = None
    factor_bp: int = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    rule: str
    name_zh: str
    name_en: str
    when: Group
    reward: Reward
    rates: Mapping[tuple[str, str], int]
    """(label level, proof level) -> basis points of the reward; a pair that is absent earns nothing."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` of the policy's unit for one person in one civil period (Asia/Shanghai)."""

    cap: str
    period: Period
    limit: int
    partial: bool
    """True: the last award is cut down to what is left. False: it is refused whole."""


@dataclass(frozen=True, slots=True)
class Published:
    """The paper that a city bound the policy to; without it nothing may be awarded (article 15 only encourages)."""

    number: str
    issuer: str
    published_on: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy document, valid in [from_ms, until_ms)."""

    policy: str
    title_zh: str
    title_en: str
    document: Published
    from_ms: int
    until_ms: int
    unit: Unit
    budget: int
    budget_partial: bool
    rules: tuple[Rule, ...]
    caps: tuple[Cap, ...]


class Outcome(StrEnum):
    AWARDED = "awarded"
    NONE = "none"
    PENDING = "pending_product"
    UNCLAIMED = "unclaimed"
    HELD = "held"


class Verdict(NamedTuple):
    """What the rules say of one scan.

    `gross` is the award before caps and budget, `limit_left` what the binding limit still had: with the facts they make
    the award recomputable.
    """

    outcome: str
    reason: str
    version: str | None = None
    rule: str | None = None
    missing: str | None = None
    unit: str | None = None
    gross: int = 0
    amount: int = 0
    limit_name: str | None = None
    limit_left: int | None = None
