"""Redemptions over HTTP: what a resident and a partner's till send and read, each refusal by its name."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.http.conftest import BRIDGE_TOKEN, Clock, SignIn, bearer, shops_token
from tests.http.shop import BATCH, Shop, batch
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, City, read
from tests.worlds.later import assert_verified
from tests.worlds.redeeming import (
    BUS,
    OTHER_SHOP,
    PARTNERS,
    POINT,
    SHOP,
    TEA,
    TREES,
    entry,
    open_counter,
    publish,
    voucher,
)

API = "/api/resident/v1"
Ask = Callable[..., TestResponse]
NAMES = ("redemption_id", "entry", "pieces", "city")
PARTNER = "token-of-a-partner"
TEXTS = st.text(max_size=60) | st.sampled_from(["", "\x00", "a\x00b", "\u202e", "'--", "{}", "ÿ", "0000-0000"])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.lists(TEXTS, max_size=2)
)
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def member(client: FlaskClient, shop: Shop, city: City, sign_in: SignIn) -> dict[str, str]:
    """Has thirty points; the catalogue is the usual one."""
    headers = sign_in()
    code = client.post(f"{API}/member-codes", headers=headers).get_json()["code"]
    line = shop.line(*[read(FRIDGE) for _ in range(3)], member=code)
    client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer(BRIDGE_TOKEN))
    open_counter(city.database)
    shops_token(city.database, PARTNER, PARTNERS)
    return headers


@pytest.fixture
def ask(client: FlaskClient, member: dict[str, str]) -> Ask:
    def asked(path: str, **body: Any) -> TestResponse:
        return client.post(f"{API}/redemptions{path}", json=body, headers=member)

    return asked


@pytest.fixture
def till(client: FlaskClient, member: dict[str, str]) -> Ask:
    def sent(path: str, code: str, number: str = "n1", store: str = SHOP, token: str = PARTNER) -> TestResponse:
        name = "confirm_id" if path.startswith("redemptions") else "use_id"
        body = {"city": NANJING, "store": store, "code": code, name: number}
        return client.post(f"/api/pos/v1/{path}", json=body, headers=bearer(token))

    return sent


def redeem(ask: Ask, name: str, pieces: int = 1) -> dict[str, Any]:
    answer = ask("", redemption_id=str(uuid4()), entry=name, pieces=pieces)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.get_json()
    return body


def points(client: FlaskClient, headers: dict[str, str]) -> tuple[int, int]:
    found = client.get(f"{API}/balances", headers=headers).get_json()["balances"][0]
    return found["amount"], found["held"]["amount"]


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_the_catalogue_says_what_is_offered_and_what_is_left(
    client: FlaskClient, member: dict[str, str], city: City, ask: Ask
) -> None:
    limit = {"pieces": 3, "period": "month"}
    publish(city.database, entry("film", points=2, stock=5, limit=limit, pieces_max=2))
    publish(city.database, entry("later", **{"from": "2027-01-01T00:00:00+08:00"}))
    redeem(ask, "film", 2)

    first = client.get(f"{API}/catalogue?limit=3", headers=member).get_json()
    second = client.get(f"{API}/catalogue?after={first['next']}", headers=member).get_json()

    found = {one["entry"]: one for one in [*first["entries"], *second["entries"]]}
    assert list(found) == [BUS, "film", POINT, TEA, TREES]
    assert (found["film"]["left"], found["film"]["limit"]) == (
        3,
        {"pieces": 3, "period": "month", "left": 1, "words": "每月每人限兑 3 份", "words_en": "3 a person a month"},
    )
    assert found[BUS]["partners"] == [{"store": SHOP, "name": f"示例网点 {SHOP}"}]
    assert (found[TEA]["voucher_days"], found[TEA]["points_back"], found[POINT]["left"]) == (30, True, None)
    assert second["next"] is None


def test_held_points_are_shown_apart_and_come_back(client: FlaskClient, member: dict[str, str], ask: Ask) -> None:
    held = redeem(ask, POINT, 12)

    assert (held["state"], held["points"], held["code"], held["voucher"]) == ("held", 12, None, None)
    assert held["sentence"] == "已为您保留，占用 12 分；请在 2026-11-22 12:15 前确认。"
    assert points(client, member) == (18, 12)
    cancelled = ask(f"/{held['redemption']}/cancel")
    assert cancelled.get_json()["sentence"] == "已取消，12 分退回原批次，有效期不变。"
    assert ask(f"/{held['redemption']}/cancel").data == cancelled.data
    assert points(client, member) == (30, 0)
    assert refused(ask(f"/{held['redemption']}/confirm")) == (409, "redemption-cancelled")


def test_the_same_id_again_holds_nothing_twice(client: FlaskClient, member: dict[str, str], ask: Ask) -> None:
    asked = {"redemption_id": str(uuid4()), "entry": POINT, "pieces": 3}

    first, again = ask("", **asked), ask("", **asked)

    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    assert points(client, member) == (27, 3)
    assert refused(ask("", **{**asked, "pieces": 4})) == (409, "redemption-conflict")


def test_a_partner_confirms_by_the_code_once(ask: Ask, till: Ask, city: City) -> None:
    held = redeem(ask, BUS, 2)
    assert len(held["code"]) == 9

    confirmed = till("redemptions/confirm", held["code"].lower())
    again = till("redemptions/confirm", held["code"].replace("-", " "))

    assert (confirmed.status_code, again.data) == (200, confirmed.data)
    assert confirmed.get_json()["sentence"] == "已核销：兑换 bus 2 份，请提供。"
    assert "resident" not in confirmed.get_json()
    assert refused(till("redemptions/confirm", held["code"], "n2")) == (409, "redemption-confirmed")
    other = redeem(ask, BUS)
    assert refused(till("redemptions/confirm", other["code"], "n1")) == (409, "redemption-use-conflict")
    assert books.balance(city.database, NANJING, "redeemed:points") == 10
    assert_verified(city.database, NANJING)


@pytest.mark.parametrize(
    ("status", "code", "changes"),
    [
        (404, "redemption-code-unknown", {"code": "0000-0000"}),
        (422, "redemption-code-malformed", {"code": "0000"}),
        (403, "not-a-partner", {"store": OTHER_SHOP}),
        (403, "forbidden", {"token": BRIDGE_TOKEN}),
    ],
)
def test_what_a_partner_is_refused(ask: Ask, till: Ask, status: int, code: str, changes: dict[str, str]) -> None:
    held = redeem(ask, BUS)

    assert refused(till("redemptions/confirm", **{"code": held["code"], **changes})) == (status, code)


def test_a_shop_that_guesses_waits(ask: Ask, till: Ask) -> None:
    held = redeem(ask, BUS)
    for number in range(30):
        assert till("redemptions/confirm", f"0000-00{number:02d}").status_code == 404

    for path in ("redemptions/confirm", "vouchers/use"):
        waits = till(path, held["code"])
        assert refused(waits) == (429, "too-many-wrong-codes")
        assert 0 < int(waits.headers["Retry-After"]) <= 60


@OFTEN
@given(st.sampled_from(["", "/confirm", "/cancel"]), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))
def test_nothing_that_a_phone_says_makes_it_fail(ask: Ask, city: City, path: str, changed: dict[str, Any]) -> None:
    body = {"redemption_id": str(uuid4()), "entry": POINT} if path == "" else {}
    answer = ask(f"/{uuid4()}{path}" if path else "", **(body | changed))

    assert answer.status_code in (200, 201, 400, 404, 409, 422)


@OFTEN
@given(st.sampled_from(["redemptions/confirm", "vouchers/use"]), TEXTS, TEXTS, TEXTS)
def test_nothing_that_a_shop_says_makes_it_fail(till: Ask, path: str, code: str, number: str, store: str) -> None:
    assert till(path, code, number, store).status_code in (403, 404, 422, 429)


@OFTEN
@given(
    st.sampled_from(["catalogue", "redemptions"]), st.dictionaries(st.sampled_from(["after", "limit", "city"]), TEXTS)
)
def test_nothing_that_is_asked_for_makes_it_fail(
    client: FlaskClient, member: dict[str, str], path: str, query: dict[str, str]
) -> None:
    assert client.get(f"{API}/{path}", query_string=query, headers=member).status_code in (200, 422)


def test_a_voucher_is_issued_shown_again_and_used_once(
    client: FlaskClient, member: dict[str, str], ask: Ask, till: Ask, city: City
) -> None:
    held = redeem(ask, TEA)
    assert (held["code"], held["voucher"]) == (None, None)

    confirmed = ask(f"/{held['redemption']}/confirm")
    issued = confirmed.get_json()["voucher"]

    assert ask(f"/{held['redemption']}/confirm").data == confirmed.data
    assert (issued["state"], len(issued["code"]), issued["expires_at"]) == ("issued", 19, "2026-12-22T16:00:00+00:00")
    path = f"{API}/redemptions/{held['redemption']}"
    assert client.get(path, headers=member).get_json()["voucher"] == issued
    used = till("vouchers/use", issued["code"])
    assert used.get_json()["sentence"] == "券有效，已核销：兑换 tea。"
    assert till("vouchers/use", issued["code"]).data == used.data
    assert refused(till("vouchers/use", issued["code"], "n2")) == (409, "voucher-used")
    seen = client.get(path, headers=member).get_json()
    assert (seen["voucher"]["code"], seen["voucher"]["state"], seen["sentence"]) == (None, "used", "券已使用。")
    assert_verified(city.database, NANJING)


def test_a_code_stands_nowhere_in_the_database(ask: Ask, city: City) -> None:
    held = redeem(ask, TEA)
    code = ask(f"/{held['redemption']}/confirm").get_json()["voucher"]["code"]

    dumped = str(books.rows(city.database, "SELECT v::text FROM vouchers v")) + str(
        books.rows(city.database, "SELECT r::text FROM redemptions r")
    )

    assert code not in dumped
    assert code.replace("-", "") not in dumped


def test_a_donation_goes_to_its_recipient(ask: Ask, city: City) -> None:
    held = redeem(ask, TREES, 3)

    given = ask(f"/{held['redemption']}/confirm").get_json()

    assert given["sentence"] == "已捐出 6 分，感谢您。"
    assert books.balance(city.database, NANJING, "recipient:green-fund:points") == 6
    assert_verified(city.database, NANJING)


@pytest.mark.parametrize(
    ("status", "code", "body"),
    [
        (404, "catalogue-entry-unknown", {"entry": "nothing"}),
        (409, "catalogue-entry-closed", {"entry": "later"}),
        (409, "sold-out", {"entry": "rare", "pieces": 2}),
        (409, "redemption-limit-reached", {"entry": "few", "pieces": 2}),
        (409, "too-little-available", {"entry": POINT, "pieces": 31}),
        (422, "too-many-pieces", {"entry": TEA, "pieces": 2}),
        (422, "invalid-fields", {"entry": "Not A Name"}),
        (422, "invalid-fields", {"entry": POINT, "pieces": 0}),
    ],
)
def test_what_cannot_be_redeemed_is_refused_by_its_name(
    ask: Ask, city: City, status: int, code: str, body: dict[str, Any]
) -> None:
    publish(
        city.database,
        entry("later", **{"from": "2027-01-01T00:00:00+08:00"}),
        entry("rare", stock=1),
        entry("few", limit={"pieces": 1, "period": "day"}),
    )

    answer = ask("", redemption_id=str(uuid4()), **body)

    assert refused(answer) == (status, code)
    assert books.count(city.database, "redemptions", NANJING) == 0


def test_what_is_confirmed_late_or_at_the_wrong_place_is_refused(ask: Ask, clock: Clock) -> None:
    point, bus = redeem(ask, POINT), redeem(ask, BUS)

    assert refused(ask(f"/{bus['redemption']}/confirm")) == (409, "confirmed-at-till")
    clock.forward(minutes=15)
    assert refused(ask(f"/{point['redemption']}/confirm")) == (409, "redemption-expired")
    late = ask(f"/{point['redemption']}/cancel").get_json()
    assert (late["state"], late["sentence"]) == (
        "expired",
        "未在保留时间内完成，已自动取消，1 分退回原批次，有效期不变。",
    )


def test_another_residents_redemption_is_unknown(
    client: FlaskClient, member: dict[str, str], ask: Ask, sign_in: SignIn
) -> None:
    mine = redeem(ask, POINT)["redemption"]
    other = sign_in("wang")

    for method, path, body in (("GET", "", None), ("POST", "/confirm", {}), ("POST", "/cancel", {})):
        answer = client.open(f"{API}/redemptions/{mine}{path}", method=method, json=body, headers=other)
        assert refused(answer) == (404, "redemption-unknown")
    assert client.get(f"{API}/redemptions", headers=other).get_json()["redemptions"] == []


def test_the_history_is_read_page_by_page(client: FlaskClient, member: dict[str, str], ask: Ask, clock: Clock) -> None:
    made = []
    for _ in range(5):
        made.append(redeem(ask, POINT)["redemption"])
        clock.forward(seconds=1)
    seen: list[str] = []
    after = ""
    while True:
        page = client.get(f"{API}/redemptions?limit=2{after}", headers=member).get_json()
        seen += [one["redemption"] for one in page["redemptions"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert seen == made[::-1]
    for wrong in ("x", "MjAyNi0xMS0yMiBhYmM=", "eA=="):
        answer = client.get(f"{API}/redemptions?after={wrong}", headers=member)
        assert refused(answer) == (422, "invalid-fields")


def test_an_unused_voucher_of_a_withdrawn_entry_is_still_good(ask: Ask, till: Ask, city: City) -> None:
    code = ask(f"/{redeem(ask, TEA)['redemption']}/confirm").get_json()["voucher"]["code"]
    publish(city.database, voucher(TEA, points=900, stores=[OTHER_SHOP]))

    assert till("vouchers/use", code).status_code == 200
