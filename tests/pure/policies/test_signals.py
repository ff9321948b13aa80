"""A sign of misuse holds the award for a person, with what it was; it never deletes, and what is released is paid."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.policies.compiled import CompiledPolicy, plan_of
from backend.policies.evaluate import evaluate
from backend.policies.limits import Limits
from backend.policies.model import Facts, Verdict
from tests.worlds import rules

LI, WANG = "01900000-0000-7000-8000-00000000000a", "01900000-0000-7000-8000-00000000000b"
ON = date(2026, 11, 22)


def cap(name: str, per: list[str], limit: int, **more: object) -> dict[str, Any]:
    counted = {"cap": name, "per": per, "period": "day", "limit": limit, "counts": "awards", "partial": False}
    return {**counted, "beyond": "hold", **more}


def policy(*caps: dict[str, Any], **more: object) -> CompiledPolicy:
    return rules.compiled({**rules.document(caps=[*caps, rules.cap("life", "lifetime", 10**9)]), **more})


def sale(**facts: object) -> Facts:
    usual = Facts("gtin", "M", "P3", "冰箱", 1, None, 10_000, 1, "s1", "320102", "CNIS", "energy_label")
    told = {"model": "gtin:1", "device": "till-1", "cashier": "c07", "serial": "SN1", "hour": "12"}
    return usual._replace(**{**told, **facts})  # type: ignore[arg-type]  # fields of their own types


def decide(
    limits: Limits, *policies: CompiledPolicy, person: str = LI, released: bool = False, **facts: object
) -> Verdict:
    return evaluate(sale(**facts), person, ON, plan_of(policies), limits, released=released)


@pytest.mark.parametrize(
    ("per", "same", "other"),
    [
        (["person", "hour"], {}, {"hour": "13"}),
        (["cashier"], {"person": WANG}, {"cashier": "c08"}),
        (["device", "hour"], {"person": WANG}, {"device": "till-2"}),
        (["model"], {"person": WANG}, {"model": "gtin:2"}),
        (["person", "store"], {}, {"store": "s2"}),
    ],
)
def test_more_than_so_many_awards_are_held(per: list[str], same: dict[str, Any], other: dict[str, Any]) -> None:
    watched = policy(cap("velocity", per, 2))
    limits = rules.limits(watched)

    paid = [decide(limits, watched).amount for _ in range(2)]
    held = decide(limits, watched, **same)

    assert paid == [10, 10]
    assert (held.outcome, held.reason, held.limit_name, held.limit_left) == ("held", "signal", "velocity", 0)
    assert (held.gross, held.amount) == (10, 0)
    assert decide(limits, watched, **{**same, **other}).amount == 10


def test_what_a_person_releases_is_paid() -> None:
    watched = policy(cap("velocity", ["person"], 1))
    limits = rules.limits(watched)
    decide(limits, watched)

    assert decide(limits, watched).outcome == "held"
    assert decide(limits, watched, released=True).amount == 10


def test_one_serial_in_two_programmes_is_held() -> None:
    once = cap("one-serial", ["serial"], 1, period="lifetime", citywide=True)
    first = policy(once, programme="one", stacking={"group": "a", "mode": "first"})
    second = replace(
        policy(once, policy="second", programme="two", stacking={"group": "b", "mode": "first"}), version="v2"
    )
    limits = rules.limits(first, second)

    assert decide(limits, first).amount == 10
    held = decide(limits, second, person=WANG)

    assert (held.outcome, held.limit_name) == ("held", "one-serial")


def test_a_hold_gives_back_what_other_policies_took() -> None:
    paying = policy(stacking={"group": "g", "mode": "sum", "order": 0})
    watched = replace(
        policy(cap("velocity", ["person"], 1), policy="watched", stacking={"group": "g", "mode": "sum", "order": 1}),
        version="v2",
    )
    limits = rules.limits(paying, watched)
    decide(limits, paying, watched)
    before = dict(limits.used), dict(limits.budgets)

    held = decide(limits, paying, watched)

    assert (held.outcome, held.version, held.more) == ("held", "v2", ())
    assert ({k: v for k, v in limits.used.items() if v}, limits.budgets) == before
