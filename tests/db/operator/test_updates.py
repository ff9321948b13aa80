"""An operator begins a repository, publishes a release and offers it; a real till of the other side believes it."""

import json
import stat
from pathlib import Path

import pytest

from firmware_bridge.wire.jobs import JobReport, UpdateState
from tests.db.operator.typed import Run, done, listed, refused
from tests.scanner.update.supply import Supply, furnish, machine, offer, wheel, work
from tests.worlds.city import NANJING

ROLES = ("root", "targets", "online")


@pytest.fixture
def repository(run: Run, tmp_path: Path) -> Path:
    done(run("updates", "init", "--repository", str(tmp_path / "repository"), "--keys", str(tmp_path / "keys")))
    return tmp_path / "repository"


def publish(run: Run, repository: Path, version: str = "2.0", **changes: str) -> str:
    keys, wheels = repository.parent / "keys", repository.parent / f"wheels-{version}"
    wheel(wheels, version, "")
    options = {
        "repository": str(repository),
        "target": f"till-{version}.tar",
        "version": version,
        "hardware": "pi4",
        "wheels": str(wheels),
        "targets-key": str(keys / "targets.pem"),
        "online-key": str(keys / "online.pem"),
        **changes,
    }
    result = run("updates", "publish", *[word for name, value in options.items() for word in (f"--{name}", value)])
    if changes:
        return refused(result).code
    return done(result)


def test_a_repository_is_begun_with_keys_that_only_their_owner_reads(run: Run, repository: Path) -> None:
    keys = repository.parent / "keys"

    assert {stat.S_IMODE((keys / f"{role}.pem").stat().st_mode) for role in ROLES} == {0o600}
    again = run("updates", "init", "--repository", str(repository), "--keys", str(keys))
    assert refused(again).code == "update-repository-exists"


def test_what_is_published_is_what_a_till_believes_and_installs(run: Run, repository: Path, tmp_path: Path) -> None:
    assert publish(run, repository).startswith("已发布 till-2.0.tar（2.0）")
    done(
        run(
            "updates", "refresh", "--repository", str(repository), "--online-key", str(tmp_path / "keys" / "online.pem")
        )
    )
    told: list[JobReport] = []
    (tmp_path / "root.json").write_bytes((repository / "metadata" / "1.root.json").read_bytes())
    supply = Supply(repository, None)  # type: ignore[arg-type]  # it signs nothing here

    with supply.served():
        till = machine(furnish(tmp_path / "slots"), supply, told)
        till.take(offer())
        work(till)

    assert told[-1].state is UpdateState.STAGED


def test_a_repository_is_renewed_by_its_own_root_alone(run: Run, repository: Path, tmp_path: Path) -> None:
    keys, other = str(tmp_path / "keys"), str(tmp_path / "other")
    stranger = tmp_path / "stranger"
    done(run("updates", "init", "--repository", str(stranger), "--keys", str(tmp_path / "stranger-keys")))

    assert "2.root.json" in done(run("updates", "renew", "--repository", str(repository), "--keys", keys))
    changed = done(run("updates", "renew", "--repository", str(repository), "--keys", keys, "--new-keys", other))
    refusal = refused(
        run("updates", "renew", "--repository", str(repository), "--keys", str(tmp_path / "stranger-keys"))
    )

    assert "3.root.json" in changed
    assert refusal.code == "update-key-not-of-role"
    online = str(tmp_path / "other" / "online.pem")
    done(run("updates", "refresh", "--repository", str(repository), "--online-key", online))


def test_a_key_of_another_role_publishes_nothing(run: Run, repository: Path) -> None:
    keys = repository.parent / "keys"
    before = sorted(path.name for path in (repository / "metadata").iterdir())

    assert publish(run, repository, **{"targets-key": str(keys / "online.pem")}) == "update-key-not-of-role"
    assert publish(run, repository, **{"online-key": str(keys / "targets.pem")}) == "update-key-not-of-role"
    assert publish(run, repository, **{"min-version": "two"}) == "release-refused"
    assert publish(run, repository, wheels=str(keys)) == "wheels-unusable"
    assert sorted(path.name for path in (repository / "metadata").iterdir()) == before


def test_a_target_never_changes_its_content(run: Run, repository: Path) -> None:
    publish(run, repository)
    publish(run, repository)  # the very same again

    wheel(repository.parent / "wheels-2.0", "2.0", "print('other')")
    keys = repository.parent / "keys"
    result = run(
        *("updates", "publish", "--repository", str(repository), "--target", "till-2.0.tar", "--version", "2.0"),
        *("--hardware", "pi4", "--wheels", str(repository.parent / "wheels-2.0")),
        *("--targets-key", str(keys / "targets.pem"), "--online-key", str(keys / "online.pem")),
    )

    assert refused(result).code == "update-target-exists"


def test_a_folder_that_is_no_repository_is_refused(run: Run, repository: Path, tmp_path: Path) -> None:
    key = str(tmp_path / "keys" / "online.pem")
    assert refused(run("updates", "refresh", "--repository", str(tmp_path), "--online-key", key)).code == (
        "update-repository-unusable"
    )
    (repository / "metadata" / "timestamp.json").write_text("{")
    assert refused(run("updates", "refresh", "--repository", str(repository), "--online-key", key)).code == (
        "update-repository-unusable"
    )


def test_a_rollout_is_offered_shown_held_and_ended(run: Run) -> None:
    options = ("--target", "till-2.0.tar", "--version", "2.0", "--hardware", "pi4", "--hardware", "pi5", "--by", "Li")
    made = json.loads(done(run("updates", "offer", "--city", NANJING, *options, "--json")))
    which = (made["rollout"], "--city", NANJING)
    assert (made["hardware"], made["soak_h"], made["deadline_h"]) == (["pi4", "pi5"], 24, 72)
    assert refused(run("updates", "offer", "--city", NANJING, *options)).code == "rollout-under-way"

    assert "已暂停" in done(run("updates", "pause", *which, "--reason", "节假日"))
    assert "进行中" in done(run("updates", "resume", *which, "--reason", "节后"))
    assert "已中止" in done(run("updates", "abort", *which, "--reason", "有误"))

    assert refused(run("updates", "pause", *which, "--reason", "x")).code == "rollout-not-at-that-point"
    assert [one["state"] for one in listed(run, "updates", "--city", NANJING)] == ["aborted"]
    assert "已中止（有误）" in done(run("updates", "show", *which))
    assert json.loads(done(run("updates", "show", *which, "--json")))["devices"] == []
    assert "2.0  已中止（有误）" in done(run("updates", "list", "--city", NANJING))
    assert refused(run("updates", "show", made["rollout"], "--city", "320500")).code == "rollout-unknown"
