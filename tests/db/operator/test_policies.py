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


@pytest.mark.parametrize("city", [[], ["--city", NANJING]])
def test_the_command_lists_everything_and_ends_in_refusal_when_something_must_be_mended(
    run: Run, tmp_path: Path, city: list[str]
) -> None:
    faulty, good = tmp_path / "faulty.json", tmp_path / "good.json"
    faulty.write_text(rules.text_of(rules.document()))
    good.write_text(rules.text_of(sound()))

    refused = run("policies", "lint", str(faulty), *city, "--json")
    passed = run("policies", "lint", str(good), *city)

    assert refused.exit_code == 1
    assert ("no_person_cap", "blocker") in {(one["code"], one["severity"]) for one in json.loads(refused.stdout)}
    assert "须改 0 处" in done(passed)
    assert "[no_expiry]" in passed.stdout


def drafted(run: Run, file: Path, *more: str) -> dict[str, object]:
    made: dict[str, object] = json.loads(
        done(run("policies", "draft", str(file), "--city", NANJING, "--by", "王处长", "--json", *more))
    )
    return made


def test_a_draft_goes_its_way_by_commands(run: Run, policy_file: Path) -> None:
    city = ("--city", NANJING)
    first = drafted(run, policy_file)
    policy_file.write_text(rules.text_of(sound(6_000)))
    draft = drafted(run, policy_file, "--draft", str(first["draft"]), "--revision", "1")
    name, digest = str(draft["draft"]), str(draft["sha256"])

    assert done(run("policies", "show", "--draft", name, *city)) == policy_file.read_text()
    assert "待复核" in done(run("policies", "submit", name, *city, "--by", "王处长"))
    judged = ("--by", "李局长", "--reason", "再核一次")
    assert "已退回" in done(run("policies", "reject", name, *city, *judged))
    again = drafted(run, policy_file, "--draft", name, "--revision", "4")
    assert again["revision"] == 5
    done(run("policies", "submit", name, *city, "--by", "王处长"))
    approve = ("policies", "approve", name, *city, "--sha256", digest[:14])
    assert refused(run(*approve, "--by", "王 处长", "--reason", "x")).code == "approver-is-author"
    assert refused(run(*approve, *judged)).code == "policy-preview-missing"
    assert refused(run("policies", "preview", "--draft", name, "--kept", *city)).code == "policy-preview-missing"
    seen = json.loads(done(run("policies", "preview", "--draft", name, *city, "--workers", "1", "--json")))
    shown = done(run("policies", "preview", "--draft", name, "--kept", *city))
    assert shown.splitlines()[-1] == f"SHA-256 {seen['sha256']}"
    assert refused(run(*approve, *judged)).code == "approval-of-another-text"
    published = done(run(*approve, "--preview-sha256", seen["sha256"][:12], *judged))

    assert "已批准并发布第 1 版，拨付 6000 分" in published
    assert refused(run("policies", "withdraw", name, *city, "--by", "王处长")).code == "policy-draft-state"
    status = json.loads(done(run("policies", "status", *city, "--json")))
    assert [(one["state"], one["approver"]) for one in status["drafts"]] == [("approved", "李局长")]


def test_a_policy_is_suspended_resumed_and_ended_by_commands(run: Run, policy_file: Path) -> None:
    publish(run, policy_file)
    said = ("--city", NANJING, "--notice", "核查期间暂停发放", "--reason", "价格异常", "--by", "王处长")

    assert "立即暂停，已暂停" in done(run("policies", "suspend", "green", *said))
    assert "自 2099-01-01 00:00:00 起恢复" in done(run("policies", "resume", "green", *said, "--from", "2099-01-01"))
    assert refused(run("policies", "end", "green", *said, "--from", "2098-01-01")).code == "suspension-backdated"
    assert "已终止" in done(run("policies", "end", "green", *said, "--from", "2099-02-01"))
    lines = done(run("policies", "status", "--city", NANJING, "--policy", "green"))
    assert "自 2099-02-01 00:00:00 起终止：核查期间暂停发放（王处长，价格异常）" in lines


def test_one_person_does_not_publish_alone(run: Run, policy_file: Path) -> None:
    assert refused(publish(run, policy_file, approver="王 处长")).code == "approver-is-author"
    assert publish(run, policy_file, "--bogus").exit_code == 2
    assert listed(run, "policies", "--city", NANJING) == []


def test_what_must_be_mended_is_not_published(run: Run, policy_file: Path) -> None:
    policy_file.write_text(rules.text_of(rules.document()))

    blocked = refused(publish(run, policy_file))

    assert (blocked.code, blocked.facts["count"]) == ("policy-blocked", 1)
