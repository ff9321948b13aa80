"""A policy is published once, whole, with its budget; a faulty one not at all."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from backend.cli.main import program
from backend.storage.transaction import Database
from tests.db.operator.typed import Run, done, listed, refused
from tests.worlds import rules
from tests.worlds.city import NANJING, SUZHOU


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    path.write_text(rules.text_of(sound()))
    return path


def sound(budget: int = 5_000) -> dict[str, object]:
    return rules.document(budget=budget, caps=[rules.cap("day", "day", 100)])


def publish(run: Run, file: Path, *more: str, approver: str = "李局长") -> Result:
    who = ("--by", "王处长", "--approved-by", approver)
    return run("policies", "publish", str(file), "--city", NANJING, *who, *more)


def balances(engine_db: Database) -> dict[str, int]:
    with engine_db.read() as connection:
        rows = connection.execute(text("SELECT account, balance FROM accounts WHERE city = :city"), {"city": NANJING})
        return {row.account: row.balance for row in rows}


def test_publishing_twice_is_publishing_once(run: Run, policy_file: Path, engine_db: Database) -> None:
    first = json.loads(done(publish(run, policy_file, "--json")))
    second = json.loads(done(publish(run, policy_file, "--json")))

    assert (first["version_no"], first["grants"], first["new"]) == (1, {"points": 5_000}, True)
    assert (second["version_no"], second["grants"], second["new"]) == (1, {}, False)
    assert "此文本即第 1 版，无需再发布" in done(publish(run, policy_file))
    (version,) = listed(run, "policies", "--city", NANJING)
    assert (version["document_number"], version["published_by"]) == ("宁绿〔2026〕1号", "王处长")
    assert balances(engine_db)["budget:green:points"] == 5_000


def test_a_rehearsed_publication_publishes_nothing(run: Run, policy_file: Path, engine_db: Database) -> None:
    assert "将发布第 1 版" in done(publish(run, policy_file, "--dry-run"))

    assert listed(run, "policies", "--city", NANJING) == []
    assert balances(engine_db) == {}


def test_a_published_text_is_shown_to_the_byte(run: Run, policy_file: Path) -> None:
    publish(run, policy_file)

    assert done(run("policies", "show", "green", "--city", NANJING)) == policy_file.read_text()
    assert run("policies", "show", "green", "--city", SUZHOU).exit_code == 1
    assert run("policies", "show", "green", "--city", NANJING, "--number", "2").exit_code == 1


def test_another_text_from_the_same_moment_is_refused(run: Run, policy_file: Path, engine_db: Database) -> None:
    publish(run, policy_file)
    policy_file.write_text(rules.text_of(sound(9_000)))

    assert refused(publish(run, policy_file)).code == "policy-version-exists"
    assert balances(engine_db)["budget:green:points"] == 5_000


@pytest.mark.parametrize("verb", ["check", "publish"])
def test_a_faulty_document_is_refused_with_every_fault(run: Run, policy_file: Path, verb: str) -> None:
    faulty = rules.document(budget=0, ends="2025-01-01T00:00:00+08:00")
    policy_file.write_text(rules.text_of({**faulty, "caps": [], "colour": "green"}))

    result = publish(run, policy_file) if verb == "publish" else run("policies", "check", str(policy_file))

    refusal = refused(result)
    assert refusal.code == "policy-refused"
    faults = refusal.facts["faults"]
    assert isinstance(faults, dict)
    assert {"budget.amount", "caps", "colour"} <= faults.keys()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"{", b'{"policy": 1.5}', b"{}"])
def test_a_file_that_is_no_document_is_refused(run: Run, policy_file: Path, content: bytes) -> None:
    policy_file.write_bytes(content)

    assert refused(run("policies", "check", str(policy_file))).code == "policy-refused"
    assert refused(publish(run, policy_file)).code == "policy-refused"


def test_a_sound_document_is_said_to_be_sound_without_a_database(policy_file: Path) -> None:
    result = CliRunner(env={"DATABASE_URL": None}).invoke(program, ["policies", "check", str(policy_file)])

    assert "1 条规则，1 个上限" in done(result)
