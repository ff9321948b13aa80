"""`greenpoints officials`: the first administrator of a city, and who is there."""

import json

import pytest

from backend.officials import passwords, store
from backend.storage.transaction import Database
from tests.db.operator.typed import Run
from tests.worlds import books


def test_the_first_administrator_is_given_a_password_that_must_be_changed(run: Run, engine_db: Database) -> None:
    added = run("officials", "add", "zhou.min", "--city", "320100", "--name", "周敏")
    listed = json.loads(run("officials", "list", "--city", "320100", "--json").stdout)

    assert added.exit_code == 0, added.output
    assert "江苏省南京市 周敏（本市管理员）已登记" in added.stderr
    assert [(each["login"], each["roles"]) for each in listed] == [("zhou.min", ["city_administrator"])]
    with engine_db.read() as connection:
        home = store.home_of(connection, "zhou.min")
        assert home is not None
        found = store.credentials(connection, *home)
    assert passwords.matches(found.password_hash, added.stdout.strip())
    assert found.password_change
    assert books.rows(engine_db, "SELECT what, who LIKE 'command:%' FROM acts") == [("official-added", True)]


def test_a_provinces_official_is_of_the_province(run: Run) -> None:
    run("officials", "add", "jiang.ning", "--city", "320000", "--name", "江宁", "--by", "省厅")

    assert "jiang.ning  江宁  省级" in run("officials", "list", "--city", "320000").output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--city", "320100", "--role", "auditor", "--role", "finance"], "审计只读"),
        (["--city", "329900"], "没有代码为 329900 的城市"),
        (["--city", "320102"], "没有代码为 320102 的城市"),
        (["--city", "320100", "--role", "fleet", "--district", "320505"], "不是本市的区县"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, more: list[str], said: str) -> None:
    refused = run("officials", "add", "x.y", "--name", "某人", *more)

    assert refused.exit_code == 1 or refused.exception is not None
    assert said in refused.output or said in str(getattr(refused.exception, "sentence_zh", ""))
