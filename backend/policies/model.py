from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from backend.kernel.amounts import BASIS_POINTS, Rounding, Unit
from backend.kernel.periods import Period
from backend.policies.terms import AT_ONCE, WHENEVER, WITHOUT_END, Claims, Expiry, Pending, Returns, Transition
from backend.policies.watch import Watch


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


class Buyer(StrEnum):
    """Who buys. An organisation has an account, caps and reports of its own (article 15 names private enterprises)."""

    PERSON = "person"
    ORGANISATION = "organisation"


HAND_IN = "hand_in"
"""The channel of an old unit that is handed in after its sale: asked are only policies whose scope names it."""
SALES = ("till", "phone")
"""The channels of a policy that names none."""


class Facts(NamedTuple):
    """What the rules may look at, for one scan.

    Amounts in fen: `price_fen` is the final price of the whole line, `unit_price_fen` of one piece of it (rounded up, so
    that a ceiling is never passed unseen), `receipt_fen` of all priced lines of its basket.
    """

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
    model: str | None = None
    unit_price_fen: int | None = None
    serial: str | None = None
    channel: str = "till"
    """From here on what all lines of a basket share."""
    buyer: str = "person"
    receipt_fen: int | None = None
    basket: str | None = None
    device: str | None = None
    cashier: str | None = None
    hour: str | None = None
    """Of the sale, in Asia/Shanghai, as two digits."""
    sold_at_ms: int = 0
    """The moment of sale in Unix milliseconds, by which windows count."""
    claimed_elsewhere: bool = False
    """Its basket became somebody's by a claim code or a slip, and not in the shop that sold it."""
    median_fen: int | None = None
    """From here on what most lines have nothing of."""
    travel_kmh: int | None = None
    """With the median what watches compare with (`watch`), where it was looked up."""
    phone: str | None = None
    address: str | None = None
    trade_in: str | None = None
    trade_in_age: int | None = None
    case: str | None = None
    linked_points: int | None = None
    trade_in_days: int | None = None


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
    """What a rule pays in one unit, before rates and caps.

    fixed: `amount` a scan, or a basket when `once_a_basket`; per_unit: `amount` a piece; percent: `basis_points` of the
    line's price in fen, for a table by grade or tier the row's; `cap_per_unit` bounds it a piece; `factor_bp` multiplies;
    rounded once, as named.
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
    factor_bp: int = BASIS_POINTS
    once_a_basket: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    rule: str
    name_zh: str
    name_en: str
    when: Group
    rewards: tuple[Reward, ...]
    """One a unit, in the order of the document."""
    rates: Mapping[tuple[str, str], int]
    """(label level, proof level) -> basis points of the reward; a pair that is absent earns nothing."""


class Counts(StrEnum):
    """What a cap adds up: the amount awarded in its unit, pieces of goods that earned, or awards."""

    AMOUNT = "amount"
    PIECES = "pieces"
    AWARDS = "awards"


class Per(StrEnum):
    """Whose use a cap counts: one counter for each combination of the attributes that it names."""

    PERSON = "person"
    PHONE = "phone"
    ADDRESS = "address"
    TRADE_IN = "trade_in"
    SERIAL = "serial"
    STORE = "store"
    TILL = "device"
    CASHIER = "cashier"
    DISTRICT = "district"
    CHANNEL = "channel"
    MODEL = "model"
    CATEGORY = "category"
    SCHEME = "certificate_scheme"
    BASKET = "basket"
    HOUR = "hour"
    POLICY = "policy"


class Beyond(StrEnum):
    """What becomes of an award beyond a cap: it is refused, or held for a person to look at (a sign of misuse)."""

    REFUSE = "refuse"
    HOLD = "hold"


ALL_PROGRAMMES = ""
"""The programme of caps that all policies of a city share."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` of what it counts for each combination of `per`, in one civil period (Asia/Shanghai).

    With a `programme` all policies of that programme share the counter, with an empty one all of the city. `schemes` and
    `categories`, where given, name the goods that it counts; other goods pass it by.
    """

    cap: str
    period: Period
    limit: int
    partial: bool
    """True: the last award is cut down to what is left. False: it is refused whole."""
    unit: Unit | None = None
    """Of an amount; None counts the only unit that the policy pays."""
    per: tuple[Per, ...] = (Per.PERSON,)
    counts: Counts = Counts.AMOUNT
    programme: str | None = None
    schemes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    beyond: Beyond = Beyond.REFUSE


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a budget may be spent: `amount` a civil day (Asia/Shanghai), for each of what `per` names.

    `amounts` states it apart for some (district code -> amount). With `carry_over` what a day leaves may be spent later.
    """

    pace: str
    amount: int
    per: tuple[Per, ...] = (Per.POLICY,)
    amounts: Mapping[str, int] | None = None
    carry_over: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A part of every award that one source of money bears, in basis points; the shares of a budget sum to 10,000."""

    source: str
    name_zh: str
    name_en: str
    basis_points: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a policy may spend of one unit. `shards`: the accounts that it is spread over, so that writers do not queue."""

    unit: Unit
    amount: int
    partial: bool
    shards: int = 1
    paces: tuple[Pace, ...] = ()
    shares: tuple[Share, ...] = ()
    reclaim_on: str | None = None
    """The civil date from which what is left goes back to the treasury."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The sales that a policy is for; an empty tuple leaves that side open. A scan outside of it is not asked about."""

    districts: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    buyers: tuple[str, ...] = (Buyer.PERSON.value,)


class Mode(StrEnum):
    """How the policies of a stacking group share a scan: all are paid, the largest, or the first that pays."""

    SUM = "sum"
    BEST = "best"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Stacking:
    """`order` decides among equals, then the policy's name. `ceiling_bp`: the most that all policies of a summing group
    pay in fen, as a share of the line's price.
    """

    group: str
    mode: Mode
    order: int = 0
    ceiling_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """At most one award for each combination of `per` in any `hours`: two sales less than that apart never both earn.

    It rolls with the moments of sale, to the millisecond, whatever the calendar says; exactly so far apart is far enough.
    """

    window: str
    per: tuple[Per, ...]
    hours: int


@dataclass(frozen=True, slots=True)
class Milestone:
    """A bonus in the budget's `unit` with the n-th award that a person gets under the policy in one civil period."""

    milestone: str
    unit: Unit
    period: Period
    steps: Mapping[int, int]


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
    budgets: tuple[Budget, ...]
    """One a unit."""
    rules: tuple[Rule, ...]
    caps: tuple[Cap, ...]
    scope: Scope = Scope()
    programme: str | None = None
    within: str | None = None
    """The city policy that a district narrows or tops up."""
    stacking: Stacking | None = None
    pending: Pending = AT_ONCE
    expiry: Expiry = WITHOUT_END
    returns: Returns = WHENEVER
    transitions: tuple[Transition, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    watches: tuple[Watch, ...] = ()
    windows: tuple[Window, ...] = ()
    claims: Claims = Claims.ANYWHERE

    @property
    def units(self) -> tuple[Unit, ...]:
        return tuple(budget.unit for budget in self.budgets)

    @property
    def timed(self) -> bool:
        """Whether its awards wait, have to be collected, or end: then the moment of sale says where they go."""
        return self.pending != AT_ONCE or self.expiry != WITHOUT_END


class Outcome(StrEnum):
    AWARDED = "awarded"
    NONE = "none"
    PENDING = "pending_product"
    UNCLAIMED = "unclaimed"
    HELD = "held"


class Award(NamedTuple):
    """What one policy gives for a scan in one unit, or, with `amount` 0, which limit left nothing of it.

    `gross` is the award before caps and budget, `limit_left` what the binding limit still had: with the facts they make
    the award recomputable.
    """

    reason: str
    version: str
    rule: str
    unit: str
    gross: int
    amount: int
    limit_name: str | None
    limit_left: int | None


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What the rules say of one scan: its first award, or the refusal that came nearest to one.

    `more` holds what further units and policies give, and the awards of which limits left nothing.
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
    more: tuple[Award, ...] = ()
