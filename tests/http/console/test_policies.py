"""Policies on the console: drafted in a form, previewed, judged by another person, suspended; and what is refused to whom."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.officials.model import OFFICES, Role
from backend.policies.form import to_fields
from backend.storage.transaction import Database
from backend.usecases.preview_policy import Place
from backend.usecases.run_previews import run_previews
from tests.http.conftest import Clock
from tests.pure.policies.written import CANONICAL
from tests.worlds import officials, rules
from tests.worlds.city import FRIDGE, NANJING, City, open_city, read, resident
from tests.worlds.rules import text_of

NATIONAL: dict[str, Any] = json.loads(next(p for p in CANONICAL if p.stem == "p03-national-2026").read_text("utf-8"))
LI, WANG = "li.na", "wang.min"


@pytest.fixture
def city(engine_db: Database) -> City:
    return open_city(engine_db, rules.document(caps=[rules.cap("day", "day", 100)], budget=5_000))


class Desk:
    """An official at their browser."""

    def __init__(self, client: FlaskClient, database: Database, clock: Clock, login: str, *roles: Role) -> None:
        self._tokens = officials.session(
            database, clock.now, officials.enter(database, clock.now, *roles, login=login, name=login)
        )
        self._client = client

    def _sit(self) -> None:
        self._client.set_cookie(officials.COOKIES[0], self._tokens, path="/")

    def get(self, url: str, **headers: str) -> TestResponse:
        self._sit()
        return self._client.get(url, headers=headers)

    def post(self, url: str, given: dict[str, str] | None = None, **headers: str) -> TestResponse:
        self._sit()
        csrf = officials.form_token_of(self._tokens)
        return self._client.post(url, data={"csrf": csrf, **(given or {})}, headers=headers)

    def drafts(self, document: dict[str, Any] = NATIONAL) -> str:
        """The address of a new draft of it."""
        return self.post("/console/policy-drafts/new", to_fields(document)).headers["Location"]


@pytest.fixture
def author(client: FlaskClient, engine_db: Database, clock: Clock) -> Desk:
    return Desk(client, engine_db, clock, LI, Role.POLICY_AUTHOR)


@pytest.fixture
def approver(client: FlaskClient, engine_db: Database, clock: Clock) -> Desk:
    return Desk(client, engine_db, clock, WANG, Role.APPROVER)


def body(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def revision_on(page: TestResponse) -> str:
    return re.search(r'name="revision" value="(\d+)"', body(page))[1]  # type: ignore[index]


def hidden(page: TestResponse, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', body(page))[1]  # type: ignore[index]


def run_jobs(backend: Backend, database_url: str, clock: Clock) -> None:
    run_previews(backend.database, Place(database_url, "greenpoints_auditor"), NANJING, clock.now, lambda: False)


def submitted(author: Desk, backend: Backend, database_url: str, clock: Clock) -> str:
    draft = author.drafts()
    author.post(f"{draft}/preview")
    run_jobs(backend, database_url, clock)
    author.post(f"{draft}/submit", {"revision": "1"})
    return draft


def approve(approver: Desk, draft: str, reason: str = "同意") -> TestResponse:
    page = approver.get(draft)
    seen = {name: hidden(page, name) for name in ("sha256", "preview_sha256")}
    return approver.post(f"{draft}/approve", {**seen, "reason": reason})


def test_a_policy_goes_from_the_form_to_being_in_force(
    author: Desk, approver: Desk, city: City, backend: Backend, database_url: str, clock: Clock
) -> None:
    city.record(city.till(1).basket(read(FRIDGE, price_fen=999_900), resident=resident(1)))
    clock.forward(minutes=5)
    draft = author.drafts({**NATIONAL, "stacking": {"group": "money", "mode": "sum"}})
    begun = author.post(f"{draft}/preview")
    waiting = author.get(f"{draft}/progress", **{"HX-Request": "true", "HX-Request-Type": "partial"})
    run_jobs(backend, database_url, clock)
    previewed = author.get(draft)
    author.post(f"{draft}/submit", {"revision": revision_on(previewed)})
    published = approve(approver, draft)
    page = approver.get("/console/policies/national-trade-in")

    assert begun.status_code == 303
    assert "排队" in body(waiting)
    assert "¥1 499.85".replace(" ", "\N{NARROW NO-BREAK SPACE}") in body(previewed)
    assert published.headers["Location"] == draft
    assert "示例发〔2026〕1号" in body(page)
    assert "能效（水效）等级达到 1 级及以上" in body(page)
    assert "执行中" in body(approver.get("/console/policies"))


def test_others_read_and_write_nothing(
    client: FlaskClient, engine_db: Database, clock: Clock, city: City, author: Desk
) -> None:
    draft = author.drafts()
    reads = ["/console/policies", "/console/policies/green", "/console/policy-drafts", draft]
    acts = ("edit", "preview", "submit", "withdraw", "approve", "reject")
    writes = ["/console/policy-drafts/new", "/console/policies/green/turn", *(f"{draft}/{act}" for act in acts)]
    for role in OFFICES - {Role.POLICY_AUTHOR, Role.APPROVER, Role.PROVINCE}:
        other = Desk(client, engine_db, clock, f"other.{role}", role)
        assert [other.get(url).status_code for url in reads] == [200] * len(reads), role
        assert [other.post(url).status_code for url in writes] == [403] * len(writes), role


def test_an_author_does_not_approve_and_an_approver_does_not_draft(
    author: Desk, approver: Desk, city: City, backend: Backend, database_url: str, clock: Clock
) -> None:
    draft = submitted(author, backend, database_url, clock)

    assert author.post(f"{draft}/approve", {"reason": "自己批准"}).status_code == 403
    assert approver.post("/console/policy-drafts/new", to_fields(NATIONAL)).status_code == 403
    assert approver.post(f"{draft}/submit", {"revision": "2"}).status_code == 403


def test_who_may_do_both_still_does_not_approve_a_draft_of_their_own(
    client: FlaskClient, engine_db: Database, clock: Clock, city: City, backend: Backend, database_url: str
) -> None:
    both = Desk(client, engine_db, clock, LI, Role.POLICY_AUTHOR, Role.APPROVER)
    draft = submitted(both, backend, database_url, clock)
    answer = both.post(f"{draft}/approve", {"sha256": "0" * 64, "reason": "自己批准"})

    assert answer.status_code == 403
    assert "起草人不能复核自己的政策" in body(answer)


def test_a_draft_that_was_changed_voids_the_approval(
    author: Desk, approver: Desk, city: City, backend: Backend, database_url: str, clock: Clock
) -> None:
    draft = submitted(author, backend, database_url, clock)
    page = approver.get(draft)
    seen = {name: hidden(page, name) for name in ("sha256", "preview_sha256")}
    changed = {**to_fields(NATIONAL), "rules.0.rewards.0.cap_per_unit": "2000.00", "revision": "2"}
    saved = author.post(f"{draft}/edit", changed)
    answer = approver.post(f"{draft}/approve", {**seen, "reason": "同意"})

    assert saved.status_code == 303
    assert answer.status_code == 409
    assert "起草中" in body(answer)


def test_what_another_window_changed_is_not_overwritten_and_nothing_typed_is_lost(author: Desk, city: City) -> None:
    draft = author.drafts()
    first = author.post(f"{draft}/edit", {**to_fields(NATIONAL), "caps.0.limit": "2", "revision": "1"})
    second = author.post(f"{draft}/edit", {**to_fields(NATIONAL), "caps.0.limit": "7", "revision": "1"})

    assert (first.status_code, second.status_code) == (303, 409)
    assert 'name="caps.0.limit"' in body(second)
    assert 'value="7"' in body(second)


def test_what_is_no_policy_is_said_at_its_fields_with_everything_that_was_typed(author: Desk, city: City) -> None:
    fields = {**to_fields(NATIONAL), "budgets.0.amount": "", "title_zh": "家电补贴", "caps.0.limit": "许多"}
    answer = author.post("/console/policy-drafts/new", fields)
    page = body(answer)

    assert answer.status_code == 422
    assert 'value="家电补贴"' in page
    assert 'value="许多"' in page
    assert re.search(r'id="at-caps-0-limit"><p class="gp-finding gp-finding-blocker">须为整数', page)
    assert re.search(r'id="at-budgets-0-amount"><p class="gp-finding gp-finding-blocker">没有预算', page)


def test_all_blockers_are_said_at_once_when_a_draft_is_submitted(author: Desk, city: City) -> None:
    wrong = json.loads(json.dumps(NATIONAL))
    wrong["scope"]["categories"] = ["汽油", "冰箱"]
    wrong["rules"][0]["rates"] = {"M": {"P3": 10_000, "P0": 10_000}}
    draft = author.drafts(wrong)
    answer = author.post(f"{draft}/submit", {"revision": "1"})

    assert answer.status_code == 422
    assert "与绿色消费的目标相反" in body(answer)
    assert "仅凭手机扫码" in body(answer)


def test_the_meaning_and_the_findings_come_while_one_writes(author: Desk, city: City) -> None:
    fields = {**to_fields(NATIONAL), "scope.categories": "汽油、冰箱"}
    answer = author.post("/console/policy-drafts/check", fields, **{"HX-Request": "true", "HX-Request-Type": "partial"})
    page = body(answer)

    assert "能效（水效）等级达到 1 级及以上" in page
    assert re.search(r'hx-target="#at-scope-categories"[^>]*><p class="gp-finding gp-finding-blocker">“汽油”', page)


def test_a_row_more_keeps_what_was_typed_with_and_without_scripts(author: Desk, city: City) -> None:
    fields = {**to_fields(NATIONAL), "rules.0.name_zh": "写到一半", "act": "add:rules.0.when"}
    part = author.post("/console/policy-drafts/rows", fields, **{"HX-Request": "true", "HX-Request-Type": "partial"})
    whole = author.post("/console/policy-drafts/rows", fields)

    for answer in (part, whole):
        assert 'name="rules.0.when.1.fact"' in body(answer)
        assert 'value="写到一半"' in body(answer)
    assert "<html" not in body(part)
    assert "<html" in body(whole)


def test_experts_edit_the_text_itself_and_it_is_kept_to_the_byte(author: Desk, city: City) -> None:
    document = {**NATIONAL, "returns": {"days": 30}}
    text = json.dumps(document, ensure_ascii=False, indent=7) + "\n\n"
    sent = {"as": "text", "document": text.replace("\n", "\r\n")}
    draft = author.post("/console/policy-drafts/new", sent).headers["Location"]
    as_text = {**to_fields(document), "draft": draft.rpartition("/")[2]}
    shown = author.post("/console/policy-drafts/tab", as_text)
    unchanged = author.post(f"{draft}/edit", {**to_fields(document), "revision": "1"})
    broken = author.post(f"{draft}/edit", {"as": "text", "document": "{", "revision": "1"})

    assert str(escape(text)) in body(shown)
    assert (unchanged.status_code, unchanged.headers["Location"]) == (303, draft)
    assert "第 1 稿" in body(author.get(draft))
    assert broken.status_code == 422
    assert "不是有效的 JSON" in body(broken)


def test_what_the_form_has_no_field_for_is_kept_and_shown_unless_it_is_empty(author: Desk, city: City) -> None:
    empty = {**NATIONAL, "document": {**NATIONAL["document"], "url": None}}
    told = {**NATIONAL, "document": {**NATIONAL["document"], "url": 7}}
    draft = author.drafts(empty)
    shown = body(author.get(f"{draft}/edit"))

    unchanged = author.post(f"{draft}/edit", {**to_fields(empty), "revision": "1"})

    assert re.search(r'<input type="hidden" name="document._rest" value="[^"]*url[^"]*null', shown)
    assert "表单未列的内容" not in shown
    assert "第 1 稿" in body(author.get(unchanged.headers["Location"]))
    assert "表单未列的内容" in body(author.post("/console/policy-drafts/new", to_fields(told)))


def test_a_draft_is_sent_back_with_a_word_and_taken_back_by_its_author(
    author: Desk, approver: Desk, city: City, backend: Backend, database_url: str, clock: Clock
) -> None:
    draft = submitted(author, backend, database_url, clock)
    silent = approver.post(f"{draft}/reject", {"reason": " "})
    sent_back = approver.post(f"{draft}/reject", {"reason": "上限过高"})
    taken = author.post(f"{draft}/withdraw")

    assert (silent.status_code, sent_back.status_code, taken.status_code) == (422, 303, 303)
    assert "上限过高" in body(author.get("/console/policy-drafts?all=1"))


def test_a_policy_is_suspended_with_a_notice_and_resumed(approver: Desk, city: City, clock: Clock) -> None:
    url = "/console/policies/green"
    mute = approver.post(f"{url}/turn", {"turn": "suspend", "reason": "核查"})
    stopped = approver.post(f"{url}/turn", {"turn": "suspend", "notice_zh": "因核查暂停发放", "reason": "价格异常"})
    clock.forward(minutes=1)
    page = body(approver.get(url))
    twice = approver.post(f"{url}/turn", {"turn": "suspend", "notice_zh": "再次", "reason": "再次"})
    resumed = approver.post(f"{url}/turn", {"turn": "resume", "notice_zh": "恢复发放", "reason": "已查明"})

    assert (mute.status_code, stopped.status_code, twice.status_code, resumed.status_code) == (422, 303, 409, 303)
    assert "已暂停" in page
    assert "因核查暂停发放" in page


def test_turning_a_policy_stops_or_resumes_payments_and_asks_for_a_fresh_code(
    approver: Desk, city: City, clock: Clock
) -> None:
    url = "/console/policies/green"
    clock.forward(minutes=11)

    asked = approver.post(f"{url}/turn", {"turn": "suspend", "notice_zh": "因核查暂停发放", "reason": "价格异常"})

    assert asked.status_code == 403
    assert 'name="code"' in body(asked)
    assert 'name="notice_zh" value="因核查暂停发放"' in body(asked)
    assert "已暂停" not in body(approver.get(url))


def test_versions_are_compared_in_words(
    author: Desk, approver: Desk, city: City, backend: Backend, database_url: str, clock: Clock
) -> None:
    approve(approver, submitted(author, backend, database_url, clock))
    later = json.loads(text_of(NATIONAL))
    later |= {"from": "2026-12-01T00:00:00+08:00"}
    later["rules"][0]["reward"]["cap_per_unit"] = 200_000
    draft = author.drafts(later)
    against = author.get(draft)
    author.post(f"{draft}/preview")
    run_jobs(backend, database_url, clock)
    author.post(f"{draft}/submit", {"revision": "1"})
    approve(approver, draft)
    page = body(approver.get("/console/policies/national-trade-in/difference"))

    assert "每件最高 2,000.00 元" in body(against)
    assert re.search(r"<del>[^<]*每件最高 1,500.00 元", page)
    assert re.search(r"<ins>[^<]*每件最高 2,000.00 元", page)
    beyond = [f"to={10**30}", f"from={10**30}&to=2", f"to={2**31}"]
    asked = [approver.get(f"/console/policies/national-trade-in/difference?{one}").status_code for one in beyond]
    assert asked == [200, 200, 404]
    assert approver.get("/console/policies/national-trade-in/versions/2").status_code == 200
    assert approver.get("/console/policies/national-trade-in/versions/3").status_code == 404


def test_what_is_not_there_is_not_found(author: Desk, city: City) -> None:
    nobody = "01900000-0000-7000-8000-000000000000"
    absent = ("none", "none/difference", "none/versions/1")
    for url in (
        *(f"/console/policies/{one}" for one in absent),
        f"/console/policy-drafts/{nobody}",
        f"/console/policy-drafts/{nobody}/edit",
        "/console/policy-drafts/new?policy=none",
        "/console/policy-drafts?before=x",
    ):
        assert author.get(url).status_code == 404, url
    assert author.post(f"/console/policy-drafts/{nobody}/preview").status_code == 404
