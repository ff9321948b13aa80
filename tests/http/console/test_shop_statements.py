"""A retailer's staff read their own statements and what they prepaid, dispute line by line, and the manager confirms."""

import re

import pytest
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.usecases.prepay_subsidy import Prepaid, prepay_subsidy
from backend.web.app import create_app
from tests.db.settlements.test_owed import subsidised
from tests.http.conftest import Clock
from tests.http.console.test_officials import Desk, Office
from tests.worlds import books
from tests.worlds.city import NANJING, NOON
from tests.worlds.later import assert_verified
from tests.worlds.settling import BIG, CLOSING, DAY, MONTH, SMALL, open_office
from tests.worlds.settling import Office as Finance

PAGE = f"/shop/statements/{MONTH}"


@pytest.fixture
def finance(engine_db: Database, clock: Clock) -> Finance:
    """Two lines of one retailer, one of another; the first subsidy was given at the till."""
    opened = open_office(engine_db, subsidised())
    first = opened.sell(4)
    opened.sell(2, "s2")
    opened.sell(5, "s3")
    prepay_subsidy(engine_db, Prepaid(NANJING, "s1", "P1", "tests", ((first, 0),)), NOON)
    clock.now = NOON
    return opened


@pytest.fixture
def office(finance: Finance, backend: Backend, engine_db: Database, clock: Clock) -> Office:
    return Office(create_app(backend, clock), engine_db, clock)


def test_staff_dispute_a_line_and_the_manager_confirms_the_rest(office: Office, finance: Finance, clock: Clock) -> None:
    finance.close()
    clock.now = CLOSING
    manager, clerk = (office.desk(role, retailer=BIG) for role in (Role.SHOPKEEPER, Role.CLERK))

    listed, page = clerk.page("/shop/statements"), clerk.page(PAGE)
    empty = manager.post(f"{PAGE}/1/dispute", reason=" ")
    disputed = manager.post(f"{PAGE}/1/dispute", reason="件数不符")
    kept_out = [clerk.post(f"{PAGE}/{act}", reason="x").status_code for act in ("confirm", "2/dispute")]
    confirmed = manager.post(f"{PAGE}/confirm")
    late = manager.post(f"{PAGE}/2/dispute", reason="又不符")

    assert "¥20.18" in listed
    assert ("垫付补贴" in page, "手续费" in page, f"{PAGE}/confirm" in page) == (True, True, False)
    assert (empty.status_code, "请写明理由" in empty.get_data(as_text=True)) == (422, True)
    assert (disputed.status_code, kept_out, confirmed.status_code, late.status_code) == (303, [403, 403], 303, 409)
    assert "对账单已确认" in late.get_data(as_text=True)
    assert ("异议处理中" in clerk.page(PAGE), "件数不符" in clerk.page(f"{PAGE}/1")) == (True, True)
    acts = books.rows(
        office.database, "SELECT what, role FROM acts WHERE key LIKE :month ORDER BY at", month=f"{MONTH}/%"
    )
    assert acts == [("line-disputed", "shopkeeper"), ("statement-confirmed", "shopkeeper")]
    assert_verified(office.database, NANJING)


def test_a_month_is_ones_own(office: Office, finance: Finance, clock: Clock) -> None:
    """The address names no retailer: another reads its own statement there, and has no line that only the first has."""
    finance.close()
    clock.now = CLOSING
    other = office.desk(Role.SHOPKEEPER, retailer=SMALL)

    page = other.page(PAGE)
    line = other.post(f"{PAGE}/2/dispute", reason="件数不符")
    other.post(f"{PAGE}/confirm")

    assert (set(re.findall(r">\s*示例店 (s\d)\b", page)), line.status_code) == ({"s3"}, 404)
    assert books.rows(office.database, "SELECT retailer FROM statement_confirmations") == [(SMALL,)]


def test_each_prepaid_subsidy_shows_its_clock(office: Office, finance: Finance, clock: Clock) -> None:
    desk = office.desk(Role.CLERK, retailer=BIG)

    before = desk.page("/shop/prepayments")
    finance.close()
    clock.now = CLOSING
    closed = office.desk(Role.CLERK, retailer=BIG).page("/shop/prepayments")
    finance.pay()
    clock.now = CLOSING + 10 * DAY
    paid = office.desk(Role.CLERK, retailer=BIG).page("/shop/prepayments")

    assert ("待结账" in before, "2026-12-03" in before, "¥20.00" in before) == (True, True, True)
    assert ("待确认" in closed, "2026-12-15" in closed, f"{PAGE}/" in closed) == (True, True, True)
    assert ("已拨付" in paid, "2026-12-07" in paid) == (True, True)
    assert "¥20.00" not in office.desk(Role.CLERK, retailer=SMALL).page("/shop/prepayments")


def test_a_statement_is_fetched_with_a_fresh_code_and_that_is_recorded(
    office: Office, finance: Finance, clock: Clock
) -> None:
    finance.close()
    clock.now = CLOSING
    desk: Desk = office.desk(Role.CLERK, retailer=BIG)

    fetched = desk.client.get(f"{PAGE}/statement.csv").get_data(as_text=True)
    clock.forward(minutes=11)
    stale: FlaskClient = desk.client

    assert ("合计" in fetched, office.acts()[-1:]) == (True, ["export-fetched"])
    assert stale.get(f"{PAGE}/statement.csv").status_code != 200
