"""The policies that any city must be able to write down, each with its results worked out by hand, to the fen."""

import json
from pathlib import Path
from typing import Any

import pytest

from backend.ledger import chart
from backend.policies.bounds import unpublishable
from backend.policies.compiled import PolicySet, compile_policy
from backend.policies.document import load_policy
from backend.policies.evidence import Evidence
from backend.policies.words import yuan
from tests.pure.policies.canonical_shop import ADDRESS, FIXTURES, OLD_UNIT, PHONE, WANG, Shop, amounts, shop


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_every_canonical_policy_is_sound(path: Path) -> None:
    assert unpublishable(load_policy(path.read_bytes())) == {}
    assert json.loads(path.read_text(encoding="utf-8"))["document"]["number"]


@pytest.mark.parametrize(
    ("grade", "price_fen", "paid"),
    [(1, 899_900, "1799.80"), (1, 1_200_000, "2000.00"), (2, 999_900, "1499.85")],
)
def test_p1_pays_by_grade_up_to_two_thousand_yuan(grade: int, price_fen: int, paid: str) -> None:
    assert yuan(shop("p01-national-2024").sell("2024-10-01", price_fen, grade=grade).amount) == paid


def test_p1_refuses_grade_three_and_a_second_fridge() -> None:
    national = shop("p01-national-2024")

    assert national.sell("2024-10-01", 500_000, grade=3).reason == "condition"
    assert "等级" in national.why_not("2024-10-01", 500_000, grade=3)
    assert yuan(national.sell("2024-10-01", 500_000, grade=1).amount) == "1000.00"
    second = national.sell("2024-10-02", 500_000, grade=1)
    assert (second.reason, second.limit_name, second.limit_left) == ("cap", "quota", 0)
    assert national.sell("2024-10-02", 500_000, grade=1, category="洗衣机").amount == 100_000
    assert national.sell("2024-10-02", 500_000, grade=1, person=WANG).amount == 100_000


def test_p2_pays_three_air_conditioners_and_refuses_the_fourth() -> None:
    national = shop("p02-national-2025")

    sold = [national.sell("2025-06-01", 300_000, grade=1, category="空调") for _ in range(4)]

    assert [verdict.amount for verdict in sold] == [60_000, 60_000, 60_000, 0]
    assert sold[3].limit_name == "quota-air-conditioner"
    assert national.sell("2025-06-01", 300_000, grade=2, category="微波炉").amount == 45_000
    assert national.sell("2025-06-01", 300_000, grade=2, category="微波炉").limit_name == "quota-2025"


@pytest.mark.parametrize(
    ("sold_at", "grade", "paid"),
    [
        ("2025-12-31T23:59:59+08:00", 2, 149_985),
        ("2026-01-01T00:00:00+08:00", 2, 0),
        ("2025-12-31T16:00:00+00:00", 2, 0),
        ("2025-12-31T15:59:59+00:00", 2, 149_985),
        ("2026-01-01T00:00:00+08:00", 1, 149_985),
    ],
)
def test_p3_takes_over_from_p2_at_midnight_in_nanjing(sold_at: str, grade: int, paid: int) -> None:
    national = shop("p02-national-2025", "p03-national-2026")

    assert national.sell(sold_at, 999_900, grade=grade).amount == paid


@pytest.mark.parametrize(("price_fen", "paid"), [(999_900, "1499.85"), (1_000_100, "1500.00")])
def test_p3_pays_fifteen_per_cent_of_grade_one_up_to_fifteen_hundred(price_fen: int, paid: str) -> None:
    assert yuan(shop("p03-national-2026").sell("2026-03-01", price_fen, grade=1).amount) == paid


@pytest.mark.parametrize(
    ("price_fen", "paid"), [(333_300, "499.95"), (340_000, "500.00"), (600_000, "500.00"), (600_001, "0.00")]
)
def test_p3_digital_goods_have_a_price_ceiling_to_the_fen(price_fen: int, paid: str) -> None:
    digital = shop("p03-national-2026-digital")

    assert yuan(digital.sell("2026-03-01", price_fen, category="手机").amount) == paid


def test_p3_the_price_ceiling_is_of_one_piece() -> None:
    digital = shop("p03-national-2026-digital")

    refused = digital.sell("2026-03-01", 1_200_001, category="平板", quantity=2)

    assert refused.reason == "condition"
    assert digital.why_not("2026-03-01", 1_200_001, category="平板", quantity=2) == (
        "单件成交价须不高于 6000.00 元，本次为 6000.01 元"
    )


@pytest.mark.parametrize(("mode", "paid"), [("p04-jiangsu-2024", 30_000), ("p04-jiangsu-2024-whole", 0)])
def test_p4_a_phone_at_4700_gets_300_more_in_part_and_nothing_whole(mode: str, paid: int) -> None:
    jiangsu = shop(mode)
    told = {"grade": 1, "phone": PHONE, "address": ADDRESS}
    for number in range(5):
        price_fen = 700_000 if number == 4 else 1_000_000
        assert jiangsu.sell("2024-10-01", price_fen, model=f"m{number}", **told).amount == price_fen // 10

    last = jiangsu.sell("2024-10-02", 600_000, model="m9", **told)

    assert (last.gross, last.amount, last.limit_name, last.limit_left) == (60_000, paid, "phone", 30_000)


def test_p4_wants_the_phone_and_the_address_that_it_counts_by() -> None:
    missing = shop("p04-jiangsu-2024").sell("2024-10-01", 600_000, grade=1, phone=PHONE)

    assert (missing.reason, missing.missing, missing.amount) == ("fact_missing", "address", 0)


def test_p4_pays_five_of_a_model() -> None:
    jiangsu = shop("p04-jiangsu-2024")

    sold = [jiangsu.sell("2024-10-01", 10_000, grade=1, phone=PHONE, address=ADDRESS) for _ in range(6)]

    assert [verdict.amount for verdict in sold] == [1_000] * 5 + [0]
    assert sold[5].limit_name == "model"


def test_p5_the_county_adds_to_the_province_up_to_fifteen_per_cent_together() -> None:
    county = shop("p04-jiangsu-2024", "p05-county-2024")
    told = {"grade": 1, "district": "320125", "phone": PHONE, "address": ADDRESS}

    both = county.sell("2024-10-01", 500_000, **told)
    capped = county.sell("2024-10-01", 1_200_000, **told)
    after = county.sell("2024-12-01", 500_000, **told)

    assert amounts(both) == [("fen", 50_000), ("fen", 25_000)]
    assert amounts(capped) == [("fen", 100_000), ("fen", 30_000)]
    assert amounts(after) == [("fen", 50_000)]


def test_p6_rewards_a_purchase_once_and_the_first_acts_more() -> None:
    korea = shop("p06-korea-act")
    told = {"linked_points": 120, "receipt_fen": 250_000}

    first = korea.sell("2026-02-01", 125_000, **told)
    same_basket = korea.sell("2026-02-01", 125_000, basket=f"01900000-0000-7000-8000-{1:012x}", **told)
    acts = [korea.sell("2026-02-01", 250_000, **told) for _ in range(4)]

    assert amounts(first) == [("points", 1_000), ("points", 1_000)]
    assert [award.rule for award in first.more] == ["starter#1"]
    assert (same_basket.reason, same_basket.limit_name) == ("cap", "basket-act")
    assert [amounts(act) for act in acts] == [
        [("points", 1_000)],
        [("points", 1_000), ("points", 2_000)],
        [("points", 1_000)],
        [("points", 1_000), ("points", 3_000)],
    ]
    assert korea.sell("2026-02-01", 250_000, linked_points=99, receipt_fen=250_000).reason == "condition"
    assert korea.sell("2026-02-01", 199_999, linked_points=120, receipt_fen=199_999).reason == "condition"


def test_p6_pays_at_most_seventy_thousand_a_year() -> None:
    korea = shop("p06-korea-act")

    paid = sum(
        amount
        for _ in range(80)
        for _unit, amount in amounts(korea.sell("2026-02-01", 250_000, linked_points=120, receipt_fen=250_000))
    )

    assert paid == 70_000
    assert korea.sell("2026-12-31", 250_000, linked_points=120, receipt_fen=250_000).amount == 0


@pytest.mark.parametrize(
    ("facts", "paid"),
    [
        ({"category": "冰箱（大容量）", "case": "replace", "trade_in_age": 15, "trade_in": OLD_UNIT}, 400_000),
        ({"category": "冰箱（大容量）", "case": "replace", "trade_in_age": 14, "trade_in": OLD_UNIT}, 200_000),
        ({"category": "冰箱（小容量）", "case": "replace", "trade_in_age": 20, "trade_in": OLD_UNIT}, 250_000),
        ({"category": "冰箱（大容量）", "case": "new", "tier": 3, "trade_in": OLD_UNIT}, 100_000),
        ({"category": "冰箱（小容量）", "case": "new", "tier": 3, "trade_in": OLD_UNIT}, 0),
    ],
)
def test_p7_pays_fixed_amounts_by_size_performance_and_case(facts: dict[str, Any], paid: int) -> None:
    assert shop("p07-tokyo").sell("2026-05-01", 1_500_000, store="reg-001", **facts).amount == paid


def test_p7_pays_in_registered_shops_only_and_an_old_unit_once() -> None:
    tokyo = shop("p07-tokyo")
    told = {"category": "冰箱（小容量）", "case": "replace", "trade_in_age": 16, "trade_in": OLD_UNIT}

    assert tokyo.sell("2026-05-01", 900_000, store="other", **told).reason == "no_policy"
    assert tokyo.sell("2026-05-01", 900_000, store="reg-002", **told).amount == 250_000
    assert tokyo.sell("2026-06-01", 900_000, store="reg-001", person=WANG, **told).limit_name == "old-unit"


def test_p8_gives_two_points_a_yuan_up_to_200_a_day_and_3000_a_month() -> None:
    organic = shop("p08-organic-points")
    told = {"scheme": "organic", "level": "U", "category": "粮食", "certificate_scheme": "organic"}

    assert organic.sell("2026-03-01", 3_599, **told).amount == 71
    assert organic.sell("2026-03-01", 10_000, **told).amount == 129
    assert organic.sell("2026-03-01", 10_000, **told).limit_name == "daily"
    month = [organic.sell(f"2026-03-{day:02d}", 20_000, **told).amount for day in range(2, 20)]
    assert sum(month) + 200 == 3_000
    assert organic.sell("2026-03-20", 3_599, **told).limit_name == "monthly"
    assert organic.sell("2026-04-01", 3_599, **told).amount == 71
    (policy,) = organic.policies
    assert (policy.policy.pending.days, policy.policy.expiry.months) == (7, 12)


def test_p9_pays_green_food_at_the_till_and_never_for_a_scan_alone() -> None:
    green = shop("p09-green-food")
    told = {"level": "E", "category": "粮食", "certificate_scheme": "green_food"}

    assert green.sell("2026-03-01", 5_990, **told).amount == 59
    assert green.sell("2026-03-01", None, proof="P0", channel="phone", **told).reason == "evidence"


def test_p10_counts_ten_acts_a_day() -> None:
    acts = shop("p10-carbon-act")

    day = [acts.sell("2026-03-01", 100, category="饮料").amount for _ in range(11)]

    assert day == [5] * 10 + [0]
    assert acts.sell("2026-03-01", 99).reason == "condition"
    assert acts.sell("2026-03-02", 100).amount == 5


def test_p11_a_municipality_keeps_its_own_list_within_the_regions() -> None:
    both = shop("p11-regional", "p11-municipal")

    assert amounts(both.sell("2026-03-01", 1_000, category="粮食")) == [("points", 10), ("points", 5)]
    assert amounts(both.sell("2026-03-01", 1_000, category="照明产品")) == [("points", 10)]
    assert amounts(both.sell("2026-03-01", 1_000, category="粮食", district="320104")) == [("points", 10)]


def test_p12_pays_containers_by_size_and_the_old_label_until_its_day() -> None:
    deposit = shop("p12-deposit")

    small = deposit.sell("2026-03-01", None, proof="P2", category="饮料容器（小）", quantity=7)
    large = deposit.sell("2026-03-01", None, proof="P2", category="饮料容器（大）", quantity=2)
    assert amounts(small) == [("fen", 105), ("fee", 14)]
    assert amounts(large) == [("fen", 50), ("fee", 4)]
    old = {"proof": "P2", "category": "饮料容器（大）", "certificate_scheme": "deposit_old"}
    assert deposit.sell("2026-04-30T23:59:59", None, **old).amount == 25
    assert deposit.sell("2026-05-01T00:00:00", None, **old).reason == "transition_over"
    assert "2026-04-30" in deposit.why_not("2026-05-01T00:00:00", None, **old)


def test_p12_pays_a_shop_only_for_what_it_handles() -> None:
    """No deposit, no fee; without a shop the deposit alone; and each limit holds its own unit."""
    deposit = shop("p12-deposit")
    bottle = {"proof": "P1", "category": "饮料容器（大）"}

    assert amounts(deposit.sell("2026-03-01", None, quantity=400, **bottle)) == [("fen", 10_000), ("fee", 800)]
    over = deposit.sell("2026-03-01", None, **bottle)
    assert (amounts(over), over.reason, over.unit, over.limit_name) == ([], "cap", "fen", "daily")
    assert amounts(deposit.sell("2026-03-01", None, person=WANG, store=None, **bottle)) == [("fen", 25)]
    many = [deposit.sell("2026-03-01", None, person=f"p{n}", quantity=400, **bottle) for n in range(125)]
    assert [amounts(one) for one in many[-2:]] == [[("fen", 10_000), ("fee", 800)], [("fen", 10_000)]]
    assert [(award.limit_name, award.limit_left) for award in many[-1].more] == [("shop-fees", 0)]


def test_p13_adds_two_hundred_yuan_for_an_old_unit_once() -> None:
    national = shop("p03-national-2026", "p13-trade-in-bonus")
    handed_in = Evidence(trade_in=OLD_UNIT, trade_in_age=9)._asdict()

    with_old = national.sell("2026-03-01", 999_900, grade=1, **handed_in)
    again = national.sell("2026-03-02", 999_900, grade=1, category="洗衣机", **handed_in)
    without = national.sell("2026-03-03", 999_900, grade=1, category="电视")

    assert sorted(amounts(with_old)) == [("fen", 20_000), ("fen", 149_985)]
    assert amounts(again) == [("fen", 149_985)]
    assert [(award.reason, award.limit_name) for award in again.more] == [("cap", "old-unit")]
    assert amounts(without) == [("fen", 149_985)]


@pytest.mark.parametrize(
    ("handed_in_on", "channel", "paid"),
    [
        ("2026-01-30", "till", 0),
        ("2026-01-31", "till", 20_000),
        ("2026-03-02", "till", 20_000),
        ("2026-03-03", "till", 0),
        ("2026-03-03", "hand_in", 20_000),
        ("2026-04-01", "hand_in", 20_000),
        ("2026-04-02", "hand_in", 0),
    ],
)
def test_p13_the_old_unit_comes_within_thirty_days_of_the_sale(handed_in_on: str, channel: str, paid: int) -> None:
    """Sold on 2026-03-02. With the sale it has come by then; what is brought later earns the bonus alone."""
    national = shop("p03-national-2026", "p13-trade-in-bonus")

    sold = national.sell(
        "2026-03-02T23:59:59", 999_900, grade=1, trade_in=OLD_UNIT, trade_in_on=handed_in_on, channel=channel
    )

    base = [("fen", 149_985)] if channel == "till" else []
    assert sorted(amounts(sold)) == [*([("fen", paid)] if paid else []), *base]


def test_p13_an_old_unit_serves_once_whatever_the_policy() -> None:
    other = json.loads((FIXTURES / "p13-trade-in-bonus.json").read_text(encoding="utf-8"))
    other |= {"policy": "another-bonus", "stacking": {"group": "another", "mode": "first"}}
    loaded = [load_policy((FIXTURES / "p13-trade-in-bonus.json").read_bytes()), load_policy(json.dumps(other))]
    both = Shop(PolicySet([compile_policy(p, f"v{n}", p.until_ms, chart.budget) for n, p in enumerate(loaded)]))

    sold = both.sell("2026-03-02", 999_900, grade=1, trade_in=OLD_UNIT)

    assert amounts(sold) == [("fen", 20_000)]
    assert [(award.limit_name, award.limit_left) for award in sold.more] == [("old-unit", 0)]


def test_p14_pays_three_boxes_a_day_and_no_box_twice() -> None:
    boxes = shop("p14-returned-box")
    told = {"proof": "P2", "category": "循环箱", "certificate_scheme": "green_packaging", "store": "station-1"}

    day = [boxes.sell("2026-03-01", None, model=f"grai:{n}", **told).amount for n in range(4)]

    assert day == [50, 50, 50, 0]
    assert boxes.sell("2026-03-01", None, person=WANG, model="grai:0", **told).limit_name == "same-box"
    assert boxes.sell("2026-03-02", None, person=WANG, model="grai:0", **told).amount == 50
    assert boxes.sell("2026-03-03", None, model="grai:9", **{**told, "store": "s1"}).reason == "no_policy"


@pytest.mark.parametrize(
    ("again", "paid"),
    [
        ("2026-03-01T22:00:00", 0),
        ("2026-03-02T21:59:59", 0),
        ("2026-03-02T22:00:00", 50),
        ("2026-02-28T22:00:01", 0),
        ("2026-02-28T22:00:00", 50),
    ],
)
def test_p14_a_box_earns_once_in_any_twenty_four_hours_to_the_second(again: str, paid: int) -> None:
    """Also across midnight, and where the earlier of two returns is told later."""
    boxes = shop("p14-returned-box")
    told = {"proof": "P2", "category": "循环箱", "certificate_scheme": "green_packaging", "store": "station-1"}
    assert boxes.sell("2026-03-01T22:00:00", None, model="grai:0", **told).amount == 50

    second = boxes.sell(again, None, person=WANG, model="grai:0", **told)

    assert second.amount == paid
    assert (second.reason, second.limit_name) == (("awarded", None) if paid else ("cap", "same-box"))


def test_p15_gives_an_organisation_evidence_and_a_person_nothing() -> None:
    organisations = shop("p15-organisation")

    assert amounts(organisations.sell("2026-03-01", 1_234_500, buyer="organisation")) == [("evidence", 12_345)]
    assert organisations.sell("2026-03-01", 1_234_500).reason == "no_policy"
