"""Many policies: what the engine keeps with twenty of ten rules, and what one that cannot apply adds to a decision."""

import json
import time
from copy import deepcopy
from datetime import date
from statistics import median
from typing import Any

from backend.ledger import chart
from backend.policies.compiled import CompiledPolicy, PolicySet, compile_policy
from backend.policies.document import load_policy
from backend.policies.evaluate import evaluate
from backend.policies.limits import Limits
from backend.policies.model import Facts
from backend.storage.transaction import Database
from backend.usecases.publish_policy import publish_policy
from tests.bench import city, floors
from tests.bench.ground import Ground, Place
from tests.bench.measure import Run, median_ratio
from tests.bench.recording import run_engine, run_floor
from tests.bench.report import Ratio, say

POLICIES, RULES = 20, 10
SALES, ROUNDS = 4_000, 15
ON = date(2026, 11, 22)


def documents() -> list[dict[str, Any]]:
    """The city's own policy with ten rules, one more that the same goods may ask, and eighteen for goods of other kinds."""
    first = deepcopy(city.POLICY)
    first["rules"] = [*_others("first"), *first["rules"]][-RULES:]
    second = deepcopy(first) | {"policy": "green-points-second", "scope": {"categories": ["显示器", "蔬菜"]}}
    second["rules"] = [*_others("second"), *second["rules"][-2:]][-RULES:]
    idle = [
        deepcopy(first) | {"policy": f"other-goods-{number:02d}", "scope": {"categories": [f"其他商品{number}"]}}
        for number in range(POLICIES - 2)
    ]
    return [first, second, *idle]


def _others(name: str) -> list[dict[str, Any]]:
    """Rules of which no condition holds here, but which must be tried one after the other."""
    return [
        {
            "rule": f"{name}-{number}",
            "name_zh": f"规则{number}",
            "name_en": f"Rule {number}",
            "when": [
                {"fact": "certificate_scheme", "op": "=", "value": f"scheme_{number}"},
                {"fact": "price_fen", "op": ">=", "value": 100},
            ],
            "reward": {"kind": "fixed", "amount": 1},
            "rates": {"M": {"P3": 10_000}},
        }
        for number in range(RULES)
    ]


def twenty_policies_vs_floor_d(ground: Ground, alternations: int) -> Ratio:
    """As `engine_vs_floor_d`, with twenty policies of ten rules of which at most two can apply to a scan."""
    place, floor = ground.place(), ground.floor()
    _publish(place)
    pairs: list[tuple[Run, Run]] = []
    for number in range(alternations + 1):
        ours, theirs = run_engine(place, number), run_floor(floor, number)
        if number:
            pairs.append((ours, theirs))
            say(f"  engine {ours.rate:7.0f} scans/s   floor D {theirs.rate:7.0f} scans/s")
    place.verify()
    floors.verify(floor)
    return Ratio("twenty_policies_vs_floor_d", median_ratio([(o.rate, t.rate) for o, t in pairs]), 0.40)


def idle_policy_vs_asked(_ground: Ground, _alternations: int) -> Ratio:
    """What a policy outside of whose scope a sale lies adds to a decision, as a part of one that is asked."""
    compiled = [_compiled(document) for document in documents()]
    asked, idle = compiled[:2], compiled[2:]
    sales = [_sale(number) for number in range(SALES)]
    one, two, all_of_them = [], [], []
    for _ in range(ROUNDS):
        one.append(_decide(asked[:1], sales))
        two.append(_decide(asked, sales))
        all_of_them.append(_decide([*asked, *idle], sales))
    each_asked = median(two) - median(one)
    each_idle = (median(all_of_them) - median(two)) / len(idle)
    say(
        f"  每次决定 a decision: {median(one):.2f} µs；每项要问的政策 asked +{each_asked:.2f}；不适用的 idle +{each_idle:.3f}"
    )
    return Ratio("idle_policy_vs_asked", max(each_idle, 0) / each_asked, 0.10, at_most=True)


def _publish(place: Place) -> None:
    database = Database(place.url, role="greenpoints_engine")
    for number, document in enumerate(documents()):
        # The city's own is published already: the first of these follows it as its next version.
        starts = {"from": "2026-01-02T00:00:00+08:00"} if number == 0 else {}
        text = json.dumps(document | starts, ensure_ascii=False)
        database.write(lambda c, text=text: publish_policy(c, city.CITY, text, by="bench", now=place.sold_at))  # type: ignore[misc]  # mypy cannot see the default
    database.close()


def _compiled(document: dict[str, Any]) -> CompiledPolicy:
    policy = load_policy(json.dumps(document, ensure_ascii=False))
    return compile_policy(policy, policy.policy, policy.until_ms, chart.budget)


def _sale(number: int) -> Facts:
    """Of goods that no rule of the first policy rewards, so that the second is asked as well."""
    price_fen = 500 + number * 37 % 40_000
    return Facts(
        scheme="gtin",
        level="M",
        proof="P3",
        category="显示器",
        grade=4 + number % 2,
        tier=None,
        price_fen=price_fen,
        quantity=1,
        store=f"s{number % 40}",
        district="320102",
        body="CNIS",
        certificate_scheme="energy_label",
        receipt_fen=price_fen,
        model=city.gtin(number % 500),
        unit_price_fen=price_fen,
    )


def _decide(policies: list[CompiledPolicy], sales: list[Facts]) -> float:
    """Microseconds of CPU a decision."""
    at_ms = 1_795_312_800_000
    versions = PolicySet(policies)
    limits = Limits({}, {budget.pool: 10**12 for policy in policies for budget in policy.budgets})
    began = time.process_time()
    in_force = versions.in_force(at_ms)
    for sale in sales:
        evaluate(sale, "01900000-0000-7000-8000-00000000000a", ON, in_force.plan(sale), limits)
    return (time.process_time() - began) / len(sales) * 1e6
