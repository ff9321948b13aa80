"""Targets are set with their document, measured or entered with a source, and shown with their pace, each city's to itself."""

import re
from datetime import UTC, date, datetime, timedelta

from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext
from werkzeug.test import TestResponse

from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.targets import queries
from backend.targets.model import Measure
from backend.usecases.count_scans import count_scans
from backend.usecases.measure_targets import measure_targets
from tests.http.conftest import Clock
from tests.http.page.looks import fits, violations
from tests.worlds import books, officials, rules
from tests.worlds.city import FRIDGE, NANJING, SUZHOU, WASHER, open_city, read, resident
from tests.worlds.console import Served

JIANGSU = "320000"
FORM = {
    "title": "全年认证商品销量",
    "measure": "certified_units",
    "scheme": "",
    "value": "48",
    "begins_on": "2026-01-01",
    "start": "0",
    "due_on": "2027-12-31",
    "document": "演示文件",
    "clause": "第三条",
    "link": "https://example.org/document",
}
BY_HAND = FORM | {"title": "优质农产品比重", "measure": "by_hand", "unit": "%", "value": "75"}


def _post(client: FlaskClient, path: str, form: dict[str, str]) -> TestResponse:
    return client.post(f"/console{path}", data={"csrf": client.csrf} | form)  # type: ignore[attr-defined]


def _set(client: FlaskClient, form: dict[str, str] | None = None) -> str:
    """The address of the new target, below /console."""
    answered = _post(client, "/targets", form or FORM)
    assert answered.status_code == 303, answered.get_data(as_text=True)
    return answered.headers["Location"].removeprefix("/console")


def _text(client: FlaskClient, path: str) -> str:
    answered = client.get(f"/console{path}")
    assert answered.status_code == 200
    return answered.get_data(as_text=True)


def _at_fields(page: str) -> set[str]:
    return set(re.findall(r'class="invalid-feedback" id="w-(\w+)"', page))


def _sold(database: Database, now: datetime) -> None:
    """A day ago, twelve baskets of five residents in two districts: a fridge and a washer each, a fridge earns ten points."""
    city = open_city(database, rules.document(rules.rule("ten", rules.fixed(10), rules.where("grade", "=", 1))))
    till = city.till(7)
    for number in range(12):
        sold_at = now - timedelta(days=1)
        arrival = till.basket(read(FRIDGE), read(WASHER), resident=resident(number % 5), sold_at=sold_at)
        arrival.basket.district = "320106" if number % 3 == 0 else "320102"
        city.record(arrival, now=sold_at)
    count_scans(database, NANJING, now)


def test_an_author_sets_a_target_and_everybody_sees_it_with_its_document(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    path = _set(client)
    officials.signed_in(client, engine_db, clock.now, Role.AUDITOR)

    assert "全年认证商品销量" in _text(client, "/targets")
    page = _text(client, path)
    assert "演示文件 第三条" in page
    assert 'href="https://example.org/document"' in page
    assert "/change" not in page
    assert books.rows(engine_db, "SELECT what, kind FROM acts WHERE city = :c", c=NANJING) == [("target-set", "target")]


def test_every_wrong_field_is_told_at_once_where_it_stands(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.CITY_ADMINISTRATOR)
    wrong = FORM | {"title": "", "value": "many", "due_on": "x", "document": "", "link": "javascript:alert(1)"}

    answered = _post(client, "/targets", wrong | {"measure": "made_up", "follows": "no id"})

    page = answered.get_data(as_text=True)
    assert answered.status_code == 422
    assert _at_fields(page) == {"title", "value", "due_on", "document", "link", "measure", "follows"}
    assert 'value="演示文件"' not in page
    assert 'value="第三条"' in page
    assert books.rows(engine_db, "SELECT 1 FROM policy_targets") == []


def test_a_target_of_a_certification_that_nobody_knows_is_refused(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.CITY_ADMINISTRATOR)

    assert _at_fields(_post(client, "/targets", FORM | {"scheme": "nobodys"}).get_data(as_text=True)) == {"scheme"}


def test_each_measure_says_what_the_sales_say_and_a_day_is_measured_once(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _sold(engine_db, clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    for measure in Measure:
        unit = {"unit": "张"} if measure is Measure.BY_HAND else {}
        _set(client, FORM | {"title": measure.value, "measure": measure.value, "value": "48"} | unit)

    assert measure_targets(engine_db, NANJING, clock.now) == len(Measure) - 1
    assert measure_targets(engine_db, NANJING, clock.now) == 0

    with engine_db.read() as connection:
        known = queries.last_readings(connection, NANJING)
        found = {one.yardstick.measure: known.get(one.target) for one in queries.targets(connection, NANJING)}
    values = {measure: reading.value for measure, reading in found.items() if reading is not None}
    (fen,) = books.rows(engine_db, "SELECT sum(price_fen) FROM decisions WHERE certificate_scheme IS NOT NULL")
    assert values == {
        Measure.CERTIFIED_UNITS: 24,
        Measure.CERTIFIED_FEN: fen[0] or 0,
        Measure.PARTICIPANTS: 5,
        Measure.POINTS_GRANTED: 120,
        Measure.SUBSIDY_GRANTED: 0,
        Measure.ACTIVE_STORES: 1,
        Measure.DISTRICTS_REACHED: 2,
        Measure.VALID_CERTIFICATES: 0,  # holders without a code are in no city
    }
    assert "按当前进度" in _text(client, "/targets")


def test_a_provinces_target_adds_up_its_cities_and_they_see_it(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    _sold(engine_db, clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.PROVINCE, city=JIANGSU)
    _set(client, FORM | {"title": "全省认证商品销量"})

    assert measure_targets(engine_db, JIANGSU, clock.now, [NANJING, SUZHOU, "330100"]) == 1

    officials.signed_in(client, engine_db, clock.now, Role.FINANCE, city=SUZHOU)
    page = _text(client, "/targets")
    assert "全省认证商品销量" in page
    assert "24 件" in page
    officials.signed_in(client, engine_db, clock.now, Role.FINANCE, city="330100")
    assert "全省认证商品销量" not in _text(client, "/targets")


def test_another_citys_target_is_no_target_here(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    path = _set(client)
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR, city=SUZHOU)

    assert "全年认证商品销量" not in _text(client, "/targets")
    assert client.get(f"/console{path}").status_code == 404
    assert _post(client, f"{path}/withdrawal", {"revision": "1", "reason": "误录"}).status_code == 404


def test_the_province_sets_its_own_targets_alone(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    officials.enter(engine_db, clock.now, Role.CITY_ADMINISTRATOR)
    officials.signed_in(client, engine_db, clock.now, Role.PROVINCE, city=JIANGSU)
    _post(client, "/city", {"city": NANJING})

    answered = _post(client, "/targets", FORM)

    assert (answered.status_code, "target-of-the-city" in answered.get_data(as_text=True)) == (403, True)


def test_a_revision_follows_the_old_and_one_who_saw_an_older_one_is_told(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    path = _set(client)
    changed = FORM | {"value": "60", "reason": "文件修订", "revision": "1"}

    without = _post(client, f"{path}/change", changed | {"reason": ""})
    assert (without.status_code, _at_fields(without.get_data(as_text=True))) == (422, {"reason"})
    assert _post(client, f"{path}/change", changed).status_code == 303
    assert _post(client, f"{path}/change", changed).status_code == 409

    rows = "SELECT revision, value, reason FROM policy_targets ORDER BY revision"
    assert books.rows(engine_db, rows) == [(1, 48, None), (2, 60, "文件修订")]
    assert 'value="60"' in _text(client, f"{path}/change")


def test_a_withdrawn_target_stays_on_record_and_takes_nothing_more(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    path = _set(client, BY_HAND)

    assert _post(client, f"{path}/withdrawal", {"revision": "1", "reason": "误录"}).status_code == 303

    assert "误录" in _text(client, "/targets")
    reading = {"on": "2026-06-30", "value": "1", "source": "公报"}
    assert _post(client, f"{path}/readings", reading).status_code == 409
    assert client.get(f"/console{path}/change").status_code == 409
    assert measure_targets(engine_db, NANJING, clock.now) == 0


def test_progress_by_hand_has_a_source_and_the_later_entry_of_a_day_counts(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    path, measured = _set(client, BY_HAND), _set(client)
    today = (clock.now + timedelta(hours=8)).date().isoformat()

    wrong = _post(client, f"{path}/readings", {"on": "x", "value": "-1", "source": ""})
    assert (wrong.status_code, _at_fields(wrong.get_data(as_text=True))) == (422, {"on", "value", "source"})
    early = _post(client, f"{path}/readings", {"on": "2025-12-31", "value": "1", "source": "公报"})
    assert (early.status_code, _at_fields(early.get_data(as_text=True))) == (422, {"on"})
    for value in ("60", "63"):
        entered = {"on": today, "value": value, "source": "统计公报", "link": "https://example.org/b"}
        assert _post(client, f"{path}/readings", entered).status_code == 303

    page = _text(client, path)
    assert "63 %" in page
    assert "60 %" not in page
    assert _post(client, f"{measured}/readings", {"on": today, "value": "1", "source": "x"}).status_code == 409


def test_the_overview_shows_the_nearest_and_leads_to_them(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    officials.signed_in(client, engine_db, clock.now, Role.POLICY_AUTHOR)
    far = _set(client, FORM | {"title": "远期", "due_on": "2040-12-31"})
    near = [_set(client, FORM | {"title": f"近期{day}", "due_on": f"2027-12-{day}"}) for day in (11, 12, 13, 14)]

    page = _text(client, "/")

    assert [f'href="/console{path}"' in page for path in (*near, far)] == [True] * 4 + [False]


def test_pages_of_targets_have_no_barrier_and_are_used_by_keyboard(served: Served, window: BrowserContext) -> None:
    now = datetime.now(UTC)
    _sold(served.engine, now)
    desk = served.enter(window, Role.POLICY_AUTHOR, city=NANJING)
    desk.go("/targets/new")
    page = desk.page
    assert (violations(page), fits(page)) == ([], [])

    page.get_by_label("目标", exact=True).fill("全年认证商品销量")
    page.get_by_label("目标值").fill("100000")
    page.get_by_label("到期日").fill(date(now.year + 1, 12, 31).isoformat())
    page.get_by_label("依据文件").fill("演示文件")
    page.get_by_label("依据文件").press("Enter")

    page.get_by_text("目标已登记。").wait_for()
    assert measure_targets(served.engine, NANJING, now) == 1
    page.reload()
    assert (violations(page), fits(page)) == ([], [])
    desk.go("/targets")
    page.get_by_text("按当前进度").first.wait_for()
    assert (violations(page), fits(page), desk.complaints) == ([], [], [])
