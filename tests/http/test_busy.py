"""A database that is out of time, out of room or a standby: the phone is told to come again, and no work is done twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from backend.storage.transaction import Database, DatabaseBusy, hot
from backend.usecases.shared_transaction import SharedTransaction
from tests.http.conftest import BRIDGE_TOKEN, SignIn, bearer
from tests.http.shop import BATCH, Shop, batch
from tests.worlds.books import count
from tests.worlds.city import FRIDGE, NANJING, NOON, City, read

FAIL = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'planted' USING ERRCODE = '{state}'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON baskets EXECUTE FUNCTION fail()"""
PASSING = ["57014", "53100", "53200", "53300", "25006"]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(statement)


@pytest.mark.parametrize("state", PASSING)
def test_a_phone_is_told_to_come_again(
    client: FlaskClient, city: City, sign_in: SignIn, database_url: str, state: str
) -> None:
    headers = sign_in()
    run(database_url, FAIL.format(state=state))

    answer = client.post("/api/resident/v1/scans", json={"scan_id": str(uuid4()), "code": FRIDGE}, headers=headers)

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database-busy")
    assert answer.headers["Retry-After"] == "1"
    assert count(city.database, "quarantine", NANJING) == 0


@pytest.mark.parametrize("state", PASSING)
def test_a_bridge_is_told_to_come_again(
    client: FlaskClient, city: City, shop: Shop, database_url: str, state: str
) -> None:
    run(database_url, FAIL.format(state=state))

    answer = client.post(
        BATCH, json=batch(shop.delivery(shop.message(shop.line(read(FRIDGE))))), headers=bearer(BRIDGE_TOKEN)
    )

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database-busy")
    assert answer.headers["Retry-After"] == "1"


def test_a_standby_answers_busy(
    client: FlaskClient, backend: Backend, city: City, sign_in: SignIn, database_url: str
) -> None:
    headers = sign_in()
    # As on a standby, only with a state that a test can bring about: every transaction is read-only.
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    run(database_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    backend.database.close()  # the next request connects anew

    answer = client.post("/api/resident/v1/scans", json={"scan_id": str(uuid4()), "code": FRIDGE}, headers=headers)

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database-busy")


def test_members_of_a_group_that_ran_out_of_time_are_not_tried_one_by_one(engine_db: Database) -> None:
    sizes: list[int] = []
    leading, others_wait = Event(), Event()

    def slow(connection: object) -> list[str]:
        hot(connection, "SET LOCAL statement_timeout = 50")  # type: ignore[arg-type]  # it is one
        hot(connection, "SELECT pg_sleep(5)")  # type: ignore[arg-type]
        return []

    def work(_city: str, items: "list[str]", _now: datetime) -> list[str]:
        sizes.append(len(items))
        if len(sizes) == 1:
            leading.set()
            assert others_wait.wait(20)
            return items
        return engine_db.write(slow)

    shared: SharedTransaction[str, str] = SharedTransaction(work)  # type: ignore[arg-type]  # items are lists
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(shared.run, NANJING, "first", NOON)
        assert leading.wait(20)
        rest = [threads.submit(shared.run, NANJING, f"{n}", NOON) for n in range(5)]
        while len(shared._queues[NANJING]) < 5:
            pass
        others_wait.set()
        assert first.result() == "first"
        for each in rest:
            with pytest.raises(DatabaseBusy):
                each.result()
    assert sizes == [1, 5]
