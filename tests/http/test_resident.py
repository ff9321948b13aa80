"""The resident's API: what a phone sends, and what its owner reads."""

import base64
from hashlib import sha256
from uuid import uuid4

import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.storage.transaction import observed
from tests.http.conftest import Clock, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch
from tests.worlds import rules
from tests.worlds.books import assert_balanced, count, rows
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, UNCERTIFIED, City, read, unit_label

SCANS, BALANCES = "/api/resident/v1/scans", "/api/resident/v1/balances"
DISCOVERY = {"M": {"P0": 1_000}, "U": {"P0": 1_000, "P3": 10_000}}


@pytest.fixture
def discovery(city: City) -> City:
    """A city whose policy pays a phone scan a tenth of ten points, at most two a day."""
    doc = rules.document(
        rules.rule("found", rules.fixed(10), rates=DISCOVERY), policy="find", caps=[rules.cap("day", "day", 2)]
    )
    city.publish(doc)
    return city


def scan(client: FlaskClient, headers: dict[str, str], **body: object) -> TestResponse:
    usual = {"scan_id": str(uuid4()), "code": FRIDGE, "symbology": "EAN_13"}
    return client.post(SCANS, json={**usual, **body}, headers=headers)


def points(client: FlaskClient, headers: dict[str, str]) -> int:
    units = client.get(BALANCES, headers=headers).get_json()["balances"]
    return next(each["amount"] for each in units if each["unit"] == "points")


def test_a_scan_answers_what_it_earned_and_why(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    headers = sign_in()

    answer = scan(client, headers)

    assert answer.status_code == 201
    body = answer.get_json()
    assert (body["outcome"], body["award"]["amount"], body["award"]["words"]) == ("awarded", 1, "1 分")
    assert body["certificate"]["grade"] == 1
    assert body["label"]["key"] == f"gtin:0{FRIDGE}"
    assert body["sentence"] == "这款冰箱是一级能效，按政策奖励 1 分。"
    assert points(client, headers) == 1
    assert_balanced(discovery.database, NANJING)


def test_the_same_scan_sent_again_answers_the_same_bytes_and_counts_once(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock
) -> None:
    headers, scan_id = sign_in(), str(uuid4())
    first = scan(client, headers, scan_id=scan_id)
    clock.forward(hours=1)

    again = scan(client, headers, scan_id=scan_id)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_data() == first.get_data()
    assert points(client, headers) == 1
    assert count(discovery.database, "baskets", NANJING) == 1


def test_an_identity_number_sent_again_is_the_same_scan_and_nothing_tells_it(
    client: FlaskClient, city: City, sign_in: SignIn
) -> None:
    headers, scan_id, number = sign_in(), str(uuid4()), "11010519491231002X"

    first, again, other = (
        scan(client, headers, scan_id=scan_id, code=code, symbology="QR_CODE")
        for code in (number, number, number.replace("1949", "1950"))
    )

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.get_data() == first.get_data()
    content = {"code": number, "hex": False, "symbology": "QR_CODE", "aim": None, "city": NANJING}
    ((line, stored),) = rows(city.database, "SELECT line, sha256 FROM baskets")
    assert line is None
    assert stored != sha256(orjson.dumps(content)).digest()


def test_a_scan_id_used_for_other_content_is_refused_and_changes_nothing(
    client: FlaskClient, discovery: City, sign_in: SignIn
) -> None:
    headers, scan_id = sign_in(), str(uuid4())
    scan(client, headers, scan_id=scan_id)

    other = scan(client, headers, scan_id=scan_id, code=UNCERTIFIED)

    assert other.status_code == 409
    assert other.content_type == "application/problem+json"
    assert other.get_json()["code"] == "basket-conflict"
    assert points(client, headers) == 1


def test_text_and_its_bytes_are_the_same_scan(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    headers, scan_id = sign_in(), str(uuid4())
    first = scan(client, headers, scan_id=scan_id)

    again = scan(client, headers, scan_id=scan_id, code=None, code_b64=base64.b64encode(FRIDGE.encode()).decode())

    assert again.status_code == 200
    assert again.get_json() == first.get_json()


def test_two_residents_may_use_one_scan_id(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    scan_id = str(uuid4())

    statuses = [scan(client, sign_in(name), scan_id=scan_id).status_code for name in ("zhang", "wang")]

    assert statuses == [201, 201]


def test_the_cap_of_the_day_is_told_with_its_sentence(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in()

    answers = [scan(client, headers, code=unit_label(f"S{n}"), symbology="QR_CODE").get_json() for n in range(3)]

    assert [each["award"]["amount"] if each["award"] else 0 for each in answers] == [1, 1, 0]
    assert answers[2]["reason"] == "cap"
    assert answers[2]["sentence"] == "按政策应奖励 1 分，但您的每日上限 2 分只剩 0 分，本次不奖励。"
    clock.forward(days=1)
    assert scan(client, sign_in(), code=unit_label("S9"), symbology="QR_CODE").get_json()["award"]["amount"] == 1


def test_an_unknown_product_is_kept_for_a_check(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    body = scan(client, sign_in(), code=UNCERTIFIED).get_json()

    assert (body["outcome"], body["certificate"], body["award"]) == ("pending_product", None, None)
    assert count(discovery.database, "pending_products", NANJING) == 1


def test_nothing_of_an_identity_number_is_answered_or_kept(
    client: FlaskClient, discovery: City, sign_in: SignIn
) -> None:
    number = "11010519491231002X"

    answer = scan(client, sign_in(), code=number, symbology=None)

    assert answer.status_code == 201
    assert number not in answer.get_data(as_text=True)
    label = answer.get_json()["label"]
    assert (label["scheme"], label["key"], label["text"], label["level"]) == ("citizen_id", None, None, None)
    assert label["sentence"] == "这是个人证件号码，它不能证明商品获得认证。"


def test_a_scan_in_another_city_opens_an_account_there(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    headers = sign_in()

    answer = scan(client, headers, city=SUZHOU)

    assert answer.get_json()["city"] == SUZHOU
    assert answer.get_json()["reason"] == "no_policy"
    assert points(client, headers) == 0


def test_history_goes_back_page_by_page_and_loses_no_scan(
    client: FlaskClient, discovery: City, sign_in: SignIn, clock: Clock
) -> None:
    headers = sign_in()
    sent = []
    for _ in range(7):
        sent.append(scan(client, headers).get_json()["scan_id"])
        clock.forward(seconds=1)

    seen, after = [], None
    for _ in range(4):
        page = client.get(SCANS, query_string={"limit": 2} | ({"after": after} if after else {}), headers=headers)
        seen += [each["scan_id"] for each in page.get_json()["scans"]]
        after = page.get_json()["next"]

    assert seen == sent[::-1]
    assert after is None


def test_a_page_of_history_with_nothing_beside_its_scans_is_one_statement(
    client: FlaskClient, discovery: City, shop: Shop, sign_in: SignIn
) -> None:
    headers = sign_in()
    for _ in range(3):
        scan(client, headers)
    code = client.post("/api/resident/v1/member-codes", headers=headers).get_json()["code"]
    line = shop.line(read(FRIDGE), member=code)
    client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer("token-of-a-bridge"))
    seen: list[str] = []

    with observed(seen.append):
        found = client.get(SCANS, headers=headers).get_json()["scans"]

    assert sorted(each["outcome"] for each in found) == ["awarded"] * 3 + ["none"]
    assert len(seen) == 1


@pytest.mark.parametrize(("fact", "said"), [("body", "CNIS"), ("receipt_fen", "")])
def test_history_says_why_there_is_no_award_in_the_words_of_the_explanation(
    client: FlaskClient, city: City, sign_in: SignIn, fact: str, said: str
) -> None:
    """The body stands with the certificate, the receipt with the basket's lines: neither with the decision."""
    condition = rules.where(fact, "=", "CQC" if fact == "body" else 100)
    rule = rules.rule("found", rules.fixed(10), condition, rates=DISCOVERY)
    city.publish(rules.document(rule, starts="2026-02-01T00:00:00+08:00"))
    headers = sign_in()
    recorded = scan(client, headers).get_json()

    (found,) = client.get(SCANS, headers=headers).get_json()["scans"]
    explained = client.get(f"{SCANS}/{recorded['basket']}/lines/0", headers=headers).get_json()

    assert found["outcome"] == "none"
    assert said in found["sentence"]
    assert found == explained["scan"]


def test_a_decision_is_explained_from_its_stored_facts(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    headers = sign_in()
    recorded = scan(client, headers).get_json()

    answer = client.get(f"{SCANS}/{recorded['basket']}/lines/0", headers=headers).get_json()

    assert answer["recomputed_equal"] is True
    assert answer["scan"] == recorded
    found = next(each for each in answer["policies"] if each["policy"] == "find")
    assert found["document_number"] == "宁绿〔2026〕1号"
    assert [(each["rule"], each["decides"]) for each in found["rules"]] == [("found", True)]
    assert found["rules"][0]["arithmetic"][-1]["amount"] == 1


def test_another_residents_scan_is_not_found(client: FlaskClient, discovery: City, sign_in: SignIn) -> None:
    basket = scan(client, sign_in("zhang")).get_json()["basket"]

    answer = client.get(f"{SCANS}/{basket}/lines/0", headers=sign_in("wang"))

    assert answer.status_code == 404


def test_a_member_code_shown_at_a_till_brings_the_award_home(client: FlaskClient, shop: Shop, sign_in: SignIn) -> None:
    headers = sign_in()
    code = client.post("/api/resident/v1/member-codes", headers=headers).get_json()["code"]
    line = shop.line(read(FRIDGE), member=code)

    answer = client.post(BATCH, json=batch(shop.delivery(shop.message(line))), headers=bearer("token-of-a-bridge"))

    assert answer.status_code == 200
    assert points(client, headers) == 10
    history = client.get(SCANS, headers=headers).get_json()["scans"]
    assert [(each["channel"], each["store"]["name"]) for each in history] == [("till", "示例超市新街口店")]


def test_signing_out_ends_the_session_at_once(client: FlaskClient, city: City, sign_in: SignIn) -> None:
    headers = sign_in()
    assert client.get(BALANCES, headers=headers).status_code == 200

    assert client.delete("/api/resident/v1/sessions/current", headers=headers).status_code == 204

    assert client.get(BALANCES, headers=headers).status_code == 401


def test_a_session_ends_by_itself(client: FlaskClient, city: City, sign_in: SignIn, clock: Clock) -> None:
    headers = sign_in()
    client.get(BALANCES, headers=headers)

    clock.forward(hours=12, seconds=1)

    answer = client.get(BALANCES, headers=headers)
    assert answer.status_code == 401
    assert answer.get_json()["detail"] == "请先登录；登录可能已过期。"


def test_the_same_person_signing_in_again_is_the_same_resident(client: FlaskClient, city: City) -> None:
    def resident_of(name: str) -> str:
        answer = client.post(
            "/api/resident/v1/sessions", json={"way": "development", "code": f"dev:{name}", "city": NANJING}
        )
        return str(answer.get_json()["resident"])

    assert resident_of("zhang") == resident_of("zhang") != resident_of("wang")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scan_id": "no uuid"}, "/scan_id"),
        ({"code": None}, "/code"),
        ({"code": "a", "code_b64": "YQ=="}, "/code"),
        ({"code": "x" * 2049}, "/code"),
        ({"code": "绿" * 1000}, "/code"),
        ({"code": None, "code_b64": "not base64!"}, "/code_b64"),
        ({"city": "320102"}, "/city"),
        ({"city": "999900"}, "/city"),
        ({"points": 1000}, "/points"),
        ({"symbology": "a b"}, "/symbology"),
        ({"aim": "E0"}, "/aim"),
    ],
)
def test_a_wrong_field_is_named(
    client: FlaskClient, city: City, sign_in: SignIn, body: dict[str, object], pointer: str
) -> None:
    answer = scan(client, sign_in(), **body)

    assert answer.status_code == 422
    problem = answer.get_json()
    assert problem["code"] == "invalid-fields"
    assert pointer in [each["pointer"] for each in problem["errors"]]
    assert count(city.database, "baskets", NANJING) == 0


@pytest.mark.parametrize("content", [bytes(range(256)), b"\x00" * 2048, "扫我".encode("gb18030"), b"\x1b[31m\x07"])
def test_any_bytes_are_recorded_with_a_reason(
    client: FlaskClient, discovery: City, sign_in: SignIn, content: bytes
) -> None:
    answer = scan(client, sign_in(), code=None, code_b64=base64.b64encode(content).decode(), symbology="QR_CODE")

    assert answer.status_code == 201
    assert answer.get_json()["outcome"] in ("none", "held")
    assert answer.get_json()["sentence"]


@pytest.mark.parametrize("line_no", ["99999999999", "50", "-1", "x"])
def test_a_made_up_cursor_is_refused_by_name(client: FlaskClient, city: City, sign_in: SignIn, line_no: str) -> None:
    cursor = base64.urlsafe_b64encode(f"2026-11-22T00:00:00+00:00 {uuid4()} {line_no}".encode()).decode()

    answer = client.get(SCANS, query_string={"after": cursor}, headers=sign_in())

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "query:/after"
