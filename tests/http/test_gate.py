"""Residents who come while others are looked up are looked up together, and each is who they are."""

from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep

import psycopg
import pytest
from flask import Flask

from backend.bootstrap import Backend
from backend.residents.queries import SESSIONS_BEHIND
from backend.storage.transaction import observed
from backend.web.app import create_app
from backend.web.auth import ANY_CITY, GATE, Gate
from tests.http.conftest import Clock, SignIn, bearer
from tests.worlds.city import City

NAMES = ("zhang", "li", "wang", "zhao")
STRANGER = bearer("token-of-nobody")


@pytest.fixture
def app(backend: Backend, clock: Clock) -> Flask:
    """One that has not seen anybody yet."""
    return create_app(backend, clock)


def who(app: Flask, headers: dict[str, str]) -> str:
    """The session that the token opens, or why it opens none."""
    answer = app.test_client().get("/api/resident/v1/sessions", headers=headers)
    if answer.status_code != 200:
        return str(answer.get_json()["code"])
    return next(one["session"] for one in answer.get_json()["sessions"] if one["current"])


def test_those_who_wait_are_looked_up_by_one_statement_and_each_is_answered_as_themselves(
    app: Flask, backend: Backend, clock: Clock, city: City, sign_in: SignIn, database_url: str
) -> None:
    headers = {name: sign_in(name) for name in NAMES}
    alone = {name: who(create_app(backend, clock), headers[name]) for name in NAMES}
    gate: Gate = app.extensions[GATE]
    seen: list[str] = []
    with observed(seen.append), psycopg.connect(database_url) as owner, ThreadPoolExecutor(len(NAMES) + 1) as threads:
        owner.execute("LOCK TABLE resident_sessions")
        first = threads.submit(who, app, headers[NAMES[0]])
        while not gate._look_ups._leaders[ANY_CITY]:
            sleep(0.01)
        rest: list[Future[str]] = [threads.submit(who, app, headers[name]) for name in NAMES[1:]]
        rest.append(threads.submit(who, app, STRANGER))
        while len(gate._look_ups._queues[ANY_CITY]) < len(rest):
            sleep(0.01)
        owner.rollback()
        found = [each.result(20) for each in (first, *rest)]

    assert found == [*(alone[name] for name in NAMES), "unauthenticated"]
    assert len(set(found)) == len(found)
    assert seen.count(SESSIONS_BEHIND) == 2
