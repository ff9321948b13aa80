"""A retailer's manager issues and revokes the tokens of the retailer's own system, and meets nobody else's."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.usecases.issue_token import issue_token
from backend.usecases.shop_tokens import TOKENS_MAX, Whose, issue_shop_token
from tests.http.conftest import Clock, bearer
from tests.worlds import books, officials
from tests.worlds.city import NANJING
from tests.worlds.settling import BIG, SMALL, open_office

STATEMENTS = "/api/pos/v1/statements"
THEIRS = "token-of-the-other"


@pytest.fixture
def manager(engine_db: Database, client: FlaskClient, clock: Clock) -> FlaskClient:
    open_office(engine_db)
    engine_db.write(
        lambda c: issue_token(c, THEIRS, service="pos", name="POS", now=clock.now, retailer=(NANJING, SMALL))
    )
    engine_db.write(lambda c: issue_token(c, "bridge-token", service="bridge", name="b1", now=clock.now))
    return officials.signed_in(client, engine_db, clock.now, Role.SHOPKEEPER, retailer=BIG)


def post(client: FlaskClient, path: str, **form: str) -> TestResponse:
    return client.post(f"/shop{path}", data=form | {"csrf": client.csrf})  # type: ignore[attr-defined]


def issued(client: FlaskClient, name: str) -> str:
    """The token, which the answer shows."""
    found = re.search(r'<code id="once">([^<]+)</code>', post(client, "/tokens/new", name=name).text)
    assert found is not None
    return found[1]


def works(client: FlaskClient, token: str) -> bool:
    return client.get(f"{STATEMENTS}?city={NANJING}", headers=bearer(token)).status_code == 200


def test_a_token_is_shown_once_works_for_its_retailer_and_is_revoked_alone(manager: FlaskClient, clock: Clock) -> None:
    first = issued(manager, "收银系统")
    clock.forward(minutes=1)
    second = issued(manager, f"{BIG}·收银系统")

    page = manager.get("/shop/tokens").text
    names = re.findall(r'name="name" value="([^"]+)"><input type="hidden" name="issued_at" value="([^"]+)"', page)
    assert [name for name, _ in names] == [f"{BIG}·收银系统"] * 2, "the second takes the place of the first"
    assert first not in page

    answer = post(manager, "/tokens/revoke", name=names[1][0], issued_at=names[1][1])

    assert answer.status_code == 303
    assert (works(manager, first), works(manager, second)) == (False, True)
    assert "已吊销" in manager.get("/shop/tokens").text


def test_a_manager_neither_sees_nor_touches_tokens_of_others(
    manager: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    assert SMALL not in manager.get("/shop/tokens").text
    at = clock.now.isoformat()
    for name in ("POS", "b1"):
        assert post(manager, "/tokens/revoke", name=name, issued_at=at).status_code == 404
    issued(manager, "POS")

    names = books.rows(
        engine_db, "SELECT name, retailer, revoked_at FROM service_tokens WHERE service = 'pos' ORDER BY 1"
    )
    assert names == [("POS", SMALL, None), (f"{BIG}·POS", BIG, None)], "a name is another's in no case"


def test_a_name_and_their_number_have_bounds(manager: FlaskClient, engine_db: Database, clock: Clock) -> None:
    assert post(manager, "/tokens/new", name="x" * 64).status_code == 422
    assert post(manager, "/tokens/new", name=" ").status_code == 422
    for number in range(TOKENS_MAX):
        engine_db.write(
            lambda c, n=number: issue_shop_token(c, f"t{n}", Whose(NANJING, BIG), "x", clock.now)  # type: ignore[misc]
        )

    refused = post(manager, "/tokens/new", name="收银系统")

    assert (refused.status_code, "请先吊销不用的" in refused.text) == (409, True)


def test_without_filters_of_its_own_the_console_reads_no_other_citys_token_and_no_hash(
    engine_db: Database, manager: FlaskClient
) -> None:
    del manager
    with engine_db.read() as connection:
        connection.execute(text("SET LOCAL ROLE greenpoints_console"))
        connection.execute(text("SET LOCAL greenpoints.city = '320500'"))
        assert connection.execute(text("SELECT name FROM service_tokens")).all() == []
        connection.execute(text(f"SET LOCAL greenpoints.city = '{NANJING}'"))
        assert connection.execute(text("SELECT name FROM service_tokens")).all() == [("POS",)]
        with pytest.raises(Exception, match="permission denied"):
            connection.execute(text("SELECT token_hash FROM service_tokens"))
