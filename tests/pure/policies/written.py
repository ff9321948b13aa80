"""Policy documents as people write them, in every spelling that the loader takes; and small changes of them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from backend.kernel.amounts import MAX_AMOUNT, Rounding, Unit
from backend.kernel.periods import Period
from backend.policies.conditions import FACTS
from backend.policies.model import Beyond, Counts, Level, Mode, Per, Proof, RewardKind

CANONICAL = sorted((Path(__file__).parent / "canonical").glob("*.json"))
Json = dict[str, Any]

names = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9) | st.sampled_from(
    ["空调", "家电 以旧换新", " 有空格 ", "甲、乙", "a,b", "a\u3000b", "None", "true", "0"]
)
money = st.integers(1, 10_000_000) | st.sampled_from([1, 10, 99, 100, 150_000, MAX_AMOUNT])
share = st.integers(1, 10_000) | st.sampled_from([1, 50, 1_500, 10_000])
flags = st.booleans()
dates = st.dates(min_value=date(1949, 1, 1)).map(lambda on: on.isoformat())
districts = st.sampled_from(["320102", "320104", "320105"])
TO_RESIDENTS = [Unit.POINTS.value, Unit.FEN.value, Unit.GCO2E.value, Unit.EVIDENCE.value]


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=most, unique=True)


def record(needed: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(needed, optional=optional)


def values_of(fact: str) -> st.SearchStrategy[int | str]:
    return st.integers(-5, 900_000) if FACTS[fact].kind is int else texts


@st.composite
def conditions(draw: st.DrawFn) -> Json:
    fact = draw(st.sampled_from(sorted(FACTS)))
    op = draw(st.sampled_from(FACTS[fact].operators))
    value = draw(some(values_of(fact), 10) if op in ("in", "not_in") else values_of(fact))
    return {"fact": fact, "op": op, "value": value}


members = conditions() | st.recursive(
    conditions(),
    lambda inner: st.builds(
        lambda mode, held: {mode: held}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
).filter(lambda member: _depth(member) < 4)


def _depth(member: Json) -> int:
    return 1 + max(map(_depth, member.get("all") or member.get("any") or ()), default=0)


@st.composite
def rewards(draw: st.DrawFn, unit: str, *, stated: bool, once: bool) -> Json:
    kind = RewardKind.FIXED if once else draw(st.sampled_from(list(RewardKind)))
    found: Json = draw(
        record(
            {"kind": st.just(kind.value)},
            cap_per_unit=money | st.none(),
            factor=st.integers(1, 100_000),
            rounding=st.sampled_from([one.value for one in Rounding]),
        )
    )
    table = st.dictionaries(st.integers(1, 5).map(str), st.integers(1, 1_000_000), min_size=1)
    if kind is RewardKind.PERCENT:
        found["basis_points"] = draw(st.integers(1, 1_000_000))
    elif kind is RewardKind.TABLE:
        found |= {
            "by": draw(st.sampled_from(["grade", "tier"])),
            draw(st.sampled_from(["amounts", "percents"])): draw(table),
        }
    else:
        found["amount"] = draw(money)
    if once or (kind is RewardKind.FIXED and draw(flags)):
        found["once_a_basket"] = once
    if stated or draw(flags):
        found["unit"] = unit
    return found


@st.composite
def rules(draw: st.DrawFn, number: int, units: list[str]) -> Json:
    paid = draw(some(st.sampled_from([unit for unit in units if unit != Unit.FEE])))
    if Unit.FEE.value in units and draw(flags):
        paid.append(Unit.FEE.value)
    once = draw(st.sampled_from([False, False, True]))
    given = [draw(rewards(unit, stated=len(units) > 1, once=once)) for unit in paid]
    alone = len(given) == 1 and draw(flags)
    rates = st.dictionaries(
        st.sampled_from([one.value for one in Level]),
        st.dictionaries(st.sampled_from([one.value for one in Proof]), share, min_size=1),
        min_size=1,
    )
    return {
        "rule": f"r{number}",
        "name_zh": draw(texts),
        "name_en": draw(texts),
        "when": draw(st.lists(members, min_size=1, max_size=3)),
        **({"reward": given[0]} if alone else {"rewards": given}),
        "rates": draw(rates),
    }


per_words = [one.value for one in Per]
per = st.sampled_from(per_words) | some(st.sampled_from(per_words))


@st.composite
def caps(draw: st.DrawFn, number: int, units: list[str], *, programme: bool) -> Json:
    counts = draw(st.sampled_from([None, *(one.value for one in Counts)]))
    of_amount = counts in (None, Counts.AMOUNT.value)
    found: Json = draw(
        record(
            {
                "cap": st.just(f"c{number}"),
                "per": per,
                "period": st.sampled_from([one.value for one in Period]),
                "limit": money,
            },
            partial=flags,
            beyond=st.sampled_from([one.value for one in Beyond]),
            schemes=some(texts),
            categories=some(texts),
        )
    )
    if counts is not None:
        found["counts"] = counts
    if of_amount and (len(units) > 1 or draw(flags)):
        found["unit"] = draw(st.sampled_from(units))
    shared = draw(st.sampled_from([None, "shared" if programme else "citywide", "citywide"]))
    if shared is not None:
        found[shared] = draw(flags)
    return found


@st.composite
def paces(draw: st.DrawFn, name: str) -> Json:
    by = draw(some(st.sampled_from(["policy", "district", "store", "channel"]), 2))
    found: Json = draw(record({"pace": st.just(name), "amount": money, "per": st.just(by)}, carry_over=flags))
    if by == ["policy"] and draw(flags):
        del found["per"]
    if "district" in by and draw(flags):
        found["amounts"] = draw(st.dictionaries(districts, money | st.just(0), min_size=1))
    return found


@st.composite
def budgets(draw: st.DrawFn, unit: str) -> Json:
    found: Json = draw(
        record(
            {"unit": st.just(unit), "amount": money},
            partial=flags,
            shards=st.integers(1, 6),
            reclaim_on=dates | st.none(),
        )
    )
    if draw(flags):
        found["paces"] = [draw(paces(f"pace-{unit}"))]
    if draw(flags):
        first = draw(st.integers(1, 9_999))
        found["shares"] = [
            {"source": source, "name_zh": draw(texts), "name_en": draw(texts), "basis_points": part}
            for source, part in (("central", first), ("local", 10_000 - first))
        ]
    return found


moments = st.sampled_from(
    ["T00:00:00+08:00", "T00:00:00+08:00", "T08:30:00+08:00", "T23:59:59+08:00", "T00:00:00Z", "T01:02:03.456+00:00"]
)
begins = st.builds(lambda year, at: f"{year}-01-01{at}", st.integers(2020, 2026), moments)
ends = st.builds(lambda year, at: f"{year}-03-01{at}", st.integers(2027, 2030), moments)
watches = st.sampled_from(
    [
        {"watch": "w1", "of": "price", "above_bp": 13_000},
        {"watch": "w1", "of": "price", "above_bp": 13_050, "below_bp": 7_001},
        {"watch": "w2", "of": "travel", "kmh": 120},
    ]
)
terms = {
    "within": names | st.none(),
    "pending": st.sampled_from([None, {"days": 7}, {"collect_hours": 72}]),
    "expiry": st.sampled_from([None, {"months": 12}, {"on": "2027-12-31"}]),
    "returns": st.none() | st.builds(lambda days: {"days": days}, st.integers(1, 3_660)),
    "transitions": st.lists(st.builds(lambda scheme, on: {"scheme": scheme, "until": on}, texts, dates), max_size=2),
    "watches": st.just([]) | watches.map(lambda watch: [watch]),
    "claims": st.sampled_from(["anywhere", "same_store"]),
    "windows": st.just([]) | st.builds(lambda by: [{"window": "n1", "per": by, "hours": 24}], per),
}
stackings = record(
    {"group": names, "mode": st.sampled_from([one.value for one in Mode])}, order=st.integers(0, 1_000)
) | st.builds(lambda most: {"group": "g", "mode": "sum", "ceiling_bp": most}, share)
scopes = record(
    {},
    districts=some(districts),
    stores=some(texts),
    schemes=some(texts),
    categories=some(texts),
    channels=some(st.sampled_from(["till", "phone", "hand_in"])),
    buyers=some(st.sampled_from(["person", "organisation"]), 2),
)


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """A document that the loader takes."""
    units: list[str] = draw(some(st.sampled_from(TO_RESIDENTS)))
    if draw(flags):
        units.append(Unit.FEE.value)
    given = [draw(budgets(unit)) for unit in units]
    programme = draw(flags)
    found: Json = {
        "policy": draw(names),
        "title_zh": draw(texts),
        "title_en": draw(texts),
        "document": draw(
            record(
                {"number": texts, "issuer": texts, "published_on": dates},
                url=st.sampled_from([None, "https://www.example.gov.cn/a.html"]),
            )
        ),
        "from": draw(begins),
        "until": draw(ends),
        **({"budget": given[0]} if len(given) == 1 and draw(flags) else {"budgets": given}),
        "rules": [draw(rules(number, units)) for number in range(draw(st.integers(1, 2)))],
        "caps": [draw(caps(number, units, programme=programme)) for number in range(draw(st.integers(1, 2)))],
        **({"programme": draw(names)} if programme else {}),
        **draw(record({}, scope=scopes, stacking=stackings | st.none(), **terms)),
    }
    if draw(flags):
        steps = st.dictionaries(st.integers(1, 20).map(str), money, min_size=1, max_size=3)
        unit = next(unit for unit in units if unit != Unit.FEE)
        period = draw(st.sampled_from([one.value for one in Period]))
        found["milestones"] = [{"milestone": "m1", "unit": unit, "period": period, "steps": draw(steps)}]
    return found


def text_of(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False)
