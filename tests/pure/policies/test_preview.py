"""A preview by laws: a version beside itself changes nothing, and parts of the persons come to the same as all of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.periods import civil_date
from backend.policies.compiled import CompiledPolicy
from backend.policies.document import load_policy
from backend.policies.model import Facts
from backend.policies.preview import Fold, PersonFolds, Side, Sold, Version, sides
from backend.policies.preview_parts import Compared, totals_of
from backend.policies.preview_totals import Totals
from tests.pure.policies import documents
from tests.worlds import rules
from tests.worlds.scans import PERSON, SOLD_AT_MS

DAY_MS = 86_400_000
WINDOW = (SOLD_AT_MS - 30 * DAY_MS, SOLD_AT_MS + 30 * DAY_MS)
FRIDGE = Facts("gtin", "M", "P3", "冰箱", 1, None, 10_000, 1, "s1", "320102", "CNIS", "energy_label", basket="b")


def sold(number: int, facts: Facts, person: str = PERSON, days: int = 0) -> Sold:
    at = SOLD_AT_MS + days * DAY_MS + number
    return Sold((at, "t1", "", number, 0), person, civil_date(at), facts)


def previewed(in_force: Side, draft: Any, sales: list[Sold], side: Side) -> dict[str, Any]:
    totals = totals_of(Compared(in_force, side, draft), lambda _part, _parts: [sales], parts=1)
    return totals.result(draft, {}, seed=1)


def of_document(doc: dict[str, Any], sales: Iterable[Sold], draft: dict[str, Any] | None = None) -> dict[str, Any]:
    policy = load_policy(rules.text_of(doc))
    changed = load_policy(rules.text_of(draft or doc))
    versions = [Version("v1", policy, policy.from_ms, policy.until_ms)]
    in_force, drafted = sides(versions, changed, WINDOW, SOLD_AT_MS)
    return previewed(in_force, changed, list(sales), drafted)


@settings(documents.LAW, max_examples=30)
@given(st.lists(documents.facts, max_size=6), documents.several())
def test_a_version_beside_itself_changes_nothing(facts: list[Facts], policies: tuple[CompiledPolicy, ...]) -> None:
    if not policies:
        return
    versions = [Version(one.version, one.policy, one.from_ms, one.until_ms) for one in policies]
    same = replace(policies[0].policy, until_ms=WINDOW[1])
    in_force, draft = sides(versions, same, WINDOW, SOLD_AT_MS)
    sales = [sold(number, one, f"p{number % 2}", number // 3) for number, one in enumerate(facts)]

    found = previewed(in_force, same, sales, draft)

    assert (found["winners"], found["losers"]) == ({}, {})
    assert found["flips"] == {"gained": 0, "lost": 0}
    assert all(before == after for before, after in found["cost"].values())
    assert found["held"][0] == found["held"][1]
    assert found == previewed(in_force, same, sales, draft)


@settings(documents.LAW, max_examples=30)
@given(
    told=st.lists(st.tuples(documents.facts, st.integers(0, 3), st.integers(0, 40)), max_size=12),
    budget=st.integers(1, 60),
    partial=st.booleans(),
)
def test_persons_added_up_apart_come_to_what_the_order_of_sale_does(
    told: list[tuple[Facts, int, int]], budget: int, *, partial: bool
) -> None:
    """Also where a budget ends: then, and only then, the order of sale is asked."""
    doc = rules.document(
        rules.rule("best", rules.fixed(20), rules.where("grade", "<=", 1)), rules.rule("rest", rules.fixed(3)),
        budget=budget, partial=partial, caps=[rules.cap("day", "day", 25)],
    )  # fmt: skip
    draft = load_policy(rules.text_of(doc))
    versions = [Version("v1", load_policy(rules.text_of(rules.document())), *WINDOW)]
    compared = Compared(*sides(versions, draft, WINDOW, SOLD_AT_MS), draft)
    sales = [sold(number, one, f"p{person}", day) for number, (one, person, day) in enumerate(told)]
    sales.sort(key=lambda sale: sale.order)
    in_order = Totals(*compared)
    in_order.add(PersonFolds(compared.in_force, compared.draft).events(sales))

    found = totals_of(compared, lambda _part, _parts: [sales], parts=1)
    apart = [Totals(*compared, endless=True) for _ in range(2)]
    for number, totals in enumerate(apart):
        mine = [sale for sale in sales if int(sale.person[1:]) % 2 == number]
        totals.add(PersonFolds(compared.in_force, compared.draft).events(mine))
    together = apart[0].tally().plus(apart[1].tally())

    assert found == in_order.tally()
    said = found.result(draft, {}, seed=1)
    months = [amounts["points"] for amounts in said["months"].values() if "points" in amounts]
    if said["cost"]:
        assert [sum(side) for side in zip(*months, strict=True)] == said["cost"]["points"]
    assert together.wanted == found.wanted
    if together.fits(compared.current, draft):
        assert together == found


def test_who_gets_more_and_who_gets_less_is_counted_in_each_unit() -> None:
    """Grade 1 earns 20 in place of 10, all else nothing in place of 10."""
    draft = rules.document(rules.rule("best", rules.fixed(20), rules.where("grade", "<=", 1)))
    second = FRIDGE._replace(grade=2)
    sales = [sold(0, FRIDGE, "li"), sold(1, FRIDGE, "li"), sold(2, second, "wang"), sold(3, FRIDGE, "zhao")]
    sales += [sold(4, second, "zhao"), sold(5, FRIDGE._replace(proof="P0"), "nobody")]

    found = of_document(rules.document(), sales, draft)

    assert (found["sales"], found["persons"]) == (6, 4)
    assert found["cost"] == {"points": [50, 60]}
    assert (found["winners"], found["losers"]) == ({"points": 1}, {"points": 1})
    assert found["flips"] == {"gained": 0, "lost": 2}
    assert found["by"]["store"] == {"s1": {"points": [50, 60]}}


def test_a_budget_ends_in_the_order_of_sale() -> None:
    sales = [sold(0, FRIDGE, "li"), sold(1, FRIDGE, "wang"), sold(2, FRIDGE, "zhao")]

    found = of_document(rules.document(), sales, rules.document(budget=15))
    whole = of_document(rules.document(), sales, rules.document(budget=15, partial=False))

    assert found["cost"] == {"points": [30, 15]}
    assert found["losers"] == {"points": 2}
    assert whole["cost"] == {"points": [30, 10]}


def test_a_budget_that_lasts_a_day_and_a_half_is_exhausted_on_the_second_day() -> None:
    sales = [sold(day, FRIDGE, "li", day) for day in range(28)]
    starts = date(2026, 1, 1)

    found = of_document(rules.document(), sales, rules.document(budget=15))

    assert found["exhausted"]["points"]["p50"] == starts.replace(day=2).isoformat()
    assert found["exhausted"]["points"]["p90"] == starts.replace(day=2).isoformat()


def test_a_policy_of_no_version_is_compared_with_nothing() -> None:
    draft = load_policy(rules.text_of(rules.document()))
    in_force, drafted = sides([], draft, WINDOW, SOLD_AT_MS)

    found = previewed(in_force, draft, [sold(0, FRIDGE)], drafted)

    assert found["cost"] == {"points": [0, 10]}
    assert found["flips"] == {"gained": 1, "lost": 0}


def test_another_policys_versions_share_a_pace_that_carries_over_as_they_do_when_sales_are_decided() -> None:
    versions = []
    for at, starts in enumerate(("2026-11-13T00:00:00+08:00", "2026-11-22T00:00:00+08:00")):
        doc = rules.document(starts=starts)
        doc["budget"]["paces"] = [{"pace": "daily", "amount": 10, "carry_over": True}]
        policy = load_policy(rules.text_of(doc))
        versions.append(Version(f"v{at + 1}", policy, policy.from_ms, policy.until_ms))
    first, second = versions
    fold = Fold((first._replace(until_ms=second.from_ms), second))

    judged = [fold.judge(sold(0, FRIDGE, days=day)) for day in (-2, -1, -1, 1)]

    assert [one.paid for one in judged] == [((version, "points", 10),) for version in ("v1", "v1", "v1", "v2")]
