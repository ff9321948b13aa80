"""A retailer's own system over HTTP: its statements and nobody else's, confirmed, disputed, prepaid."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.storage.transaction import Database
from tests.db.settlements.test_owed import subsidised
from tests.http.conftest import Clock, bearer, shops_token
from tests.worlds import books
from tests.worlds.city import NANJING, NOON
from tests.worlds.later import assert_verified
from tests.worlds.old_tokens import issue_unbound
from tests.worlds.settling import BIG, CLOSING, MONTH, SMALL, Office, open_office

HIS, OTHERS, NOBODYS = "token-of-big", "token-of-small", "token-of-none"
PATH = "/api/pos/v1/statements"


@pytest.fixture
def office(engine_db: Database, clock: Clock, database_url: str) -> Office:
    """Two lines of one retailer, one of another; the first subsidy was given at the till."""
    opened = open_office(engine_db, subsidised())
    shops_token(engine_db, HIS, BIG)
    shops_token(engine_db, OTHERS, SMALL)
    issue_unbound(database_url, NOBODYS)
    opened.sell(4)
    opened.sell(2, "s2")
    opened.sell(5, "s3")
    clock.now = NOON
    return opened


def prepaid(office: Office, **changes: Any) -> dict[str, Any]:
    basket = next(iter(office.shops))
    usual = {"prepayment_id": "P1", "city": NANJING, "store": "s1", "lines": [{"basket": basket, "line_no": 0}]}
    return usual | changes


def test_a_retailer_sees_disputes_and_confirms_its_own_statement(
    client: FlaskClient, office: Office, clock: Clock
) -> None:
    first = client.post("/api/pos/v1/prepayments", json=prepaid(office), headers=bearer(HIS))
    again = client.post("/api/pos/v1/prepayments", json=prepaid(office), headers=bearer(HIS))
    assert (first.status_code, again.status_code, first.json["amount_fen"]) == (201, 200, 2_000)  # type: ignore[index]
    office.close()
    clock.now = CLOSING

    (listed,) = client.get(PATH, headers=bearer(HIS)).get_json()["statements"]
    page = client.get(f"{PATH}/{MONTH}", headers=bearer(HIS)).get_json()
    sheet = client.get(f"{PATH}/{MONTH}/file", headers=bearer(HIS)).get_data(as_text=True)
    disputed = client.post(f"{PATH}/{MONTH}/lines/1/dispute", json={"reason": "件数不符"}, headers=bearer(HIS))
    confirmed = [client.post(f"{PATH}/{MONTH}/confirm", headers=bearer(HIS)).status_code for _ in range(2)]

    assert (listed["fee_fen"], listed["subsidy_fen"], listed["clock"]["stage"]) == (18, 2_000, "review")
    assert sum(one["amount_fen"] for one in page["lines"]) == 2_018
    assert {one["cause"] for one in page["lines"]} == {"fee", "prepaid"}
    assert "合计" in sheet
    assert (disputed.status_code, confirmed) == (201, [200, 200])
    states = [one["state"] for one in client.get(f"{PATH}/{MONTH}", headers=bearer(HIS)).get_json()["lines"]]
    assert states == ["under dispute", "to be paid", "to be paid"]
    who = books.rows(office.database, "SELECT who FROM acts WHERE what = 'line-disputed'")
    assert who == [(f"service:{HIS}",)]
    assert_verified(office.database, NANJING)


@pytest.mark.parametrize(
    ("token", "path", "status", "code"),
    [
        (NOBODYS, "", 403, "token-unbound"),
        (NOBODYS, f"/{MONTH}", 403, "token-unbound"),
        (OTHERS, "/2026-10", 404, "settlement-statement-unknown"),
        (OTHERS, "/2026-10/file", 404, "settlement-statement-unknown"),
    ],
)
def test_nobody_sees_anothers(
    client: FlaskClient, office: Office, token: str, path: str, status: int, code: str
) -> None:
    office.close()

    answer = client.get(f"{PATH}{path}", headers=bearer(token))

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_a_line_of_another_retailer_has_no_name(client: FlaskClient, office: Office, clock: Clock) -> None:
    """Every address is of the token's own retailer: another's line cannot be asked for."""
    office.close()
    clock.now = CLOSING

    (line,) = client.get(f"{PATH}/{MONTH}", headers=bearer(OTHERS)).get_json()["lines"]
    answer = client.post(f"{PATH}/{MONTH}/lines/2/dispute", json={"reason": "x"}, headers=bearer(OTHERS))

    assert line["store"] == "s3"
    assert answer.get_json()["code"] == "statement-line-unknown"
