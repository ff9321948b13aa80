"""A preview against `evaluate` alone, over the same past sales in as many processes; memory beside it."""

import multiprocessing
import os
import resource
import time
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from statistics import median

from backend.kernel.periods import civil_date
from backend.policies.document import load_policy
from backend.policies.model import Facts
from backend.policies.preview import Fold, Side, Sold, Version, sides
from backend.policies.preview_parts import Compared, totals_of
from tests.bench import city
from tests.bench.ground import Ground
from tests.bench.report import Ratio, say
from tests.worlds import rules

SALES = int(os.environ.get("GREENPOINTS_BENCH_SALES", "1000000"))
PARTS = 2
AT_ONCE = 2_000
DAYS = 365
BEGIN_MS, DAY_MS = rules.at("2026-01-01T00:00:00+08:00"), 86_400_000


def preview_vs_evaluate(_ground: Ground, alternations: int) -> Ratio:
    """Sales a second of a preview, to those of one `evaluate` a sale: a preview decides each sale on both sides. Beside it
    what evaluating both documents would take, and nothing else.
    """
    say(f"  {SALES:,} 笔历史扫码 / past sales, {PARTS} processes")
    ratios = []
    for number in range(alternations):
        ours, theirs, both = preview(SALES), evaluate_alone(SALES), evaluate_alone(SALES, sides=2)
        ratios.append(theirs / ours)
        say(
            f"  preview {SALES / ours:9.0f} sales/s   evaluate alone {SALES / theirs:9.0f} sales/s"
            f"   (both documents {SALES / both:9.0f} sales/s: {both / ours:.2f})"
        )
        if not number:
            used = [resource.getrusage(who).ru_maxrss // 1024 for who in _WHO]
            say(f"  memory: {used[0]} MB here, at most {used[1]} MB a process")
    return Ratio("preview_vs_evaluate", median(ratios), 0.40)


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def compared() -> Compared:
    in_force, draft = load_policy(rules.text_of(city.POLICY)), load_policy(rules.text_of(_draft()))
    versions = [Version("v1", in_force, in_force.from_ms, in_force.until_ms)]
    return Compared(*sides(versions, draft, (BEGIN_MS, BEGIN_MS + DAYS * DAY_MS), BEGIN_MS), draft)


def _draft() -> dict[str, object]:
    appliances = city.POLICY["rules"][1]  # type: ignore[index]  # the appliances
    better = {**appliances, "reward": {"kind": "table", "by": "grade", "percents": {"1": 300}, "cap_per_unit": 2_000}}
    found = [better if rule is appliances else rule for rule in city.POLICY["rules"]]  # type: ignore[attr-defined]
    return {**city.POLICY, "rules": found}


def preview(sales: int) -> float:
    began = time.perf_counter()
    totals = totals_of(compared(), partial(past_sales, sales), parts=PARTS)
    assert totals.sales == sales
    return time.perf_counter() - began


def evaluate_alone(sales: int, sides: int = 1) -> float:
    began = time.perf_counter()
    asked = [compared().in_force, compared().draft][-sides:]
    with multiprocessing.get_context("spawn").Pool(PARTS) as pool:
        pool.starmap(_alone, [(asked, sales, part) for part in range(PARTS)])
    return time.perf_counter() - began


def _alone(asked: Sequence[Side], sales: int, part: int) -> None:
    folds = [Fold(side) for side in asked]
    for some in past_sales(sales, part, PARTS):
        for sold in some:
            for fold in folds:
                fold.judge(sold)


def past_sales(sales: int, part: int, parts: int) -> Iterator[list[Sold]]:
    """A year of sales of 200,000 residents, made cheaply: every part has every `parts`-th resident."""
    known = [_facts(number) for number in range(2_000)]
    some: list[Sold] = []
    day, on = -1, date.min
    for number in range(part, sales, parts):
        if number * DAYS // sales != day:
            day = number * DAYS // sales
            on = civil_date(BEGIN_MS + day * DAY_MS)
        person = city.resident(number * 7_919 % (city.RESIDENTS // parts) * parts + part)
        some.append(Sold((BEGIN_MS + day * DAY_MS + 1, "t1", "", number, 0), person, on, known[number * 31 % 2_000]))
        if len(some) == AT_ONCE:
            yield some
            some = []
    yield some


def _facts(number: int) -> Facts:
    organic = number % 2 == 1
    price, store = 500 + number * 97 % 49_500, f"s{number % 40}"
    scheme = "organic" if organic else "energy_label"
    category, grade = ("蔬菜", None) if organic else ("显示器", 1 + number // 2 % 3)
    return Facts("gtin", "M", "P3", category, grade, None, price, 1, store, f"3201{number % 11:02d}", "CNIS", scheme)
