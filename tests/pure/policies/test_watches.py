"""A watch holds an award for a price far from the usual one, and for one person in two places; what is not known is silent."""

from typing import Any

import pytest

from backend.policies.compiled import CompiledPolicy, plan_of
from backend.policies.document import PolicyRefused, load_policy
from backend.policies.evaluate import evaluate
from backend.policies.limit_words import limit_words
from backend.policies.lint import lint
from backend.policies.model import Facts, Verdict
from backend.policies.watch import Of, Watch
from tests.pure.policies.test_signals import LI, ON, sale
from tests.worlds import rules

DEAR = {"watch": "dear", "of": "price", "above_bp": 13_000, "below_bp": 5_000}
FAR = {"watch": "far", "of": "travel", "kmh": 150}


def policy(*watches: dict[str, Any], **more: object) -> CompiledPolicy:
    return rules.compiled({**rules.document(), "watches": list(watches), **more})


def decide(watched: CompiledPolicy, facts: Facts, *, released: bool = False) -> Verdict:
    return evaluate(facts, LI, ON, plan_of([watched]), rules.limits(watched), released=released)


@pytest.mark.parametrize(
    ("price", "median", "seen"),
    [(13_000, 10_000, False), (13_001, 10_000, True), (5_000, 10_000, False), (4_999, 10_000, True), (0, 1, True)],
)
def test_a_price_at_its_bound_passes_and_one_beyond_is_held(price: int, median: int, seen: bool) -> None:  # noqa: FBT001
    verdict = decide(policy(DEAR), sale(unit_price_fen=price, median_fen=median))

    assert (verdict.outcome == "held") is seen
    if seen:
        held = (verdict.reason, verdict.limit_name, verdict.limit_left, verdict.gross, verdict.amount)
        assert held == ("signal", "dear", None, 10, 0)


@pytest.mark.parametrize(("speed", "seen"), [(0, False), (150, False), (151, True)])
def test_a_journey_that_is_too_fast_is_held(speed: int, seen: bool) -> None:  # noqa: FBT001
    assert (decide(policy(DEAR, FAR), sale(travel_kmh=speed)).limit_name == "far") is seen


@pytest.mark.parametrize("facts", [{}, {"unit_price_fen": 1}, {"median_fen": 1}])
def test_what_is_not_known_holds_nothing(facts: dict[str, Any]) -> None:
    assert decide(policy(DEAR, FAR), sale(**facts)).amount == 10


def test_what_a_person_releases_is_paid() -> None:
    assert decide(policy(FAR), sale(travel_kmh=999), released=True).amount == 10


def test_a_watch_takes_nothing_from_limits_and_holds_nothing_that_would_not_be_paid() -> None:
    watched = policy(FAR)
    limits = rules.limits(watched, budget=15)

    verdicts = [evaluate(sale(travel_kmh=999), LI, ON, plan_of([watched]), limits) for _ in range(2)]
    limits.budgets = dict.fromkeys(limits.budgets, 0)
    empty = evaluate(sale(travel_kmh=999), LI, ON, plan_of([watched]), limits)

    assert [verdict.outcome for verdict in verdicts] == ["held", "held"]
    assert not any(limits.used.values())
    assert (empty.outcome, empty.reason) == ("none", "budget")


def test_one_side_of_a_price_may_be_watched_alone() -> None:
    watch = Watch("cheap", Of.PRICE, below_bp=5_000)

    assert watch.sees(4_999, 10_000, None)
    assert not watch.sees(1_000_000, 10_000, None)


@pytest.mark.parametrize(
    ("watch", "place"),
    [
        ({"watch": "w", "of": "price"}, "watches.0.of"),
        ({"watch": "w", "of": "price", "kmh": 100}, "watches.0.of"),
        ({"watch": "w", "of": "travel"}, "watches.0.of"),
        ({**FAR, "above_bp": 13_000}, "watches.0.of"),
        ({**DEAR, "above_bp": 10_000}, "watches.0.above_bp"),
        ({**DEAR, "below_bp": 10_000}, "watches.0.below_bp"),
        ({**FAR, "kmh": 0}, "watches.0.kmh"),
        ({**FAR, "watch": "life"}, "caps"),
        ({**FAR, "beyond": "refuse"}, "watches.0.beyond"),
    ],
)
def test_a_watch_compares_one_thing_and_has_a_name_of_its_own(watch: dict[str, Any], place: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(rules.text_of({**rules.document(), "watches": [watch]}))

    assert place in refused.value.faults


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        (DEAR, False),
        (FAR, False),
        ({**DEAR, "above_bp": 10_999}, True),
        ({**DEAR, "below_bp": 8_001}, True),
        ({**FAR, "kmh": 79}, True),
    ],
)
def test_a_watch_that_holds_ordinary_business_is_warned_of(changes: dict[str, Any], warned: bool) -> None:  # noqa: FBT001
    found = lint(load_policy(rules.text_of({**rules.document(), "watches": [changes]})))

    assert ("watches.0" in {one.place for one in found if one.code == "watch_too_narrow"}) is warned


def test_people_read_what_was_seen_and_not_how_it_is_measured() -> None:
    said = [limit_words(policy(DEAR, FAR), name).zh for name in ("dear", "far")]

    assert said == ["成交价与该商品近期的常见价格相差较大", "短时间内在相距较远的门店购买"]
