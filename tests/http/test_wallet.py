"""The wallet: each unit apart, what ends, and what the caps leave before a purchase."""

from uuid import uuid4

from flask.testing import FlaskClient

from tests.http.conftest import Clock, SignIn
from tests.worlds import rules
from tests.worlds.city import FRIDGE, RICE, TELEVISION, UNCERTIFIED, WASHER, City, unit_label

API = "/api/resident/v1"
PHONE = {"U": {"P0": 10_000}, "M": {"P0": 10_000}}
Headers = dict[str, str]


def scan(client: FlaskClient, headers: Headers, code: str = FRIDGE) -> None:
    answer = client.post(f"{API}/scans", json={"scan_id": str(uuid4()), "code": code}, headers=headers)
    assert answer.status_code == 201, answer.get_json()


def wallet(client: FlaskClient, headers: Headers) -> dict[str, object]:
    answer = client.get(f"{API}/wallet", headers=headers)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, object] = answer.get_json()
    return found


def caps(client: FlaskClient, headers: Headers, **body: object) -> dict[str, object]:
    answer = client.post(f"{API}/caps:read", json=body, headers=headers)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, object] = answer.get_json()
    return found


def left(found: dict[str, object]) -> list[tuple[str, str, int | None, int | None]]:
    return [
        (policy["policy"], cap["cap"], cap["used"], cap["left"])
        for policy in found["policies"]  # type: ignore[attr-defined]
        for cap in policy["caps"]
    ]


def test_points_money_and_impact_stand_apart_and_what_waits_says_until_when(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    for unit, amount in (("points", 10), ("fen", 250), ("gco2e", 40)):
        rule = rules.rule("one", rules.fixed(amount), rates=PHONE)
        doc = rules.document(rule, policy=f"p-{unit}", unit=unit) | {"pending": {"days": 7}}
        city.publish(doc | {"stacking": {"group": unit, "mode": "sum"}} | {"expiry": {"months": 12}})
    headers = sign_in()

    scan(client, headers)

    found = wallet(client, headers)
    said = {
        name: (found[name]["amount"], [(one["words"], one["available_at"]) for one in found[name]["pending"]])  # type: ignore[index]
        for name in ("points", "money", "impact")
    }
    assert said == {
        "points": (0, [("10 分", "2026-11-29T16:00:00+00:00")]),
        "money": (0, [("2.50 元", "2026-11-29T16:00:00+00:00")]),
        "impact": (0, [("40 克二氧化碳当量", "2026-11-29T16:00:00+00:00")]),
    }
    assert found["impact"]["estimate"] is True  # type: ignore[index]
    assert {one["last_day"] for one in found["expiries"]} == {"2027-11-30"}  # type: ignore[attr-defined]


def test_expiries_go_on_where_the_wallet_ends(client: FlaskClient, city: City, sign_in: SignIn, clock: Clock) -> None:
    rule = rules.rule("one", rules.fixed(1), rates=PHONE)
    city.publish(rules.document(rule, policy="yearly") | {"expiry": {"months": 12}})
    for number in range(7):
        scan(client, sign_in(), unit_label(f"S{number}"))
        clock.forward(days=31)

    headers = sign_in()
    found = wallet(client, headers)
    rest = client.get(f"{API}/expiries?after={found['expiries_next']}", headers=headers).get_json()

    shown: list[dict[str, str]] = found["expiries"]  # type: ignore[assignment]
    assert [one["last_day"][:7] for one in shown + rest["expiries"]] == [
        "2027-11", "2027-12", "2028-01", "2028-02", "2028-03", "2028-04", "2028-05"
    ]  # fmt: skip
    assert (len(shown), rest["next"]) == (5, None)


def test_caps_say_what_is_left_before_the_purchase(
    client: FlaskClient, city: City, sign_in: SignIn, clock: Clock
) -> None:
    doc = rules.document(
        rules.rule("found", rules.fixed(20), rates=PHONE),
        policy="find",
        caps=[rules.cap("day", "day", 50), rules.cap("month", "month", 300)],
    )
    city.publish(doc)
    headers = sign_in()
    scan(client, headers)

    found = caps(client, headers, code=FRIDGE)

    assert found["goods"]["state"] == "valid"  # type: ignore[index]
    assert left(found) == [("find", "day", 20, 30), ("find", "month", 20, 280), ("green", "life", 0, 10**9)]
    policy = found["policies"][0]  # type: ignore[index]
    assert policy["rules"] == [{"rule": "found", "name": "规则 found", "name_en": "Rule found"}]
    day = policy["caps"][0]
    assert day["sentence"] == "您的每日上限 50 分，还可获得 30 分。"
    assert day["sentence_en"] == "Your daily cap of 50 points: 30 points left."
    assert day["resets_at"] == "2026-11-22T16:00:00+00:00"
    clock.forward(days=1)
    assert left(caps(client, sign_in()))[0] == ("find", "day", 0, 50)


def test_only_rules_that_may_pay_for_the_goods_are_listed(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    best = rules.rule("best", rules.fixed(20), rules.where("grade", "=", 1), rates=PHONE)
    food = rules.rule("food", rules.fixed(5), rules.where("category", "=", "粮食"), rates=PHONE)
    city.publish(
        rules.document(
            best,
            food,
            policy="find",
            caps=[rules.cap("day", "day", 50) | {"categories": ["冰箱"]}, rules.cap("y", "year", 9)],
        )
    )
    headers = sign_in()

    def of(**body: object) -> list[tuple[list[str], list[str]]]:
        found = caps(client, headers, **body)["policies"]
        return [
            ([rule["rule"] for rule in one["rules"]], [cap["cap"] for cap in one["caps"]])
            for one in found  # type: ignore[attr-defined]
            if one["policy"] == "find"
        ]

    assert of(code=FRIDGE) == [(["best"], ["day", "y"])]
    assert of(code=RICE) == [(["food"], ["y"])]
    assert of(code=TELEVISION) == of(code=WASHER) == []
    assert of(category="粮食") == [(["best", "food"], ["y"])]
    assert of() == [(["best", "food"], ["day", "y"])]


def test_goods_without_a_certificate_have_no_caps_and_say_why(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    headers = sign_in()

    unknown, none = caps(client, headers, code=UNCERTIFIED), caps(client, headers, code="你好")

    assert (unknown["policies"], unknown["goods"]["state"]) == ([], "unknown")  # type: ignore[index]
    assert (none["policies"], none["goods"]["state"]) == ([], "not_a_product")  # type: ignore[index]
    both = client.post(f"{API}/caps:read", json={"code": FRIDGE, "category": "冰箱"}, headers=headers)
    assert both.status_code == 422


def test_a_cap_of_something_that_only_the_sale_tells_is_left_open(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    address = rules.cap("home", "lifetime", 5_000) | {"per": ["address"]}
    city.publish(rules.document(policy="delivered", caps=[address, rules.cap("life", "lifetime", 10**6)]))

    found = caps(client, sign_in(), code=FRIDGE)["policies"][0]["caps"][0]  # type: ignore[index]

    assert (found["cap"], found["used"], found["left"]) == ("home", None, None)
    assert found["sentence"] == "该收货地址的累计上限 5000 分，结账时核定。"


def test_history_pages_are_stable_while_scans_come_in(
    client: FlaskClient, city: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in()
    for number in range(4):
        scan(client, headers, unit_label(f"S{number}"))
        clock.forward(minutes=1)

    first = client.get(f"{API}/scans?limit=2", headers=headers).get_json()
    scan(client, headers, unit_label("late"))
    rest = client.get(f"{API}/scans?limit=10&after={first['next']}", headers=headers).get_json()

    seen = [one["label"]["key"][-2:] for one in first["scans"] + rest["scans"]]
    assert seen == ["S3", "S2", "S1", "S0"]
    assert rest["next"] is None


def test_a_scan_says_what_the_label_proves_and_how_to_get_what_is_missing(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    headers = sign_in()

    def read_by_phone(code: str) -> tuple[str, str | None, str | None]:
        body = client.post(f"{API}/scans", json={"scan_id": str(uuid4()), "code": code}, headers=headers).get_json()
        step = body["next_step"]
        return body["label"]["sentence"], (body["certificate"] or {}).get("state"), step and step["code"]

    assert read_by_phone(FRIDGE) == (
        "这是商品条码，它对应这一型号的商品，不能证明已经购买。",
        "valid",
        "show_member_code",
    )
    assert read_by_phone(UNCERTIFIED)[1:] == (None, "wait")
    assert read_by_phone("你好") == ("这是无法识别的内容，它不能证明商品获得认证。", None, "scan_another")
    asked = client.post("/api/public/v1/labels:read", json={"text": FRIDGE}).get_json()
    assert asked["label"]["sentence"] == "这是商品条码，它对应这一型号的商品，不能证明已经购买。"
