"""Random policies and facts, so small that every branch is met often."""

from hypothesis import strategies as st

from backend.kernel.amounts import Rounding, Unit
from backend.kernel.periods import Period
from backend.ledger import chart
from backend.policies.compiled import CompiledPolicy, compile_policy
from backend.policies.model import (
    Budget,
    Cap,
    Condition,
    Facts,
    Group,
    Policy,
    Published,
    Reward,
    RewardKind,
    Rule,
    unit_price,
)

GRADES = st.none() | st.integers(1, 5)
SMALL = st.integers(0, 4)
PRICES = st.none() | st.sampled_from([0, 1, 99, 100, 10_000, 599_999, 600_000])

facts = st.builds(
    Facts,
    scheme=st.sampled_from(["gtin", "organic"]),
    level=st.sampled_from("UMES"),
    proof=st.sampled_from(["P0", "P1", "P2", "P3"]),
    category=st.none() | st.sampled_from(["冰箱", "空调"]),
    grade=GRADES,
    tier=GRADES,
    price_fen=PRICES,
    quantity=st.integers(1, 5),
    store=st.none() | st.just("s1"),
    district=st.none() | st.sampled_from(["320102", "320104"]),
    body=st.none() | st.just("CNIS"),
    certificate_scheme=st.sampled_from(["energy_label", "organic"]),
    channel=st.sampled_from(["till", "phone"]),
    buyer=st.sampled_from(["person", "person", "organisation"]),
    receipt_fen=PRICES,
    model=st.just("gtin:06901234567892"),
    basket=st.just("01900000-0000-7000-8000-000000000001"),
    phone=st.none(),
    address=st.none() | st.just("ab" * 16),
    trade_in=st.none(),
    trade_in_age=st.none() | st.integers(0, 20),
    case=st.none() | st.just("replace"),
    linked_points=st.none(),
    unit_price_fen=st.none(),
).map(lambda facts: facts._replace(unit_price_fen=unit_price(facts.price_fen, facts.quantity)))

conditions = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(["grade", "tier", "quantity"]),
        st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
        st.integers(0, 5),
    ),
    st.builds(
        Condition, st.just("price_fen"), st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from([100, 600_000])
    ),
    st.builds(
        Condition,
        st.sampled_from(["category", "district"]),
        st.sampled_from(["=", "!="]),
        st.sampled_from(["冰箱", "320102"]),
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


@st.composite
def rewards(draw: st.DrawFn, unit: Unit) -> Reward:
    kind = draw(st.sampled_from(list(RewardKind)))
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
    )


@st.composite
def policies(draw: st.DrawFn, number: int = 0) -> CompiledPolicy:
    unit = draw(st.sampled_from([Unit.POINTS, Unit.FEN]))
    rates = st.dictionaries(
        st.tuples(st.sampled_from("UMES"), st.sampled_from(["P0", "P1", "P2", "P3"])),
        st.sampled_from([1, 5_000, 10_000]),
        min_size=1,
        max_size=12,
    )
    rules = tuple(
        Rule(
            f"r{i}",
            f"规则{i}",
            f"rule {i}",
            Group("all", tuple(draw(st.lists(members, min_size=1, max_size=3)))),
            (draw(rewards(unit)),),
            draw(rates),
        )
        for i in range(draw(st.integers(1, 3)))
    )
    caps = tuple(
        Cap(f"c{i}", draw(st.sampled_from(list(Period))), draw(st.integers(1, 60)), draw(st.booleans()), unit)
        for i in range(draw(st.integers(1, 3)))
    )
    policy = Policy(
        policy=f"p{number}",
        title_zh="测试政策",
        title_en="Test policy",
        document=Published("测试〔2026〕1号", "测试", "2026-01-01", None),
        from_ms=0,
        until_ms=2**53,
        budgets=(Budget(unit, 10**6, draw(st.booleans())),),
        rules=rules,
        caps=caps,
    )
    return compile_policy(policy, f"01900000-0000-7000-8000-{number:012x}", 2**53, chart.budget)


@st.composite
def several(draw: st.DrawFn) -> tuple[CompiledPolicy, ...]:
    return tuple(draw(policies(number)) for number in range(draw(st.integers(0, 3))))
