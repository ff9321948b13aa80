"""A token is shown once; what is kept of it opens nothing."""

import pytest
from sqlalchemy import text

from backend.kernel.tokens import token_hash
from backend.storage.transaction import Database
from tests.db.operator.typed import Run, done, listed, refused


def test_a_token_is_printed_once_and_only_its_hash_is_kept(run: Run, engine_db: Database) -> None:
    issued = run("tokens", "issue", "--service", "bridge", "--name", "bridge-1")

    token = done(issued).strip()
    assert "只显示这一次" in issued.stderr
    assert token not in done(run("tokens", "list")) + done(run("tokens", "list", "--json"))
    with engine_db.read() as connection:
        assert connection.scalars(text("SELECT token_hash FROM service_tokens")).all() == [token_hash(token)]


def test_tokens_of_one_name_stand_beside_each_other_until_all_are_revoked(run: Run) -> None:
    for service in ("bridge", "bridge", "pos"):
        done(run("tokens", "issue", "--service", service, "--name", "one"))

    said = done(run("tokens", "revoke", "--service", "bridge", "--name", "one"))

    assert said.startswith("已停用 2 个名为 one 的 bridge 令牌")
    states = [(each["service"], each["revoked_at"] is None) for each in listed(run, "tokens")]
    assert states == [("bridge", False), ("bridge", False), ("pos", True)]


def test_tokens_are_revoked_once(run: Run) -> None:
    done(run("tokens", "issue", "--service", "pos", "--name", "one"))
    done(run("tokens", "revoke", "--service", "pos", "--name", "one"))

    assert refused(run("tokens", "revoke", "--service", "pos", "--name", "one")).code == "no-such-token"


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_token_without_a_name_one_can_read_is_refused(run: Run, name: str) -> None:
    assert refused(run("tokens", "issue", "--service", "pos", "--name", name)).code == "token-name-refused"
    assert listed(run, "tokens") == []


def test_a_token_is_for_a_service_that_there_is(run: Run) -> None:
    assert run("tokens", "issue", "--service", "till", "--name", "one").exit_code == 2
