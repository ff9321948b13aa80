"""No page reads all that there is: every page, in a city with some hundreds of scans, residents and cases of each kind.

What is counted are the rows that its statements look at, wanted or not, with tables too large to be read whole.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple

import psycopg
import pytest
from flask.testing import FlaskClient

from backend.bootstrap import build
from backend.officials.model import STAFF, Role
from backend.web.app import create_app
from tests.conftest import copied
from tests.http.conftest import Keys, settings_of
from tests.http.console.test_foreign import NANJING, World, addresses, built
from tests.http.console.test_matrix import ROLES, declared
from tests.worlds import grown, officials, statements
from tests.worlds.settling import BIG

COPIES = 800
GROWS = (*grown.SCANS, *grown.PEOPLE, *grown.CASES)
READ_MAX = 750
"""Rows of one page, less than there are of anything; `make bench` measures the same among millions."""
FILES = {
    "/console/statement-files/<month>/<path:retailer>": "all lines of a statement, two hundred at a time",
    "/shop/statements/<month>/statement.csv": "the same, for the retailer",
    "/console/audit/acts.csv": "the newest 10,000 acts",
}
"""What is fetched as a file is read whole, within a bound of its own."""
SEARCHED = (
    "/console/registry/search?q=冰箱",
    "/console/registry/search?q=202601-14",
    "/console/registry/ripple?q=100OP",
    "/console/audit/acts?who=command:tests",
    "/console/audit/acts?what=policy-drafted",
    "/console/audit/acts?key=nobodys",
    "/console/audit/acts?since=2026-11-01",
    "/console/cases/reports?which=decided",
    "/console/policy-drafts?all=1",
    "/console/liability?days=365",
    "/console/?days=365",
)
"""Lists that are filtered, beside each page as it is opened first."""


class Reader(NamedTuple):
    world: World
    url: str
    desks: dict[Role, FlaskClient]
    heard: list[statements.Asked]

    def read(self, owner: psycopg.Connection, path: str, role: Role) -> int:
        self.heard.clear()
        answer = self.desks[role].get(path)
        assert answer.status_code in (200, 303, 404), (path, answer.status_code)
        asked = [one for one in self.heard if one.reads]
        return sum(statements.read_by(owner, NANJING, one, indexed=True).rows for one in asked)


@pytest.fixture(scope="module")
def reader(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    keys = tmp_path_factory.mktemp("keys")
    with copied(server_url, template) as url, built(url, keys) as world, statements.recorded() as heard:
        backend = build(settings_of(url, Keys(), keys))
        app = create_app(backend, world.clock)
        now = world.clock.now
        desks = {
            role: officials.signed_in(app.test_client(), world.engine, now, role, **seat_of(role)) for role in Role
        }
        yield Reader(world, url, desks, heard)
        backend.close()


def seat_of(role: Role) -> dict[str, str]:
    """Where somebody of a role sits, and whose staff they are."""
    seat = {"city": "320000" if role is Role.PROVINCE else NANJING}
    return seat | {"retailer": BIG} if role in STAFF else seat


def pages(world: World) -> list[tuple[str, Role]]:
    """Every page that is read, of an object that is there, with a role that may open it."""
    found = []
    for rule, method, one in declared(world.app):
        if method == "GET" and rule.rule not in FILES:
            path = (addresses(rule, world.found) or [rule.rule])[0]
            found.append((path, next(role for role in ROLES if role in one.roles)))
    opened = dict(found)
    return [*found, *((path, opened[path.partition("?")[0]]) for path in SEARCHED)]


def measured(reader: Reader) -> dict[str, int]:
    with psycopg.connect(reader.url, autocommit=True) as owner:
        owner.execute("ANALYZE")
        return {path: reader.read(owner, path, role) for path, role in pages(reader.world) if "<" not in path}


def test_no_page_reads_all_there_is(reader: Reader) -> None:
    grown.grow(reader.url, NANJING, range(1, COPIES + 1), GROWS)

    read = measured(reader)

    assert len(read) > 60
    assert {path: rows for path, rows in read.items() if rows > READ_MAX} == {}


def test_who_asks_is_known_after_two_statements_of_no_transaction(reader: Reader) -> None:
    reader.heard.clear()

    reader.desks[Role.FINANCE].get("/console/account/password")

    assert [one.statement.split()[0] for one in reader.heard] == ["SELECT", "SELECT"]


def test_every_page_can_be_asked_for_in_part(reader: Reader) -> None:
    """As htmx does where a page looks again by itself: the content alone, with all that its template defines beside it."""
    asked = {"HX-Request": "true", "HX-Request-Type": "partial"}
    failed = []
    for path, role in pages(reader.world):
        answer = reader.desks[role].get(path, headers=asked, buffered=True)
        if answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR or "<html" in answer.text:
            failed.append(path)

    assert failed == []
