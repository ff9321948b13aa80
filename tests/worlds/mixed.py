"""A city in which everything that a decision can meet is met: to replay it, and to preview policies on it."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NANJING, City, Till, gtin, read, register, resident, unit_label
from tests.worlds.later import resolver

DAYS = 20
OPENS = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
BASKETS_AT_ONCE = 200
CATEGORIES = ("冰箱", "洗衣机", "空调", "粮食")
KNOWN = [gtin(number) for number in range(300, 340)]
LATER_KNOWN = [gtin(number) for number in range(340, 348)]
NEVER_KNOWN = [gtin(number) for number in range(348, 352)]
DISTRICTS = ("320102", "320104", "320106")
RESIDENTS = 400
ANY = {level: {"P3": 10_000, "P2": 5_000, "P0": 1_000} for level in ("U", "M", "E")}

Doc = dict[str, Any]


def documents() -> list[Doc]:
    return [_green(), _green_second(), _national(), _county(), _first_acts(), _best_of_two(), _organic()]


def _policy(name: str, budgets: list[Doc], given: list[Doc], caps: list[Doc], **more: object) -> Doc:
    doc = rules.document(policy=name, caps=caps) | {"budgets": budgets, "rules": given} | more
    del doc["budget"]
    return doc


def _rule(name: str, *rewards: Doc, when: list[Doc] | None = None) -> Doc:
    made = rules.rule(name, {}, *(when or []), rates=ANY) | {"rewards": list(rewards)}
    del made["reward"]
    return made


def _green() -> Doc:
    """A city's points: caps of a person, a budget in three accounts that is paced by district and runs out."""
    pace = {"pace": "by-district", "amount": 900, "per": ["district"], "amounts": {"320104": 400}, "carry_over": True}
    budget = {"unit": "points", "amount": 60_000, "shards": 3, "paces": [pace]}
    best = _rule("best", rules.percent(200, cap_per_unit=30), when=[rules.where("grade", "<=", 2)])
    caps = [rules.cap("day", "day", 45), rules.cap("month", "month", 180, partial=False)]
    scope = {"districts": ["320102", "320104"]}
    rewards = [best, _rule("others", rules.fixed(2))]
    return _policy("green", [budget], rewards, caps, scope=scope) | {"from": "2026-11-01T00:00:00+08:00"}


def _green_second() -> Doc:
    return _green() | {"from": "2026-11-11T00:00:00+08:00", "caps": [rules.cap("day", "day", 30)]}


def _national() -> Doc:
    """Money for appliances: one piece of a category and person, five of a model; with the county never above 15 %."""
    caps: list[Doc] = [
        rules.cap("kinds", "year", 2) | {"per": ["person", "category"], "counts": "pieces"},
        rules.cap("models", "lifetime", 40) | {"per": "model", "counts": "awards"},
        rules.cap("phones", "year", 9_000) | {"per": "phone", "schemes": ["energy_label"]},
    ]
    part = {"kind": "table", "by": "grade", "percents": {"1": 1_500, "2": 1_000}, "rounding": "half_up"}
    when = [rules.where("category", "in", ["冰箱", "洗衣机", "空调"])]
    stacking = {"group": "money", "mode": "sum", "order": 1}
    return _policy(
        "national", [{"unit": "fen", "amount": 10**9}], [_rule("part", part, when=when)], caps, stacking=stacking
    )


def _county() -> Doc:
    caps = [rules.cap("shop-day", "day", 6_000) | {"per": ["store"]}]
    stacking = {"group": "money", "mode": "sum", "order": 2, "ceiling_bp": 1_600}
    scope = {"districts": ["320102", "320104"]}
    top_up = _rule("top-up", rules.percent(500), when=[rules.where("grade", "=", 1)])
    budget = {"unit": "fen", "amount": 2_000_000, "partial": False}
    return _policy("county", [budget], [top_up], caps, stacking=stacking, scope=scope)


def _first_acts() -> Doc:
    """Points and carbon once a basket, a bonus with the first, third and fifth."""
    act = _rule(
        "act",
        rules.fixed(10) | {"unit": "points", "once_a_basket": True},
        rules.fixed(5) | {"unit": "gco2e", "once_a_basket": True},
        when=[rules.where("receipt_fen", ">=", 10_000)],
    )
    caps = [rules.cap("acts", "year", 40) | {"unit": "points"}, rules.cap("shared", "month", 60) | _SHARED]
    bonus = {"milestone": "acts-done", "unit": "points", "period": "year", "steps": {"1": 10, "3": 20, "5": 30}}
    budgets = [{"unit": "points", "amount": 10**7}, {"unit": "gco2e", "amount": 10**7}]
    stacking = {"group": "best", "mode": "best"}
    return _policy("acts", budgets, [act], caps, milestones=[bonus], stacking=stacking, programme="living")


_SHARED = {"shared": True, "unit": "points"}


def _best_of_two() -> Doc:
    pieces = _rule("pieces", {"kind": "per_unit", "amount": 4})
    caps = [rules.cap("shared", "month", 60) | _SHARED]
    scope = {"channels": ["till"]}
    more = {"stacking": {"group": "best", "mode": "best"}, "scope": scope, "programme": "living"}
    return _policy("pieces", [{"unit": "points", "amount": 10**7}], [pieces], caps, **more)


def _organic() -> Doc:
    """Accepted until the 17th; a cap by the delivery address, which most sales do not state."""
    caps = [rules.cap("homes", "month", 50) | {"per": ["address"], "categories": ["粮食"]}]
    scope = {"schemes": ["organic"], "buyers": ["person", "organisation"]}
    more = {"transitions": [{"scheme": "organic", "until": "2026-11-17"}], "scope": scope}
    stacking = {"group": "organic", "mode": "first"}
    return _policy(
        "organic",
        [{"unit": "evidence", "amount": 10**6}],
        [_rule("one", rules.fixed(1))],
        caps,
        stacking=stacking,
        **more,
    )


def fill(database: Database, scans: int, *, seed: int = 1, policies: list[Doc] | None = None) -> City:
    """A city with about `scans` scans of three weeks, each recorded on its day; the registry learns and changes meanwhile."""
    rng = random.Random(seed)
    city = City(database, NANJING)
    register(database, *_registered(KNOWN), {"code": FRIDGE, "category": "冰箱", "grade": "1"}, now=OPENS)
    for doc in policies if policies is not None else documents():
        city.publish(doc, OPENS)
    tills = [city.till(number) for number in range(1, 13)]
    worker = resolver(database)
    for day in range(DAYS):
        now = OPENS + timedelta(days=day, hours=10)
        arrivals = list(_sold(tills, day, scans // DAYS, rng))
        for first in range(0, len(arrivals), BASKETS_AT_ONCE):
            city.record(*arrivals[first : first + BASKETS_AT_ONCE], now=now)
        if day % 5 == 4:
            _learn(database, day, now)
            worker.resolve(city.code, now + timedelta(minutes=30))
    return city


def _registered(codes: list[str]) -> list[dict[str, str]]:
    return [
        {"code": code, "category": "粮食", "scheme": "organic"}
        if at % 4 == 3
        else {"code": code, "category": CATEGORIES[at % 4], "grade": str(1 + at % 3)}
        for at, code in enumerate(codes)
    ]


def _learn(database: Database, day: int, now: datetime) -> None:
    """What was unknown becomes known, a grade changes, a certificate is suspended."""
    learned = 2 * (day // 5)
    register(database, *_registered(LATER_KNOWN[learned : learned + 2]), now=now)
    changed = KNOWN[4 * (day // 5)]
    register(database, {"code": changed, "category": "冰箱", "grade": str(3 - day // 5 % 2)}, now=now)
    suspended = KNOWN[4 * (day // 5) + 1]
    row = {"code": suspended, "category": "洗衣机", "grade": "2", "state": "暂停"}
    register(database, row | {"state_from": f"2026-11-{day + 2:02d}"}, now=now)


def _sold(tills: list[Till], day: int, scans: int, rng: random.Random) -> Iterator[Arrival]:
    while scans > 0:
        reads = [_read(rng) for _ in range(rng.randint(1, 4))]
        scans -= len(reads)
        till = rng.choice(tills)
        late = rng.random() < 0.1
        sold_at = OPENS + timedelta(days=day - (rng.randint(1, 9) if late else 0), minutes=rng.randint(0, 500))
        person = resident(rng.randrange(RESIDENTS)) if rng.random() < 0.92 else None
        till.clock = till.clock._replace(source="ntp" if rng.random() < 0.97 else "none", boot="b9")
        received_at = OPENS + timedelta(days=day, hours=10) if late else sold_at
        arrival = till.basket(*reads, resident=person, sold_at=sold_at, received_at=received_at)
        basket = arrival.basket
        basket.store, basket.district = f"s{till.number}", DISTRICTS[till.number % len(DISTRICTS)]
        basket.buyer = "organisation" if rng.random() < 0.05 else "person"
        basket.channel = "phone" if rng.random() < 0.05 else "till"
        yield arrival


def _read(rng: random.Random) -> Doc:
    kind = rng.random()
    if kind < 0.75:
        code = rng.choice(KNOWN)
    elif kind < 0.85:
        code = rng.choice(LATER_KNOWN)
    elif kind < 0.9:
        code = rng.choice(NEVER_KNOWN)
    elif kind < 0.97:
        code = unit_label(f"S{rng.randrange(5_000)}")
    else:
        code = "nothing that anybody certified"
    price = None if rng.random() < 0.1 else rng.choice([99, 4_990, 19_900, 59_900, 129_900])
    evidence = {}
    if rng.random() < 0.6:
        evidence["phone"] = f"{rng.randrange(RESIDENTS):016x}"
    if rng.random() < 0.2:
        evidence["address"] = f"{rng.randrange(RESIDENTS):016x}"
    return read(code, qty=rng.randint(1, 3), price_fen=price, evidence=evidence or None)
