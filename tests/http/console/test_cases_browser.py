"""Cases worked in a real browser as an official would; axe finds nothing in the states that no address leads to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, expect

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.cases.terms import SALT_BYTES, CaseTerms, set_terms
from backend.certificates.cache import RegistryCache
from backend.kernel.periods import civil_date, milliseconds
from backend.ledger import chart
from backend.officials.model import Role
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.retailers.store import Store
from backend.usecases.claim_missing_points import AskedMissing, ClaimMissingPoints, MissingTerms
from backend.usecases.draw_samples import draw_samples
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.file_report import AskedReport, FileReport
from backend.usecases.open_store import open_store
from tests.http.page.looks import fits, violations
from tests.worlds import rules
from tests.worlds.city import FRIDGE, NANJING, City, open_city, read, resident
from tests.worlds.console import Desk, Served

LI = resident(1)


def clean(desk: Desk) -> None:
    assert violations(desk.page) == []
    assert fits(desk.page) == []
    assert desk.complaints == []


@pytest.fixture(scope="module")
def city(served: Served) -> City:
    """With one of everything that waits for an official."""
    with acting(Actor("command:tests", "command")):
        return _busy_city(served)


def _busy_city(served: Served) -> City:
    now = datetime.now(UTC)
    watch = {"cap": "velocity", "per": ["person"], "period": "day", "limit": 1, "counts": "awards", "partial": False}
    rule = rules.rule("all", rules.percent(10_000))
    doc = rules.document(rule, caps=[{**watch, "beyond": "hold"}, rules.cap("life", "lifetime", 10**9)])
    opened = open_city(served.engine, doc)
    shop = Store(NANJING, "s1", "示例超市", "新街口店", "320102")
    served.engine.write(lambda connection: open_store(connection, shop, now))
    terms = CaseTerms(now - timedelta(days=1), 7, 15, 10_000, "局长", "年度计划")
    served.engine.write(lambda connection: set_terms(connection, NANJING, terms, bytes(SALT_BYTES)))
    till = opened.till()
    arrivals = [till.basket(read(FRIDGE, price_fen=299_900), resident=LI, sold_at=now) for _ in range(3)]
    opened.record(*arrivals, now=now)
    draw_samples(served.engine, NANJING, now + timedelta(minutes=10))
    basket = arrivals[2].basket.basket
    file_appeal(served.engine, AskedAppeal(NANJING, LI, str(uuid4()), basket, 0, "两台都是我买的，小票在。"), 15, now)
    said = "店里的冰箱贴着一级能效标识，备案号在网上查不到，\n店员说是新款。"
    for number, days in (("1", 30), ("2", 1)):
        asked = AskedReport(NANJING, LI, number, said, store="s1", label=FRIDGE)
        FileReport(served.engine, None).file(asked, now - timedelta(days=days))
    opened.record(till.basket(read(FRIDGE, price_fen=3_900), slip_no="S01-0042", sold_at=now), now=now)
    missed = AskedMissing(NANJING, str(uuid4()), "s1", civil_date(milliseconds(now)), "S01-0042", 4_000)
    claiming = ClaimMissingPoints(served.engine, RegistryCache(), PolicyCache(chart.budget), MissingTerms(90, 15))
    claiming.claim(missed, Home(NANJING, resident(2)), now)
    return opened


def test_an_official_decides_a_report_and_a_held_scan(served: Served, city: City, window: BrowserContext) -> None:
    desk = served.enter(window, Role.CASE_OFFICER, name="赵军")
    page = desk.page
    desk.go("/cases/reports")
    assert page.get_by_text("已逾期").count() == 1
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_label("内容").fill("属本市管辖，予以受理。")
    page.get_by_role("button", name="受理", exact=True).click()
    page.get_by_text("已记录：受理。").wait_for()
    clean(desk)
    page.get_by_label("给举报人的说明").fill("经查该型号未备案，已责令下架。")
    page.get_by_role("button", name="属实").click()
    page.get_by_role("link", name="追溯已造成的奖励").wait_for()
    clean(desk)

    desk.go("/cases/holds")
    page.get_by_role("link", name="核查").last.click()
    page.get_by_role("heading", name="事实").wait_for()
    clean(desk)
    page.get_by_label("理由").fill("小票与商品相符")
    page.get_by_role("button", name="放行").click()
    page.get_by_text("已交第二人复核。").wait_for()
    clean(desk)
    waits = page.url.partition("/console")[2]
    desk = served.enter(window, Role.CASE_OFFICER, name="钱进")
    page = desk.page
    desk.go(waits)
    clean(desk)
    page.get_by_role("button", name="同意并入账").click()
    page.get_by_text("已放行并入账。").wait_for()

    desk.go("/cases/appeals")
    page.get_by_role("link", name="办理").first.click()
    page.get_by_role("heading", name="居民的理由").wait_for()
    clean(desk)

    desk.go("/cases/slips")
    page.get_by_role("link", name="办理").first.click()
    page.get_by_role("radio").first.check()
    clean(desk)
    page.get_by_label("给居民的说明").fill("小票与销售相符，金额记作了实收的整数。")
    page.get_by_role("button", name="补记选定的销售").click()
    page.get_by_text("已补记，并按购买时的政策核定入账。").wait_for()


def test_an_official_begins_a_suspension(served: Served, city: City, window: BrowserContext) -> None:
    desk = served.enter(window, Role.CASE_OFFICER, name="钱进")
    page = desk.page
    desk.go("/cases/suspensions")
    page.get_by_label("门店编号").fill("s1")
    page.get_by_label("依据").fill("《南京市绿色积分办法》第十二条")
    page.get_by_label("理由").fill("三次抽查，标签与备案不符。")
    page.get_by_role("button", name="发出通知").click()
    page.get_by_text("已发出通知").wait_for()
    clean(desk)
    page.get_by_label("门店的答复").fill("已下架，正在整改。")
    page.get_by_role("button", name="登记答复").click()
    page.get_by_label("停用的最后一天").fill((datetime.now(UTC) + timedelta(days=30)).date().isoformat())
    page.get_by_label("决定的理由").fill("查证属实。")
    clean(desk)
    page.get_by_role("button", name="提出，交第二人批准").click()
    expect(page.get_by_text("须由另一人批准。")).to_be_visible()
    clean(desk)
