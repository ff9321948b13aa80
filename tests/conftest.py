"""Fixtures every test may use: a real PostgreSQL, migrated once, cloned for each test that asks for it."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.kernel.ids import new_id
from backend.storage.embedded import EmbeddedPostgres
from backend.storage.migrate import upgrade
from backend.storage.transaction import Database
from tests.worlds.city import City, open_city
from tests.worlds.homes import home, in_memory

pytest_plugins = ("tests.worlds.browser",)
TEMPLATE = "greenpoints_template"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
"""Durability is not what most tests test; those that do start a server of their own."""
COPIED = "file_copy" if in_memory() else "wal_log"
"""How a database is made: measured 22 ms against 39 in memory, 80 to 400 ms and more on disk."""
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Workers, and the programs that tests start, need not compile again what others have imported."""

settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
"""No law is about how long an example takes on a machine that does other things as well."""


FIRST = (
    ("tests/journeys/",),
    ("tests/http/console/test_pages_browser.py", "tests/http/console/test_journey_browser.py", "tests/http/page/"),
    ("tests/db/jobs/test_worker.py", "tests/db/jobs/test_outage.py", "tests/scanner/till/", "tests/scanner/update/"),
)
"""What takes minutes, or mostly waits: each group begins with the run, in a worker of its own. Begun last it would keep the
others waiting for its end.
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`--dist worksteal` first gives each worker an equal share of the list; whoever is done takes from the others."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    groups = [[one for one in items if one.nodeid.startswith(files)] for files in FIRST]
    early = {one for group in groups for one in group}
    items[:] = [one for one in items if one not in early]
    share = (len(items) + len(early)) // workers
    for place, group in enumerate(groups):
        begin = place % workers * share
        items[begin:begin] = group


def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """Half a million objects of modules and tests stay to the end: no collection looks at them again."""
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help="take the pictures of docs/console.md anew")


@pytest.fixture(autouse=True, scope="session")
def somebody() -> Iterator[None]:
    """In whose name tests, and the worlds that they share, do what officials do."""
    with acting(Actor("command:tests", "command")):
        yield


@pytest.fixture(autouse=True)
def loggers_that_can_be_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that a test runs in this process configures its logging: later tests would not hear what it keeps quiet,
    or what is cached.

    Said plainly meanwhile: structlog's own way to print an exception, framed and coloured, takes half a second each.
    """
    configure = structlog.configure
    structlog.reset_defaults()
    configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(["event"])])
    monkeypatch.setattr(
        structlog, "configure", lambda **asked: configure(**asked | {"cache_logger_on_first_use": False})
    )


_OWNERS: dict[str, psycopg.Connection] = {}


def _execute(url: str, statement: str) -> None:
    """Over one connection that stays: two new ones for each test are some milliseconds of its CPU."""
    if url not in _OWNERS or _OWNERS[url].closed:
        _OWNERS[url] = psycopg.connect(url, autocommit=True)
    _OWNERS[url].execute(statement)


def _hang_up() -> None:
    for connection in _OWNERS.values():
        connection.close()


def _weaken_password(url: str) -> None:
    """A connection costs its client 4,096 rounds of a hash by default, and tests make thousands of connections."""
    found = make_url(url)
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL scram_iterations = 1")
        connection.execute(f"ALTER ROLE {found.username} PASSWORD '{found.password}'")


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The owner's address on a server of this worker's own; TEST_DATABASE_URL takes its place."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        _hang_up()
        return
    with home("tests") as place:
        server = EmbeddedPostgres(place, settings=FAST)
        server.start()
        _weaken_password(server.url())
        try:
            yield server.url()
        finally:
            _hang_up()
            server.stop()


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    name = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    _execute(server_url, f'DROP DATABASE IF EXISTS "{name}"')
    _execute(server_url, f'CREATE DATABASE "{name}"')
    upgrade(_named(server_url, name))
    return name


@pytest.fixture(scope="session")
def city_template(server_url: str, template: str) -> str:
    """The usual city, opened once: some seven hundred tests begin with it."""
    name = f"{template}_city"
    _execute(server_url, f'DROP DATABASE IF EXISTS "{name}"')
    _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {COPIED}')
    database = Database(_named(server_url, name), role="greenpoints_engine", pool_size=1)
    open_city(database)
    database.close()
    return name


@pytest.fixture
def database_url(request: pytest.FixtureRequest, server_url: str, template: str) -> Iterator[str]:
    """The owner's address of a migrated database of this test's own: empty, or with the usual city if that is asked for."""
    wanted = request.getfixturevalue("city_template") if "usual_city" in request.fixturenames else template
    with copied(server_url, wanted) as url:
        yield url


@contextmanager
def copied(server_url: str, template: str) -> Iterator[str]:
    """The owner's address of a new copy of the template, which is dropped in the end."""
    name = f"t_{new_id().replace('-', '')}"
    _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {COPIED}')
    try:
        yield _named(server_url, name)
    finally:
        _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def engine_db(database_url: str) -> Iterator[Database]:
    """Connections of the engine's role to this test's database."""
    database = Database(database_url, role="greenpoints_engine")
    yield database
    database.close()


@pytest.fixture
def usual_city(engine_db: Database) -> City:
    """As `open_city` opens it when nothing else is said."""
    return City(engine_db)
