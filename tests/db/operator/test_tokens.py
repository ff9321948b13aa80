"""A token is shown once; what is kept of it opens nothing."""

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text

from backend.devices.register import insert_token
from backend.kernel.tokens import token_hash
from backend.storage.transaction import Database
from tests.db.operator.typed import Run, add_store, done, listed, refused
from tests.worlds.books import rows
from tests.worlds.city import NANJING, NOON
from tests.worlds.old_tokens import issue_unbound

POS, RETAILER = ("--service", "pos", "--name"), ("--city", NANJING, "--retailer", "示例超市")
ACTS = "SELECT what, key, after::json->>'retailer' FROM acts WHERE kind = 'service-token' ORDER BY at, act"


def test_a_token_is_printed_once_and_only_its_hash_is_kept(run: Run, engine_db: Database) -> None:
    issued = run("tokens", "issue", "--service", "bridge", "--name", "bridge-1")

    token = done(issued).strip()
    assert "只显示这一次" in issued.stderr
    assert token not in done(run("tokens", "list")) + done(run("tokens", "list", "--json"))
    with engine_db.read() as connection:
        assert connection.scalars(text("SELECT token_hash FROM service_tokens")).all() == [token_hash(token)]


def test_tokens_of_one_name_stand_beside_each_other_until_all_are_revoked(run: Run) -> None:
    for service in ("bridge", "bridge", "metrics"):
        done(run("tokens", "issue", "--service", service, "--name", "one"))

    said = done(run("tokens", "revoke", "--service", "bridge", "--name", "one"))

    assert said.startswith("已停用 2 个名为 one 的 bridge 令牌")
    states = [(each["service"], each["revoked_at"] is None) for each in listed(run, "tokens")]
    assert states == [("bridge", False), ("bridge", False), ("metrics", True)]


def test_tokens_are_revoked_once(run: Run) -> None:
    done(run("tokens", "issue", "--service", "bridge", "--name", "one"))
    done(run("tokens", "revoke", "--service", "bridge", "--name", "one"))

    assert refused(run("tokens", "revoke", "--service", "bridge", "--name", "one")).code == "no-such-token"


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_token_without_a_name_one_can_read_is_refused(run: Run, name: str) -> None:
    assert refused(run("tokens", "issue", "--service", "bridge", "--name", name)).code == "token-name-refused"
    assert listed(run, "tokens") == []


def test_a_token_is_for_a_service_that_there_is(run: Run) -> None:
    assert run("tokens", "issue", "--service", "till", "--name", "one").exit_code == 2


def test_a_token_of_a_shops_system_names_its_retailer(run: Run, engine_db: Database) -> None:
    done(add_store(run))

    done(run("tokens", "issue", *POS, "one", *RETAILER))

    assert [(row["of_city"], row["retailer"]) for row in listed(run, "tokens")] == [(NANJING, "示例超市")]
    assert f"{NANJING} 示例超市" in done(run("tokens", "list"))
    assert rows(engine_db, ACTS) == [("token-issued", "pos:one", "示例超市")]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((*POS, "one"), "token-needs-retailer"),
        (("--service", "bridge", "--name", "one", *RETAILER), "token-needs-retailer"),
        ((*POS, "one", "--city", NANJING, "--retailer", "另一超市"), "retailer-unknown"),
        ((*POS, "one", "--city", "320500", "--retailer", "示例超市"), "retailer-unknown"),
        ((*POS, "taken", "--city", NANJING, "--retailer", "第三超市"), "token-name-taken"),
    ],
)
def test_a_token_that_says_wrongly_whose_it_is_is_refused(run: Run, words: tuple[str, ...], code: str) -> None:
    done(add_store(run))
    done(add_store(run, "s3", retailer="第三超市"))
    done(run("tokens", "issue", *POS, "taken", *RETAILER))
    done(run("tokens", "revoke", *POS, "taken"))

    assert refused(run("tokens", "issue", *words)).code == code


def test_a_token_of_before_is_bound_once(run: Run, engine_db: Database, database_url: str) -> None:
    done(add_store(run))
    done(add_store(run, "s3", retailer="第三超市"))
    issue_unbound(database_url, "old")

    said = done(run("tokens", "bind", "--name", "old", *RETAILER))

    assert said.startswith("已将 1 个名为 old 的 pos 令牌绑定到 320100 的商户“示例超市”")
    assert rows(engine_db, ACTS) == [("token-bound", "pos:old", "示例超市")]
    assert refused(run("tokens", "bind", "--name", "old", *RETAILER)).code == "no-token-to-bind"
    other = ("--city", NANJING, "--retailer", "第三超市")
    assert refused(run("tokens", "bind", "--name", "old", *other)).code == "token-name-taken"


def test_a_token_of_before_may_be_revoked(run: Run, database_url: str) -> None:
    issue_unbound(database_url, "old")

    assert done(run("tokens", "revoke", *POS, "old")).startswith("已停用 1 个")


def test_the_database_takes_no_shops_token_that_names_nobody(engine_db: Database) -> None:
    with pytest.raises(CheckViolation, match="ck_service_tokens_bound"):
        engine_db.write(lambda c: insert_token(c, bytes(32), service="pos", name="one", now=NOON))
