"""Pages of cases: reports, held scans, appeals with their second person, samples, suspensions, lists; each act recorded."""

import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.officials.model import Role
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.draw_samples import draw_samples
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.file_report import AskedReport, FileReport
from backend.usecases.open_store import open_store
from backend.web.console.declare import DECLARED
from tests.http.conftest import Clock
from tests.worlds import books, officials, rules
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident

LI = resident(1)
FIRM = "91371323760038087M"


@pytest.fixture
def city(engine_db: Database) -> City:
    """Where a person's second award of a day is held."""
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 1, "counts": "awards", "partial": False}
    rule = rules.rule("all", rules.percent(10_000))
    doc = rules.document(rule, caps=[{**watch, "beyond": "hold"}, rules.cap("life", "lifetime", 10**9)])
    opened = open_city(engine_db, doc)
    shop = Store(NANJING, "s1", "示例超市", "新街口店", "320102")
    engine_db.write(lambda connection: open_store(connection, shop, NOON))
    return opened


@pytest.fixture
def desk(client: FlaskClient, city: City, clock: Clock) -> FlaskClient:
    return another(client, city, clock, "陈静")


def another(client: FlaskClient, city: City, clock: Clock, name: str, role: Role = Role.CASE_OFFICER) -> FlaskClient:
    return officials.signed_in(client.application.test_client(), city.database, clock.now, role, name=name)


def text(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)[-3000:]
    return answer.get_data(as_text=True)


def post(desk: FlaskClient, url: str, **form: object) -> TestResponse:
    data = {"csrf": desk.csrf} | form  # type: ignore[attr-defined]
    return desk.post(url, data=data, content_type="multipart/form-data")


def acts(city: City) -> list[str]:
    return [
        what
        for (what,) in books.rows(city.database, "SELECT what FROM acts WHERE city = :city ORDER BY act", city=NANJING)
    ]


def held(city: City, price_fen: int = 1_000) -> str:
    till = city.till(1 + books.count(city.database, "baskets", NANJING))
    arrivals = [till.basket(read(FRIDGE, price_fen=price_fen), resident=LI) for _ in range(2)]
    city.record(*arrivals)
    return arrivals[1].basket.basket


def test_a_report_is_accepted_decided_and_closed(desk: FlaskClient, city: City, clock: Clock) -> None:
    asked = AskedReport(NANJING, LI, "1", "<b>标志</b>是贴上去的。", store="s1", label=FRIDGE)
    report = FileReport(city.database, None).file(asked, clock.now).report.report
    listed = text(desk.get("/console/cases/reports"))
    assert ("&lt;b&gt;标志" in listed, "新街口店" in listed) == (True, True)
    url = f"/console/cases/reports/{report}"

    assert post(desk, url, kind="accept", text="属本市管辖").status_code == 303
    wrong = post(desk, url, kind="close", text="早了")
    assert "不能这样处理" in text(wrong, 409)
    assert post(desk, url, kind="decide", text="").status_code == 422
    assert post(desk, url, kind="decide", outcome="confirmed", text="经查属实，已处理。").status_code == 303
    assert post(desk, url, kind="close", text="已移交").status_code == 303

    page = text(desk.get(url))
    assert ("经查属实，已处理。" in page, "陈静" in page) == (True, True)
    assert "没有待办的举报" in text(desk.get("/console/cases/reports"))
    assert "属实" in text(desk.get("/console/cases/reports?which=decided"))
    assert acts(city)[-3:] == ["report-step-taken"] * 3


def test_a_held_scan_is_released_with_a_reason(desk: FlaskClient, city: City) -> None:
    basket = held(city)
    assert f"/console/cases/holds/{basket}/0" in text(desk.get("/console/cases/holds"))
    url = f"/console/cases/holds/{basket}/0"
    assert "触发核查" in text(desk.get(url))

    assert post(desk, url, ruling="release", reason="").status_code == 422
    assert post(desk, url, ruling="release", reason="小票相符").status_code == 303

    assert books.wallet(city.database, NANJING, LI) == 2_000
    assert "不在待核查之列" in text(post(desk, url, ruling="refuse", reason="再来"), 409)
    assert "hold-released" in acts(city)


def test_much_that_is_held_is_released_by_two(desk: FlaskClient, client: FlaskClient, city: City, clock: Clock) -> None:
    basket = held(city, price_fen=6_000)
    url = f"/console/cases/holds/{basket}/0"

    assert post(desk, url, ruling="release", reason="小票相符").status_code == 303
    assert books.wallet(city.database, NANJING, LI) == 6_000
    assert "待第二人复核" in text(desk.get("/console/cases/holds"))
    assert "须由另一人复核" in text(desk.get(url))
    assert "已有人提出" in text(post(desk, url, ruling="release", reason="再来"), 409)
    assert "提出人以外" in text(post(desk, f"{url}/approve"), 403)

    other = another(client, city, clock, "赵军")
    assert "小票相符" in text(other.get(url))
    assert post(other, f"{url}/approve").status_code == 303

    assert books.wallet(city.database, NANJING, LI) == 12_000
    ((by, second),) = books.rows(city.database, "SELECT ruled_by, approved_by FROM hold_rulings")
    assert by != second
    assert {"hold-proposed", "hold-released"} <= set(acts(city))
    assert post(other, f"{url}/approve").status_code == 404


def test_what_was_typed_for_a_case_is_still_there_after_a_refusal(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    url = f"/console/cases/holds/{held(city, price_fen=6_000)}/0"
    assert post(desk, url, ruling="release", reason="小票相符").status_code == 303
    again = text(post(desk, url, ruling="release", reason="再次提出放行"), 409)
    asked = AskedReport(NANJING, LI, "1", "标志是贴上去的。", store="s1")
    report = FileReport(city.database, None).file(asked, clock.now).report.report
    early = text(
        post(desk, f"/console/cases/reports/{report}", kind="decide", outcome="confirmed", text="经查属实，已处理。"),
        409,
    )
    chief = another(client, city, clock, "局长", Role.CITY_ADMINISTRATOR)
    terms = {"sample_bp": "10001", "accept_days": "8", "decide_days": "16", "reason": "年度抽查计划"}
    beyond = text(post(chief, "/console/cases/terms", **terms), 422)

    assert ">再次提出放行</textarea>" in again
    assert re.search(r'id="f-told"[^>]*>经查属实，已处理。</textarea>', early)
    assert [value in beyond for value in ('value="10001"', 'value="8"', 'value="16"', 'value="年度抽查计划"')] == [
        True
    ] * 4


def test_the_grounds_of_a_sample_are_still_there_where_another_looked_first(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    chief, other = (another(client, city, clock, "局长", Role.CITY_ADMINISTRATOR), another(client, city, clock, "赵军"))
    terms = {"sample_bp": "10000", "accept_days": "7", "decide_days": "15", "reason": "年度计划"}
    assert post(chief, "/console/cases/terms", **terms).status_code == 303
    city.record(city.till().basket(read(FRIDGE), resident=LI), now=clock.now + timedelta(seconds=1))
    draw_samples(city.database, NANJING, clock.now + timedelta(minutes=10))
    (basket,) = re.findall(r'name="basket" value="([^"]+)"', text(desk.get("/console/cases/samples")))
    look = {"basket": basket, "line_no": "0", "reason": "小票无此商品"}

    untold = text(post(desk, "/console/cases/samples", **look, finding=""), 422)
    assert post(other, "/console/cases/samples", **look, finding="wrong").status_code == 303
    late = text(post(desk, "/console/cases/samples", **look, finding="right"), 409)

    assert 'value="小票无此商品"' in untold
    assert ("随机抽查" in late, "data-code" in late) == (True, False)


def test_every_ruling_that_may_pay_asks_for_a_fresh_code() -> None:
    """A policy that is approved grants its budget."""
    paying = ("/cases/holds", "/cases/appeals", "/cases/slips", "/policy-drafts/<uuid:draft>/approve")
    rulings = [one for one in DECLARED if one.method == "POST" and one.rule.startswith(paying)]

    assert [one.rule for one in rulings if not one.step_up] == []
    assert len(rulings) == 7


def test_a_held_scan_is_refused_and_the_appeal_is_anothers(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    basket = held(city)
    assert post(desk, f"/console/cases/holds/{basket}/0", ruling="refuse", reason="小票不清").status_code == 303
    appeal = file_appeal(
        city.database, AskedAppeal(NANJING, LI, str(uuid4()), basket, 0, "小票已补"), 15, clock.now
    ).appeal
    url = f"/console/cases/appeals/{appeal.appeal}"
    page = text(desk.get(url))
    assert ("由另一人办理" in page, "陈静" in page) == (True, True)
    assert "须由未参与原裁定" in text(post(desk, url, verdict="uphold", explanation="相符"), 403)

    other = another(client, city, clock, "赵军")
    assert post(other, url, verdict="uphold", explanation="小票相符。").status_code == 303

    assert books.wallet(city.database, NANJING, LI) == 2_000
    assert "没有待办的申诉" in text(other.get("/console/cases/appeals"))
    assert "小票相符。" in text(other.get(url))


def test_much_money_waits_for_a_second_person_who_is_another(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    basket = held(city, price_fen=6_000)
    appeal = file_appeal(
        city.database, AskedAppeal(NANJING, LI, str(uuid4()), basket, 0, "是我买的"), 15, clock.now
    ).appeal
    url = f"/console/cases/appeals/{appeal.appeal}"

    assert post(desk, url, verdict="uphold", explanation="经核属实。").status_code == 303
    assert "待第二人复核" in text(desk.get("/console/cases/appeals"))
    assert text(post(desk, f"{url}/approve"), 403)
    assert books.wallet(city.database, NANJING, LI) == 6_000
    assert text(post(desk, url, verdict="uphold", explanation="再提"), 409)

    other = another(client, city, clock, "赵军")
    assert post(other, f"{url}/approve").status_code == 303

    assert books.wallet(city.database, NANJING, LI) == 12_000
    ((by, second),) = books.rows(city.database, "SELECT decided_by, approved_by FROM appeals")
    assert by != second
    assert {"appeal-proposed", "appeal-upheld"} <= set(acts(city))


def test_samples_are_drawn_by_the_citys_share_and_looked_at(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    chief = another(client, city, clock, "局长", Role.CITY_ADMINISTRATOR)
    terms = {"sample_bp": "10000", "accept_days": "7", "decide_days": "15", "reason": "年度计划"}
    assert post(desk, "/console/cases/terms", **terms).status_code == 403
    assert post(chief, "/console/cases/terms", **terms | {"sample_bp": "10001"}).status_code == 422
    assert post(chief, "/console/cases/terms", **terms).status_code == 303
    till = city.till()
    city.record(till.basket(read(FRIDGE), resident=LI), now=clock.now + timedelta(seconds=1))
    draw_samples(city.database, NANJING, clock.now + timedelta(minutes=10))
    page = text(desk.get("/console/cases/samples"))
    (basket,) = re.findall(r'name="basket" value="([^"]+)"', page)

    assert post(desk, "/console/cases/samples", basket=basket, line_no="0", finding="wrong").status_code == 422
    asked = {"basket": basket, "line_no": "0", "finding": "wrong", "reason": "小票无此商品"}
    assert post(desk, "/console/cases/samples", **asked).status_code == 303

    assert post(desk, "/console/cases/samples", **asked).status_code == 409
    assert "100.0" in text(desk.get("/console/cases/samples"))
    assert {"case-terms-set", "sample-reviewed"} <= set(acts(city))


def test_a_shop_is_suspended_by_two_and_the_appeal_is_a_thirds(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    notice = {"store": "s1", "basis": "本市办法第十二条", "reason": "三次抽查不符", "reply_days": "5"}
    assert post(desk, "/console/cases/suspensions", **notice | {"store": "s9"}).status_code == 404
    assert post(desk, "/console/cases/suspensions", **notice | {"reply_days": "1"}).status_code == 422
    assert post(desk, "/console/cases/suspensions", **notice | {"reply_days": "0060"}).status_code == 422
    url = post(desk, "/console/cases/suspensions", **notice).headers["Location"]
    until = (clock.now + timedelta(days=30)).date().isoformat()
    proposal = {"proposal": "impose", "until": until, "text": "查证属实"}
    assert "答复期" in text(post(desk, f"{url}/propose", **proposal), 409)

    assert post(desk, f"{url}/reply", text="已下架整改").status_code == 303
    assert post(desk, f"{url}/propose", **proposal).status_code == 303
    assert text(post(desk, f"{url}/approve"), 403)
    second, third = another(client, city, clock, "赵军"), another(client, city, clock, "钱进")
    assert post(second, f"{url}/approve").status_code == 303
    assert "停用中" in text(desk.get("/console/cases/suspensions"))
    assert post(desk, f"{url}/appeal", text="不服").status_code == 303
    assert text(post(second, f"{url}/answer", outcome="upheld", text="同意"), 403)
    assert post(third, f"{url}/answer", outcome="upheld", text="证据不足").status_code == 303

    page = text(desk.get(url))
    assert ("已解除" in page, "钱进" in page) == (True, True)
    assert [one for one in acts(city) if one.startswith("suspension")] == [
        "suspension-noticed",
        "suspension-replied",
        "suspension-proposed",
        "suspension-approved",
        "suspension-appealed",
        "suspension-appeal-answered",
    ]


def test_lists_are_proposed_by_one_and_imported_by_another(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    content = f"名单,统一社会信用代码,文号,列入机关,列入日期\n严重违法失信名单,{FIRM},1号,市监局,2026-01-01\n".encode()

    def send(by: FlaskClient, content: bytes, **more: str) -> TestResponse:
        return post(by, "/console/cases/lists", source="公示系统", file=(io.BytesIO(content), "a.csv"), **more)

    tried = text(send(desk, content))
    assert ("未写入" in tried, FIRM in tried, "没有企业在名单上" in tried) == (True, True, True)
    proposed = send(desk, content, write="yes")
    assert proposed.status_code == 303
    url = proposed.headers["Location"]
    file = url.partition("file=")[2]
    page = text(desk.get(url))
    assert ("须由另一人复核" in page, FIRM in page, "没有企业在名单上" in page) == (True, True, True)
    assert text(send(desk, content, write="yes"), 409)
    assert text(post(desk, f"/console/cases/lists/{file}/approve"), 403)

    other = another(client, city, clock, "赵军")
    assert post(other, f"/console/cases/lists/{file}/approve").status_code == 303

    assert FIRM in text(desk.get("/console/cases/lists"))
    assert "在名单上" in text(desk.get(f"/console/registry/enterprises/{FIRM}"))
    assert text(post(other, f"/console/cases/lists/{file}/approve"), 404)
    assert text(send(desk, content, write="yes"), 422)
    assert send(desk, b"x").status_code == 422
    assert "listings-proposed" in acts(city)
    ((by, second),) = books.rows(city.database, "SELECT recorded_by, approved_by FROM enterprise_listings")
    assert by != second


def test_a_list_is_sent_back_or_approved_only_as_it_was_seen(
    desk: FlaskClient, client: FlaskClient, city: City, clock: Clock
) -> None:
    heads, line = (
        "名单,统一社会信用代码,文号,列入机关,列入日期,移出日期",
        f"严重违法失信名单,{FIRM},1号,市监局,2026-01-01,",
    )
    files = []
    for removed in ("", "2026-03-01", "2026-04-01"):
        content = io.BytesIO(f"{heads}\n{line}{removed}\n".encode())
        answer = post(desk, "/console/cases/lists", source="公示系统", file=(content, "a.csv"), write="yes")
        files.append(answer.headers["Location"].partition("file=")[2])
    other = another(client, city, clock, "赵军")

    assert post(other, f"/console/cases/lists/{files[0]}/approve").status_code == 303
    changed = text(post(other, f"/console/cases/lists/{files[1]}/approve"), 409)
    assert "名录已有变化" in changed
    assert text(post(other, f"/console/cases/lists/{files[2]}/refuse", reason=""), 422)
    assert post(other, f"/console/cases/lists/{files[2]}/refuse", reason="来源不明").status_code == 303

    assert books.rows(city.database, "SELECT removed_on FROM enterprise_listings") == [(None,)]
    assert "listings-refused" in acts(city)


def test_an_auditor_sees_and_changes_nothing(client: FlaskClient, city: City, clock: Clock) -> None:
    basket = held(city)
    desk = another(client, city, clock, "审计", Role.AUDITOR)

    page = text(desk.get(f"/console/cases/holds/{basket}/0"))

    assert 'name="ruling"' not in page
    assert post(desk, f"/console/cases/holds/{basket}/0", ruling="release", reason="x").status_code == 403
