"""Whoever owns the tables need not rule the server: what an owner must be allowed, and what is said when it is not."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy.engine import make_url

from backend.storage import migrate
from backend.storage.embedded import EmbeddedPostgres
from backend.storage.transaction import ROLES, Database
from tests.worlds.city import open_city, read, resident, states
from tests.worlds.homes import home

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
EARLY = "0006_reads"
"""Roles are made and granted long before it: how far it goes from there, other tests say."""
OWNERS = ("nanjing", "suzhou")
PASSWORD = "given"
ASKED = (("CREATE ROLE", " NOLOGIN"), ("GRANT", " TO nanjing"))


class Cluster(NamedTuple):
    """A server of this test's own, since roles belong to the cluster. `administrator` may do everything on it."""

    administrator: str

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.administrator, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def run_in(self, database: str, statement: str) -> None:
        url = make_url(self.administrator).set(database=database)
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)

    def database(self, owner: str, *abilities: str) -> str:
        """The address of an empty database named after `owner`, who logs in to it and is no superuser."""
        self.run(
            f"CREATE ROLE {owner} LOGIN NOSUPERUSER {' '.join(abilities)} PASSWORD '{PASSWORD}'",
            f"CREATE DATABASE {owner} OWNER {owner}",
        )
        url = make_url(self.administrator).set(username=owner, password=PASSWORD, database=owner)
        return url.render_as_string(hide_password=False)

    def create_roles(self) -> None:
        self.run(*(f"CREATE ROLE {role} NOLOGIN" for role in ROLES))

    def grant_roles(self, owner: str) -> None:
        """As an administrator does it by hand: membership alone, without ADMIN OPTION."""
        self.run(*(f"GRANT {role} TO {owner}" for role in ROLES))


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with home("roles") as place:
        started = EmbeddedPostgres(place, settings=FAST)
        started.start()
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture
def cluster(server: EmbeddedPostgres) -> Iterator[Cluster]:
    own = Cluster(server.url("postgres"))
    yield own
    own.run(*(f"DROP DATABASE IF EXISTS {owner} WITH (FORCE)" for owner in OWNERS))
    own.run(f"DROP ROLE IF EXISTS {', '.join((*OWNERS, *ROLES))}")


def sells(url: str) -> list[str]:
    """What becomes of a basket in the database at `url`, recorded by the engine's role."""
    database = Database(url, role="greenpoints_engine", pool_size=2)
    try:
        city = open_city(database)
        return states(city.record(city.till().basket(read("9521234000013"), resident=resident(1))))
    finally:
        database.close()


def current(url: str) -> str | None:
    return migrate.state(url).current


def test_an_owner_who_may_create_roles_needs_nobody(cluster: Cluster) -> None:
    url = cluster.database("nanjing", "CREATEROLE")

    migrate.upgrade(url)

    assert current(url) == migrate.newest()
    assert sells(url) == ["recorded"]


def test_an_owner_who_was_granted_the_roles_need_not_create_them(cluster: Cluster) -> None:
    url = cluster.database("nanjing", "NOCREATEROLE")
    cluster.create_roles()
    cluster.grant_roles("nanjing")

    migrate.upgrade(url)

    assert current(url) == migrate.newest()
    assert sells(url) == ["recorded"]


def test_an_owner_without_either_is_told_what_the_administrator_must_run(cluster: Cluster) -> None:
    url = cluster.database("nanjing", "NOCREATEROLE")
    refused = command(url, "upgrade")
    assert refused.returncode == 1
    assert "无权创建角色，请管理员执行 / may not create roles; let an administrator run:" in refused.stderr
    assert current(url) is None

    cluster.run(*statements_in(refused.stderr))
    migrate.upgrade(url)

    assert current(url) == migrate.newest()
    assert sells(url) == ["recorded"]


@pytest.mark.parametrize("present", range(len(ROLES)))
def test_roles_that_are_there_are_not_asked_for_again(cluster: Cluster, present: int) -> None:
    url = cluster.database("nanjing", "NOCREATEROLE")
    there = ROLES[:present]
    cluster.run(*(f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO nanjing" for role in there))

    asked = statements_in(command(url, "upgrade").stderr)

    assert asked == [f"{words} {role}{rest}" for role in ROLES[present:] for words, rest in ASKED]
    cluster.run(*asked)
    migrate.upgrade(url, EARLY)
    assert current(url) == EARLY


def test_an_owner_without_either_is_told_in_sentences_alone(cluster: Cluster) -> None:
    refused = command(cluster.database("nanjing", "NOCREATEROLE"), "upgrade")

    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("ability", ["NOCREATEROLE", "CREATEROLE"])
def test_an_owner_of_a_second_database_is_told_what_to_be_granted(cluster: Cluster, ability: str) -> None:
    migrate.upgrade(cluster.database("nanjing", "CREATEROLE"), EARLY)
    url = cluster.database("suzhou", ability)

    cluster.run(*statements_in(command(url, "upgrade").stderr))
    migrate.upgrade(url)

    assert sells(url) == ["recorded"]


def test_two_owners_of_one_cluster_share_its_roles(cluster: Cluster) -> None:
    cluster.create_roles()
    urls = [cluster.database(owner, "NOCREATEROLE") for owner in OWNERS]
    for owner in OWNERS:
        cluster.grant_roles(owner)

    for url in urls:
        migrate.upgrade(url)

    assert [sells(url) for url in urls] == [["recorded"], ["recorded"]]


def test_an_owner_of_one_database_does_not_read_another_by_the_roles_that_both_have(cluster: Cluster) -> None:
    cluster.create_roles()
    nanjing, suzhou = (cluster.database(owner, "NOCREATEROLE") for owner in OWNERS)
    for owner in OWNERS:
        cluster.grant_roles(owner)
    for url in (nanjing, suzhou):
        migrate.upgrade(url)
    sells(suzhou)
    elsewhere = make_url(nanjing).set(database="suzhou").render_as_string(hide_password=False)

    with pytest.raises(psycopg.OperationalError, match='permission denied for database "suzhou"'):
        psycopg.connect(elsewhere)

    assert sells(nanjing) == ["recorded"]


def test_an_owner_of_the_tables_alone_is_told_what_the_databases_owner_must_run(cluster: Cluster) -> None:
    """An installation that was made otherwise than the README says: the roles let in whoever has them elsewhere."""
    url = cluster.database("nanjing", "CREATEROLE")
    migrate.upgrade(url, EARLY)
    cluster.run("ALTER DATABASE nanjing OWNER TO CURRENT_USER")

    refused = command(url, "upgrade")

    assert refused.returncode == 1
    assert refused.stderr.endswith("[database-open-to-all]\n")
    assert "Traceback" not in refused.stderr
    assert current(url) == EARLY
    asked = re.findall(r"(?:REVOKE|GRANT) [^;\n]+(?=;)", refused.stderr)
    assert asked == [
        "REVOKE CONNECT ON DATABASE nanjing FROM PUBLIC",
        "GRANT CONNECT ON DATABASE nanjing TO nanjing",
    ]
    cluster.run(*asked)
    # Whoever owns no database may make no tables in it either, which later revisions do.
    cluster.run_in("nanjing", "GRANT CREATE ON SCHEMA public TO nanjing")
    migrate.upgrade(url)
    assert sells(url) == ["recorded"]


def test_a_database_that_was_opened_to_all_again_is_not_as_it_must_be(cluster: Cluster) -> None:
    """As after a restore, which brings back the tables and not what stands on the database itself."""
    url = cluster.database("nanjing", "CREATEROLE")
    migrate.upgrade(url)
    assert command(url, "check").returncode == 0
    cluster.run("GRANT CONNECT ON DATABASE nanjing TO PUBLIC")

    said = command(url, "check")

    assert said.returncode == 1
    assert "REVOKE CONNECT ON DATABASE nanjing FROM PUBLIC" in said.stdout


def test_a_second_run_by_such_an_owner_changes_nothing(cluster: Cluster) -> None:
    url = cluster.database("nanjing", "CREATEROLE")
    migrate.upgrade(url)

    migrate.upgrade(url)

    assert current(url) == migrate.newest()
    assert migrate.drift(url) == ()


@pytest.mark.parametrize("verb", ["upgrade", "check"])
@pytest.mark.parametrize("away", ["port", "database", "password"])
def test_a_database_that_cannot_be_reached_is_said_in_a_sentence(cluster: Cluster, verb: str, away: str) -> None:
    url = make_url(cluster.database("nanjing"))
    wrong = {
        "port": url.set(port=1),
        "database": url.set(database="elsewhere"),
        "password": url.set(password="guessed"),
    }[away]

    said = command(wrong.render_as_string(hide_password=False), verb)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("无法连接数据库：")
    assert said.stderr.endswith("[database-unreachable]\n")
    assert "Traceback" not in said.stderr
    assert "guessed" not in said.stderr


@pytest.mark.parametrize("verb", ["upgrade", "check"])
def test_no_database_named_is_said_in_a_sentence(verb: str) -> None:
    said = command(None, verb)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.endswith("[not-configured]\n")
    assert "Traceback" not in said.stderr


def test_an_empty_database_is_not_as_it_must_be_until_it_is_upgraded(cluster: Cluster) -> None:
    url = cluster.database("nanjing", "CREATEROLE")

    before, upgraded, again, after = (command(url, verb) for verb in ("check", "upgrade", "upgrade", "check"))

    assert [one.returncode for one in (before, upgraded, again, after)] == [1, 0, 0, 0]
    assert "greenpoints db upgrade" in before.stdout
    assert f"空 -> {migrate.newest()}" in upgraded.stdout
    assert "已是最新" in again.stdout
    assert "0 处差异" in after.stdout


def command(url: str | None, verb: str) -> "subprocess.CompletedProcess[str]":
    """`greenpoints db`, as an operator types it."""
    given = {} if url is None else {"DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", "db", verb],
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **given},
        capture_output=True,
        text=True,
        check=False,
    )


def statements_in(message: str) -> list[str]:
    """The SQL that a refusal hands to the administrator."""
    found = re.findall(r"(?:CREATE ROLE|GRANT) [^;\n]+(?=;)", message)
    assert found, message
    return found
