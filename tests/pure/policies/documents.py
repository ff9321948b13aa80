"""Random policies and facts over the whole language, so small that every branch is met often."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from backend.kernel.amounts import OF_RESIDENTS, Rounding, Unit, unit_price
from backend.kernel.periods import Period
from backend.ledger import chart
from backend.policies.compiled import CompiledPolicy, compile_policy
from backend.policies.model import (
    Budget,
    Cap,
    Condition,
    Counts,
    Facts,
    Group,
    Milestone,
    Mode,
    Pace,
    Per,
    Policy,
    Published,
    Reward,
    RewardKind,
    Rule,
    Scope,
    Stacking,
    Window,
)
from backend.policies.terms import Claims, Transition

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Whole documents take a while to draw where the machine is busy."""

GRADES = st.none() | st.integers(1, 5)
SMALL = st.integers(0, 4)
PRICES = st.none() | st.sampled_from([0, 1, 99, 100, 10_000, 599_999, 600_000])
SCHEMES = st.sampled_from(["energy_label", "organic"])
CATEGORIES = st.sampled_from(["冰箱", "空调"])
DISTRICTS = st.sampled_from(["320102", "320104"])
PLACES = frozenset({Per.POLICY, Per.DISTRICT, Per.STORE, Per.CHANNEL})

facts = st.builds(
    Facts,
    scheme=st.sampled_from(["gtin", "organic"]),
    level=st.sampled_from("UMES"),
    proof=st.sampled_from(["P0", "P1", "P2", "P3"]),
    category=st.none() | CATEGORIES,
    grade=GRADES,
    tier=GRADES,
    price_fen=PRICES,
    quantity=st.integers(1, 5),
    store=st.none() | st.just("s1"),
    district=st.none() | DISTRICTS,
    body=st.none() | st.just("CNIS"),
    certificate_scheme=SCHEMES,
    channel=st.sampled_from(["till", "phone"]),
    buyer=st.sampled_from(["person", "person", "organisation"]),
    receipt_fen=PRICES,
    model=st.just("gtin:06901234567892"),
    basket=st.just("01900000-0000-7000-8000-000000000001"),
    phone=st.none() | st.just("cd" * 16),
    address=st.none() | st.just("ab" * 16),
    trade_in=st.none() | st.just("ef" * 16),
    trade_in_age=st.none() | st.integers(0, 20),
    case=st.none() | st.just("replace"),
    linked_points=st.none() | st.integers(0, 9),
    unit_price_fen=st.none(),
    device=st.just("till-00000001"),
    cashier=st.none() | st.just("c07"),
    serial=st.none() | st.just("SN1"),
    hour=st.just("10"),
    trade_in_days=st.integers(-2, 0),
    sold_at_ms=st.sampled_from([0, 3_599_999, 3_600_000]),
    claimed_elsewhere=st.sampled_from([False, False, True]),
).map(
    lambda facts: facts._replace(
        unit_price_fen=unit_price(facts.price_fen, facts.quantity),
        trade_in_days=None if facts.trade_in is None else facts.trade_in_days,
    )
)

conditions = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(["grade", "tier", "quantity", "trade_in_age", "trade_in_days", "linked_points"]),
        st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
        st.integers(0, 5),
    ),
    st.builds(
        Condition,
        st.sampled_from(["price_fen", "receipt_fen"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.sampled_from([100, 600_000]),
    ),
    st.builds(
        Condition,
        st.sampled_from(["category", "district", "channel", "case"]),
        st.sampled_from(["=", "!="]),
        st.sampled_from(["冰箱", "320102", "till", "replace"]),
    ),
    st.builds(
        Condition,
        st.sampled_from(["certificate_scheme", "store"]),
        st.sampled_from(["in", "not_in"]),
        st.sampled_from([("organic",), ("energy_label", "organic"), ("s1",)]),
    ),
)
members = st.recursive(
    conditions,
    lambda inner: st.builds(Group, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=4,
)
likely = st.just(Condition("quantity", ">=", 1))
"""So that rules pay often: what follows upon it is met as often as refusals are."""

scopes = st.builds(
    Scope,
    districts=st.just(()) | st.lists(DISTRICTS, max_size=1).map(tuple),
    stores=st.just(()) | st.just(("s1",)),
    schemes=st.just(()) | st.lists(SCHEMES, max_size=1).map(tuple),
    categories=st.just(()) | st.lists(CATEGORIES, max_size=1).map(tuple),
    channels=st.just(()) | st.just(("till",)),
    buyers=st.sampled_from([("person",), ("person", "organisation")]),
)
stackings = st.none() | st.builds(
    Stacking,
    group=st.sampled_from(["g", "h"]),
    mode=st.sampled_from(list(Mode)),
    order=st.integers(0, 2),
    ceiling_bp=st.none() | st.sampled_from([1, 2_000, 10_000]),
)
transitions = st.lists(
    st.builds(Transition, SCHEMES, st.sampled_from(["2026-11-21", "2026-11-22", "2027-01-01"])), max_size=1
).map(tuple)


windows = st.builds(
    Window, st.just("w"), st.sampled_from([(Per.MODEL,), (Per.PERSON,), (Per.ADDRESS, Per.STORE)]), st.just(1)
).map(lambda window: (window,))


@st.composite
def rewards(draw: st.DrawFn, unit: Unit, *, once: bool = False) -> Reward:
    kind = RewardKind.FIXED if once else draw(st.sampled_from(list(RewardKind)))
    percents = draw(st.booleans())
    return Reward(
        kind=kind,
        unit=unit,
        rounding=draw(st.sampled_from(list(Rounding))),
        amount=draw(st.integers(1, 50)),
        basis_points=draw(st.sampled_from([1, 100, 250, 10_000])),
        by=draw(st.sampled_from(["grade", "tier"])) if kind is RewardKind.TABLE else None,
        table=draw(st.dictionaries(st.integers(1, 5), st.integers(1, 500), min_size=1))
        if kind is RewardKind.TABLE
        else None,
        table_is_percent=percents if kind is RewardKind.TABLE else False,
        cap_per_unit=draw(st.none() | st.integers(1, 30)),
        factor_bp=draw(st.sampled_from([1, 5_000, 10_000, 15_000])),
        once_a_basket=once,
    )


@st.composite
def rules(draw: st.DrawFn, number: int, units: list[Unit], fees: Sequence[Unit]) -> Rule:
    rates = st.dictionaries(
        st.tuples(st.sampled_from("UMES"), st.sampled_from(["P0", "P1", "P2", "P3"])),
        st.sampled_from([1, 5_000, 10_000]),
        min_size=1,
        max_size=12,
    )
    paid = draw(st.lists(st.sampled_from(units), min_size=1, max_size=len(units), unique=True))
    once = draw(st.sampled_from([False, False, True]))
    return Rule(
        f"r{number}",
        f"规则{number}",
        f"rule {number}",
        Group("all", tuple(draw(st.lists(likely | members, min_size=1, max_size=3)))),
        tuple(draw(rewards(unit, once=once)) for unit in (*paid, *draw(st.sampled_from([(), fees])))),
        draw(st.just({(level, proof): 10_000 for level in "UMES" for proof in ("P0", "P1", "P2", "P3")}) | rates),
    )


@st.composite
def caps(draw: st.DrawFn, number: int, units: list[Unit]) -> Cap:
    counts = draw(st.sampled_from([Counts.AMOUNT, *Counts]))
    return Cap(
        f"c{number}",
        draw(st.sampled_from(list(Period))),
        draw(st.integers(1, 60)),
        draw(st.booleans()),
        draw(st.sampled_from(units)) if counts is Counts.AMOUNT else None,
        per=draw(
            st.just((Per.PERSON,))
            | st.lists(st.sampled_from(list(Per)), min_size=1, max_size=3, unique=True).map(tuple)
        ),
        counts=counts,
        programme=draw(st.none() | st.just("programme")),
        schemes=draw(st.just(()) | st.lists(SCHEMES, max_size=1).map(tuple)),
        categories=draw(st.just(()) | st.lists(CATEGORIES, max_size=1).map(tuple)),
    )


@st.composite
def paces(draw: st.DrawFn, unit: Unit) -> Pace:
    per = draw(st.lists(st.sampled_from(sorted(PLACES)), min_size=1, max_size=2, unique=True).map(tuple))
    apart = st.none() | st.dictionaries(DISTRICTS, st.integers(0, 60), min_size=1)
    return Pace(
        f"pace-{unit}",
        draw(st.integers(1, 60)),
        per,
        draw(apart) if Per.DISTRICT in per else None,
        draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn, number: int = 0) -> CompiledPolicy:
    units = draw(st.lists(st.sampled_from(OF_RESIDENTS), min_size=1, max_size=3, unique=True))
    fees = draw(st.sampled_from([(), (), (Unit.FEE,)]))
    policy = Policy(
        policy=f"p{number}",
        title_zh="测试政策",
        title_en="Test policy",
        document=Published("测试〔2026〕1号", "测试", "2026-01-01", None),
        from_ms=0,
        until_ms=2**53,
        budgets=tuple(
            Budget(unit, 10**6, draw(st.booleans()), paces=tuple(draw(st.lists(paces(unit), max_size=1))))
            for unit in (*units, *fees)
        ),
        rules=tuple(draw(rules(i, units, fees)) for i in range(draw(st.integers(1, 2)))),
        caps=tuple(draw(caps(i, [*units, *fees])) for i in range(draw(st.integers(1, 3)))),
        scope=draw(st.just(Scope()) | scopes),
        stacking=draw(stackings),
        transitions=draw(st.just(()) | transitions),
        milestones=tuple(
            Milestone(
                f"m{i}",
                draw(st.sampled_from(units)),
                draw(st.sampled_from(list(Period))),
                draw(st.dictionaries(st.integers(1, 4), st.integers(1, 50), min_size=1, max_size=3)),
            )
            for i in range(draw(st.integers(0, 2)))
        ),
        windows=draw(st.just(()) | st.just(()) | windows),
        claims=draw(st.sampled_from(list(Claims))),
    )
    return compile_policy(policy, f"01900000-0000-7000-8000-{number:012x}", 2**53, chart.budget)


@st.composite
def several(draw: st.DrawFn) -> tuple[CompiledPolicy, ...]:
    return tuple(draw(policies(number)) for number in range(draw(st.integers(0, 3))))


def _simple(compiled: CompiledPolicy) -> CompiledPolicy:
    """The same policy without what looks beyond the scan: one reward a rule, counters of persons alone."""
    policy = compiled.policy
    rewards_of = {rule.rule: replace(rule.rewards[0], once_a_basket=False) for rule in policy.rules}
    plain = {"per": (Per.PERSON,), "counts": Counts.AMOUNT, "schemes": (), "categories": (), "programme": None}
    changed = replace(
        policy,
        budgets=tuple(replace(budget, paces=()) for budget in policy.budgets),
        rules=tuple(replace(rule, rewards=(rewards_of[rule.rule],)) for rule in policy.rules),
        caps=tuple(replace(cap, **plain, unit=cap.unit or policy.units[0]) for cap in policy.caps),
        stacking=None,
        milestones=(),
        windows=(),
    )
    return compile_policy(changed, compiled.version, compiled.until_ms, chart.budget)


simple_policies = policies().map(_simple)
