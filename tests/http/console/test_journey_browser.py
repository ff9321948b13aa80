"""One policy's whole way in a real browser, from the form to the auditor: each step by whom it is for, refused to others."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect

from backend.bootstrap import log_key
from backend.checkpoints import auditor
from backend.kernel.periods import milliseconds
from backend.officials.model import ROLE_NAMES, Role, Side
from backend.usecases.issue_token import issue_token
from backend.usecases.preview_policy import Place
from backend.usecases.run_previews import run_previews
from backend.usecases.seal_ledger import seal_ledger
from backend.web.console.blueprint import POLICY
from tests.conftest import copied
from tests.http.conftest import BRIDGE_TOKEN, METRICS_TOKEN, POS_TOKEN, Clock, Keys, bearer, settings_of, shops_token
from tests.http.page.looks import fits, violations
from tests.http.shop import BATCH, RETAILER, Shop, batch, open_shop, states
from tests.worlds import books, rules
from tests.worlds.browser import profile
from tests.worlds.city import FRIDGE, NANJING, NOON, WASHER, City, open_city, read, resident
from tests.worlds.console import Desk, Served, serving

OTHER_SHOP, OTHERS_TOKEN = "街角示例", "token-of-another-shop"
AWARD_FEN = 149_985
"""15 % of ¥9,999.00, as policy P3 of 2026 has it."""
MONTH, FIRST_OF_DECEMBER = "2026-11", datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
DISTRICTS = ("320102", "320104", "320105")
LI = resident(77)
SUBMIT = """([address, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: address });
  const csrf = document.querySelector("[name=csrf]").value;
  for (const [name, value] of Object.entries({ csrf, ...fields }))
    form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.submit();
}"""
"""A form that no page shows to who sends it."""


@dataclass
class World:
    served: Served
    clock: Clock
    city: City
    shop: Shop
    keys: Keys
    owner_url: str
    log_key: Path
    browser: Browser
    stack: ExitStack
    desks: list[Desk] = field(default_factory=list)
    policies: set[str | None] = field(default_factory=set)

    def desk(self, *roles: Role, **details: str) -> Desk:
        """An official at a browser of their own, who signed in just now."""
        window = self.stack.enter_context(profile(self.browser))
        window.on(
            "response",
            lambda answer: (
                self.policies.add(answer.headers.get("content-security-policy"))
                if answer.request.is_navigation_request()
                else None
            ),
        )
        self.desks.append(self.served.enter(window, *roles, **details))
        return self.desks[-1]

    def asked(self, method: str, path: str, token: str, body: object = None) -> httpx.Response:
        """What another machine is answered."""
        return httpx.request(method, self.served.url + path, json=body, headers=bearer(token), timeout=20)


@pytest.fixture
def world(server_url: str, template: str, tmp_path: Path, browser: Browser) -> Iterator[World]:
    """A year of sales under a policy that gives points, a till, and the systems of two retailers."""
    (tmp_path / "ledger").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    keys, clock = Keys(), Clock()
    with copied(server_url, template) as url, ExitStack() as stack:
        settings = replace(settings_of(url, keys, tmp_path), ledger_key_file=tmp_path / "ledger")
        served = stack.enter_context(serving(settings, clock))
        city = _city_with_a_year_of_sales(served)
        shop = open_shop(served.engine, NANJING)
        for token, service in ((BRIDGE_TOKEN, "bridge"), (METRICS_TOKEN, "metrics")):
            served.engine.write(lambda c, t=token, s=service: issue_token(c, t, service=s, name=s, now=NOON))  # type: ignore[misc]
        shops_token(served.engine, POS_TOKEN, RETAILER)
        shops_token(served.engine, OTHERS_TOKEN, OTHER_SHOP)
        yield World(served, clock, city, shop, keys, url, tmp_path / "ledger", browser, stack)


def _city_with_a_year_of_sales(served: Served) -> City:
    points = rules.document(starts="2020-01-01T00:00:00+08:00", ends="2090-01-01T00:00:00+08:00")
    city = open_city(served.engine, points)
    baskets = []
    for number in range(36):
        goods = read(FRIDGE if number % 3 else WASHER, price_fen=299_900 + 70_000 * (number % 9))
        sold_at = NOON - timedelta(days=5 + 9 * number, hours=number % 7)
        arrival = city.till(1 + number).basket(goods, resident=resident(number % 20), sold_at=sold_at)
        arrival.basket.store, arrival.basket.district = f"s{number % 4}", DISTRICTS[number % 3]
        baskets.append(arrival)
    city.another_process().record(NANJING, baskets, NOON)
    return city


def test_a_policy_from_its_draft_to_the_auditor(world: World, tmp_path: Path) -> None:
    """Li Na may draft and approve, though never her own."""
    author = world.desk(Role.POLICY_AUTHOR, Role.APPROVER, name="李娜")
    approver = world.desk(Role.APPROVER, name="王敏")
    finance = world.desk(Role.FINANCE, name="赵敏")

    draft = _drafted(author, approver)
    _previewed(world, author, finance)
    _approved(draft, author, approver, finance)
    basket = _decided_at_the_till(world)
    world.clock.now = FIRST_OF_DECEMBER
    finance, auditor_s = world.desk(Role.FINANCE, name="赵敏"), world.desk(Role.AUDITOR, name="陈静")
    _closed(finance, auditor_s)
    _confirmed(world, auditor_s)
    _paid(world, finance, auditor_s)
    _verified(world, auditor_s, basket, tmp_path)

    assert [desk.complaints for desk in world.desks if desk.complaints] == []
    assert world.policies == {POLICY}
    assert "unsafe" not in POLICY


def _drafted(author: Desk, approver: Desk) -> str:
    """The linter finds petrol among the goods, at its field."""
    refused(approver, "/policy-drafts/new", for_the(Role.POLICY_AUTHOR))
    page = author.page
    author.go("/policies")
    page.get_by_role("link", name="起草政策").last.click()
    _write_the_appliance_policy(page)
    petrol = page.locator("#at-scope-categories .gp-finding-blocker")
    _correct_it(page)
    petrol.wait_for()
    assert "与绿色消费的目标相反" in petrol.inner_text()
    fill(page, scope__categories="冰箱、洗衣机、电视、空调")
    petrol.wait_for(state="detached")
    page.get_by_text("须改 0 处").wait_for()
    expect(page.locator("#paper")).to_contain_text("能效（水效）等级达到 1 级及以上")
    page.get_by_role("button", name="JSON 原文（专家）").click()
    page.locator("#document").wait_for()
    clean(author)
    page.get_by_role("button", name="表单", exact=True).click()
    page.locator("#fields").wait_for()
    clean(author)
    page.get_by_role("button", name="保存草案").last.click()
    page.get_by_text("尚未预演。").wait_for()
    return page.url.removeprefix(f"{author.url}/console")


def fill(page: Page, **values: str) -> None:
    for place, text in values.items():
        field = page.locator(f"[name='{place.replace('__', '.')}']")
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)


def _write_the_appliance_policy(page: Page) -> None:
    """P3 of 2026 as an author types it, with petrol among the goods and no budget yet."""
    fill(
        page,
        title_zh="家电以旧换新补贴",
        title_en="Appliances",
        document__number="宁商发〔2026〕1号",
        document__issuer="南京市商务局",
        document__published_on="2026-01-01",
        policy="appliances",
        until="2026-12-31",
        scope__categories="冰箱、洗衣机、电视、空调、汽油",
        rules__0__name_zh="一级能效 15%",
        rules__0__name_en="Grade 1",
        rules__0__when__0__value="1",
        rules__0__rewards__0__kind="table",
        rules__0__rewards__0__cap_per_unit="1500",
        caps__0__period="lifetime",
        caps__0__counts="pieces",
        caps__0__limit="1",
        stacking__group="money",
        stacking__mode="sum",
        **{"from": "2026-01-01"},
    )
    page.locator("input[name='caps.0.per'][value=category]").check()


def _correct_it(page: Page) -> None:
    """By the table of grades and the budget that were missing; rows come and go by keyboard, which stays with them."""
    page.locator("#at-budgets-0-amount .gp-finding-blocker").wait_for()
    page.locator("[value='add:rules.0.when']").focus()
    page.keyboard.press("Enter")
    added = page.locator("[name='rules.0.when.1.fact']")
    added.wait_for()
    expect(added).to_be_focused()
    page.locator("[value='remove:rules.0.when.1']").click()
    added.wait_for(state="detached")
    page.locator("[value='add:rules.0.rewards.0.percents']").click()
    page.locator("[name='rules.0.rewards.0.percents.0.key']").wait_for()
    fill(page, **{"rules.0.rewards.0.by": "grade", "rules.0.rewards.0.percents.0.key": "1"})
    fill(page, **{"rules.0.rewards.0.percents.0.value": "15", "budgets.0.amount": "1000000"})


def _previewed(world: World, author: Desk, finance: Desk) -> None:
    page, draft = author.page, author.page.url.removeprefix(f"{author.url}/console")
    refused(finance, f"{draft}/preview", for_the(Role.POLICY_AUTHOR, Role.APPROVER), form={})
    page.get_by_role("button", name="开始预演").click()
    page.locator("#progress").wait_for()
    run_previews(
        world.served.engine, Place(world.owner_url, "greenpoints_auditor"), NANJING, world.clock.now, lambda: False
    )
    page.locator(".gp-chart canvas").first.wait_for()
    expect(page.locator("#preview")).to_contain_text("各月支出")
    clean(author)


def _approved(draft: str, author: Desk, approver: Desk, finance: Desk) -> None:
    refused(approver, f"{draft}/submit", for_the(Role.POLICY_AUTHOR), form={"revision": "1"})
    author.page.get_by_role("button", name="提交复核").click()
    author.page.get_by_text("起草人不能复核自己的政策").wait_for()

    approver.go(draft)
    clean(approver)
    shown = {name: approver.page.locator(f"[name={name}]").input_value() for name in ("sha256", "preview_sha256")}
    word = shown | {"reason": "同意发布"}
    refused(author, f"{draft}/approve", "起草人不能复核自己的政策，须由另一人复核。", form=word)
    refused(finance, f"{draft}/approve", for_the(Role.APPROVER), form=word)
    approver.page.get_by_label("复核意见").fill(word["reason"])
    approver.page.get_by_role("button", name="批准并发布").click()
    approver.page.get_by_text("已批准并发布").wait_for()


def _decided_at_the_till(world: World) -> str:
    """A till's signed message as its bridge hands it on. The basket that it holds, whose subsidy the shop took off the price."""
    shop, member = world.shop, world.city.issue_code(LI)
    shop.sold_at_ms = milliseconds(world.clock.now)
    sent = batch(shop.delivery(shop.message(shop.line(read(FRIDGE, price_fen=999_900), member=member))))
    denied = world.asked("POST", BATCH, METRICS_TOKEN, sent)
    assert (denied.status_code, denied.json()["detail"]) == (403, "该凭证无权访问此接口。")

    taken = world.asked("POST", BATCH, BRIDGE_TOKEN, sent).json()["results"]

    assert states(taken, world.keys.receipt.public_key()) == [["recorded"]]
    assert books.wallet(world.served.engine, NANJING, LI, "fen") == AWARD_FEN
    ((basket,),) = books.rows(world.served.engine, "SELECT basket::text FROM decisions WHERE resident = :li", li=LI)
    given = {"prepayment_id": "P1", "city": NANJING, "store": "s1", "lines": [{"basket": basket, "line_no": 0}]}
    denied = world.asked("POST", "/api/pos/v1/prepayments", OTHERS_TOKEN, given)
    assert (denied.status_code, bool(denied.json()["detail"])) == (403, True)
    owed = world.asked("POST", "/api/pos/v1/prepayments", POS_TOKEN, given)
    assert owed.json()["amount_fen"] == AWARD_FEN
    return str(basket)


def _closed(finance: Desk, auditor_s: Desk) -> None:
    refused(auditor_s, "/settlements/close", for_the(Role.FINANCE), form={"month": MONTH})
    finance.page.on("dialog", lambda asked: asked.accept())
    finance.go("/settlements")
    finance.page.get_by_role("button", name=f"结 {MONTH} 账").click()
    finance.page.get_by_role("link", name=RETAILER).last.click()
    expect(finance.page.locator("main")).to_contain_text("¥1\N{NARROW NO-BREAK SPACE}499.85")


def _confirmed(world: World, auditor_s: Desk) -> None:
    """By the manager of the shop, at the shops' own door."""
    manager, path = world.desk(Role.SHOPKEEPER, name="林悦", retailer=RETAILER), f"/statements/{MONTH}/confirm"
    clerk, other = (
        world.desk(role, name="何平", retailer=retailer)
        for role, retailer in ((Role.CLERK, RETAILER), (Role.SHOPKEEPER, OTHER_SHOP))
    )
    by_city = f"/statement-acts/confirm/{MONTH}/0/{RETAILER}"
    refused(auditor_s, by_city, for_the(Role.FINANCE), form={})
    refused(clerk, path, for_the(Role.SHOPKEEPER), form={}, side=Side.SHOP)
    refused(other, path, f"没有 {OTHER_SHOP} 在 {MONTH} 的对账单", form={}, side=Side.SHOP)
    manager.shop(path)
    manager.page.get_by_role("button", name="确认对账单").click()
    manager.page.get_by_text("已确认对账单。").wait_for()


def _paid(world: World, finance: Desk, auditor_s: Desk) -> None:
    """Prepared by one of finance, released by another, booked."""
    second = world.desk(Role.FINANCE, name="钱进")
    refused(auditor_s, "/payments/prepare", for_the(Role.FINANCE), form={})
    finance.go("/payments")
    finance.page.get_by_role("button", name="编制付款文件").click()
    finance.page.get_by_text("请另一位财务人员放行").wait_for()
    path = finance.page.url.removeprefix(f"{finance.url}/console")
    refused(finance, f"{path}/release", "编制人", form={})
    refused(auditor_s, f"{path}/release", for_the(Role.FINANCE), form={})
    second.go(path)
    second.page.get_by_role("button", name="放行").click()
    second.page.get_by_text("已放行，可以下载交给银行。").wait_for()
    fill(second.page, paid_on="2026-12-01", bank_reference="示例银行 2026120101")
    second.page.get_by_role("button", name="入账").click()
    second.page.get_by_text("已入账。").wait_for()


def _verified(world: World, auditor_s: Desk, basket: str, folder: Path) -> None:
    """On the page, by the proof of the one award, and by the auditor's own program with the checkpoint that was published."""
    seal_ledger(world.served.engine, NANJING, world.clock.now, log_key(world.log_key), lambda: False)
    author = world.desk(Role.POLICY_AUTHOR, name="李娜")
    refused(author, "/audit/checkpoints", for_the(Role.FINANCE, Role.CASE_OFFICER, Role.AUDITOR))
    page = auditor_s.page
    auditor_s.go("/audit/checkpoints")
    assert page.get_by_text("一致", exact=True).count() == page.get_by_text("有效", exact=True).count() == 1
    auditor_s.go(f"/audit/proof?basket={basket}&line=0")
    page.get_by_role("heading", name="证明", exact=True).wait_for()
    auditor_s.go("/audit/acts")
    page.get_by_label("操作", exact=True).select_option(label="发布政策版本")
    page.get_by_role("button", name="筛选").click()
    page.get_by_role("link", name="发布政策版本").first.click()
    page.get_by_role("heading", name="前后对比").wait_for()

    published = world.asked("GET", f"/api/public/v1/checkpoints?city={NANJING}", METRICS_TOKEN).json()
    note = folder / "kept.txt"
    note.write_text(published["checkpoints"][0]["note"], encoding="utf-8")
    told = ("--database", world.owner_url, "--city", NANJING, "--key", published["verifier_key"], note)
    said = subprocess.run([sys.executable, "-I", auditor.__file__, *told], check=True, capture_output=True, text=True)
    assert said.stdout.endswith("entries: 0 breaks\n")


def for_the(*roles: Role) -> str:
    """The beginning of what others are told."""
    return f"此页由{'、'.join(ROLE_NAMES[role][0] for role in roles)}"


def clean(desk: Desk) -> None:
    """In a state that no address leads to."""
    assert violations(desk.page) == []
    assert fits(desk.page) == []


def refused(desk: Desk, path: str, sentence: str, form: dict[str, str] | None = None, side: Side = Side.CITY) -> None:
    """Asked for by address, or sent as a form that the page does not show."""
    address = f"{desk.url}/{side.value}{path}"
    if form is None:
        desk.page.goto(address)
    else:
        if not desk.page.locator("[name=csrf]").count():
            desk.page.goto(f"{desk.url}/{side.value}/account")
        with desk.page.expect_navigation():
            desk.page.evaluate(SUBMIT, [address, form])
    assert sentence in desk.page.locator(".gp-problem, .alert-danger").first.inner_text()
