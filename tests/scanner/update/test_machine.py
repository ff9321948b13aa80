"""An offer through its states, against a repository that is really signed and served: what is refused, and what goes on."""

import errno
import shutil
from pathlib import Path

import pytest

from backend.adapters import update_repository
from backend.adapters.update_repository import KeyNotOfRole
from firmware_bridge.wire.jobs import Cancelled, JobReport, UpdateState
from scanner import launch
from scanner.update.machine import Machine
from scanner.update.repository import RepositoryAway
from tests.scanner.update.supply import (
    OTHER_ROLLOUT,
    ROLLOUT,
    Supply,
    bundle,
    days_ago,
    fill,
    fingerprint,
    machine,
    offer,
    tamper,
    work,
)


@pytest.fixture
def told() -> list[JobReport]:
    return []


@pytest.fixture
def till(slots: Path, supply: Supply, told: list[JobReport]) -> Machine:
    return machine(slots, supply, told)


def outcome(told: list[JobReport]) -> tuple[UpdateState, str | None]:
    return told[-1].state, told[-1].reason


def states(told: list[JobReport]) -> list[UpdateState]:
    return list(dict.fromkeys(report.state for report in told))


def test_an_offer_is_fetched_checked_and_built_in_the_slot_that_does_not_run(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    before = fingerprint(slots / "a")

    till.take(supply.publish(bundle(tmp_path)))
    work(till)

    assert states(told) == [UpdateState.OFFERED, UpdateState.DOWNLOADING, UpdateState.VERIFIED, UpdateState.STAGED]
    assert launch.is_startable(slots / "b")
    assert launch.current(slots) == "a"
    assert fingerprint(slots / "a") == before


def test_a_trial_begins_only_with_what_is_staged_and_moves_nothing_yet(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    assert not till.begin_trial()
    till.take(supply.publish(bundle(tmp_path)))
    work(till)

    assert till.begin_trial()

    trial = launch.settle(slots)
    assert trial is not None
    assert (trial["slot"], trial["tries"], trial["health_s"], trial["rollout"]) == ("b", 3, 5, ROLLOUT)
    assert launch.current(slots) == "a"
    assert not till.begin_trial()


def test_a_slot_that_is_healthy_becomes_the_good_one(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    work(till)
    till.begin_trial()

    on_trial = machine(slots, supply, told, running="b")
    on_trial.resume()
    on_trial.keep()

    assert (launch.current(slots), launch.settle(slots)) == ("b", None)
    assert outcome(told) == (UpdateState.COMMITTED, None)
    assert told[-1].version == "2.0"


def test_after_a_failed_trial_the_till_says_why_and_the_same_offer_is_not_tried_again(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    offered = supply.publish(bundle(tmp_path))
    till.take(offered)
    work(till)
    till.begin_trial()
    trial = launch.settle(slots)
    assert trial is not None
    launch.save(slots / "trial.json", {**trial, "failures": ["exit 1", "exit 1", "no health in time"]})
    assert launch.settle(slots) is None

    again = machine(slots, supply, told)
    again.resume()
    again.take(offered)
    work(again)

    assert outcome(told) == (UpdateState.ROLLED_BACK, "no_health_in_time")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_that_were_changed_after_signing_are_refused(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path, role: str
) -> None:
    offered = supply.publish(bundle(tmp_path))
    newest = max((supply.folder / "metadata").glob(f"*{role}.json"))
    tamper(newest, expires="2099-01-01T00:00:00Z")

    till.take(offered)
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "signature_invalid")


def test_targets_signed_by_another_key_are_refused(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    """Whoever holds the server and the online key can offer nothing that the offline key did not sign."""
    stranger = Supply.make(tmp_path / "stranger")
    offered = stranger.publish(bundle(tmp_path))
    shutil.copytree(stranger.folder / "metadata", supply.folder / "metadata", dirs_exist_ok=True)
    (supply.folder / "metadata" / "1.root.json").write_bytes(supply.root.read_bytes())

    till.take(offered)
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "signature_invalid")
    assert not (slots / "b").exists()


def test_an_older_state_of_the_repository_is_refused_once_a_newer_one_was_seen(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    first = supply.publish(bundle(tmp_path))
    shutil.copytree(supply.folder, tmp_path / "old")
    newer = supply.publish(bundle(tmp_path, "3.0"), "3.0")
    till.take(newer)
    work(till)
    assert outcome(told)[0] is UpdateState.STAGED
    shutil.rmtree(supply.folder)
    shutil.copytree(tmp_path / "old", supply.folder)

    till.take(offer(OTHER_ROLLOUT, first.target, first.version))
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "metadata_rolled_back")


def test_a_till_follows_the_repository_to_other_keys_and_believes_the_old_ones_no_more(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    """It knows the first root only; every key was changed since, twice."""
    for name in ("second", "third"):
        new = Supply.make(tmp_path / name).keys
        update_repository.renew(supply.folder, supply.keys, new, days_ago(0))
        old, supply.keys = supply.keys, new
    offered = supply.publish(bundle(tmp_path))
    with pytest.raises(KeyNotOfRole):
        update_repository.refresh(supply.folder, old.online, days_ago(0))

    till.take(offered)
    work(till)

    assert outcome(told) == (UpdateState.STAGED, None)


def test_a_root_that_the_former_one_did_not_sign_is_refused(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    stranger = Supply.make(tmp_path / "stranger")
    update_repository.renew(stranger.folder, stranger.keys, stranger.keys, days_ago(0))
    offered = supply.publish(bundle(tmp_path))
    shutil.copy(stranger.folder / "metadata" / "2.root.json", supply.folder / "metadata")

    till.take(offered)
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "signature_invalid")


def test_metadata_that_have_expired_are_waited_for_not_believed(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    offered = supply.publish(bundle(tmp_path), now=days_ago(15))
    till.take(offered)
    with pytest.raises(RepositoryAway):
        till.step()
    assert outcome(told) == (UpdateState.OFFERED, "metadata_expired")

    update_repository.refresh(supply.folder, supply.keys.online, days_ago(0))
    work(till)

    assert outcome(told) == (UpdateState.STAGED, None)


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        ({"hardware": ("pi5",)}, "wrong_hardware"),
        ({"version": "1.0"}, "not_newer"),
        ({"version": "0.9"}, "not_newer"),
        ({"min_version": "1.0.1"}, "too_old"),
        ({"version": "two"}, "target_unusable"),
        ({"hardware": ()}, "target_unusable"),
    ],
)
def test_what_the_signed_target_is_not_for_is_refused_before_it_is_fetched(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path, signed: dict[str, object], reason: str
) -> None:
    offered = supply.publish(bundle(tmp_path), signed=signed)

    till.take(offered)
    work(till)

    assert outcome(told) == (UpdateState.FAILED, reason)
    assert [path for path, _ in supply.asked if path.startswith("/targets/")] == []


def test_an_offer_for_other_hardware_asks_the_repository_nothing(
    till: Machine, supply: Supply, told: list[JobReport]
) -> None:
    till.take(offer(version="1.0"))
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "not_newer")
    assert supply.asked == []


@pytest.mark.parametrize("change", ["flipped", "longer", "shorter"])
def test_a_target_that_is_not_what_was_signed_is_refused_and_not_kept(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path, change: str
) -> None:
    offered = supply.publish(bundle(tmp_path))
    (target,) = (supply.folder / "targets").iterdir()
    content = target.read_bytes()
    changed = {"flipped": content[:-1] + b"x", "longer": content + b"x", "shorter": content[:-1]}[change]
    target.write_bytes(changed)

    till.take(offered)
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "hash_mismatch")
    assert not list(slots.glob("*.part"))
    assert not (slots / "bundle.tar").exists()


def test_a_download_that_is_cut_goes_on_where_it_stopped(
    till: Machine, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    supply.cut_after += [1_000, 3_000]

    for reason in ("unreachable", "unreachable"):
        with pytest.raises(RepositoryAway):
            till.step()
        assert outcome(told) == (UpdateState.DOWNLOADING, reason)
    work(till)

    ranges = [wanted for path, wanted in supply.asked if path.startswith("/targets/")]
    assert ranges == [None, "bytes=1000-", "bytes=4000-"]
    assert outcome(told) == (UpdateState.STAGED, None)


def test_a_disk_that_fills_while_the_slot_is_built_ends_the_update_and_frees_what_it_took(
    slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    def install(venv: Path, _bundle: Path) -> None:
        (venv / "half").mkdir(parents=True)
        raise OSError(errno.ENOSPC, "No space left on device")

    before = fingerprint(slots / "a")
    till = machine(slots, supply, told, install=install)

    till.take(supply.publish(bundle(tmp_path)))
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "disk_full")
    assert not (slots / "b").exists()
    assert not (slots / "bundle.tar").exists()
    assert fingerprint(slots / "a") == before


def test_a_disk_that_takes_no_note_of_the_job_holds_nothing_up(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    (slots / "job.json.new").mkdir()  # so nothing can be written there, also by root

    till.take(supply.publish(bundle(tmp_path)))
    work(till)

    assert till.begin_trial()
    assert outcome(told) == (UpdateState.TRIAL, None)


def test_a_trial_that_the_disk_does_not_take_is_none(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    work(till)
    (slots / "trial.json.new").mkdir()

    assert not till.begin_trial()
    assert outcome(told) == (UpdateState.FAILED, "disk_error")


def test_a_healthy_slot_is_kept_as_soon_as_the_disk_takes_it(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    work(till)
    till.begin_trial()
    on_trial = machine(slots, supply, told, running="b")
    (slots / "current.new").mkdir()

    assert not on_trial.keep()
    (slots / "current.new").rmdir()
    assert on_trial.keep()

    assert launch.current(slots) == "b"


def test_a_bundle_with_anything_but_wheels_in_it_is_refused(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    import tarfile

    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as tar:
        tar.add(__file__, "../../current")

    till.take(supply.publish(evil))
    work(till)

    assert outcome(told) == (UpdateState.FAILED, "bundle_unusable")
    assert not (slots / "b").exists()


def test_a_rollout_that_was_aborted_is_dropped_but_for_a_trial(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    work(till)
    till.take(Cancelled(OTHER_ROLLOUT))
    assert outcome(told) == (UpdateState.STAGED, None)

    till.take(Cancelled(ROLLOUT))
    assert outcome(told) == (UpdateState.FAILED, "cancelled")
    assert not till.begin_trial()

    till.take(offer(OTHER_ROLLOUT))
    work(till)
    till.begin_trial()
    till.take(Cancelled(OTHER_ROLLOUT))
    assert outcome(told)[0] is UpdateState.TRIAL


def test_a_newer_offer_takes_the_place_of_one_that_waits(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    work(till)
    newer = supply.publish(bundle(tmp_path, "3.0"), "3.0")

    till.take(offer(OTHER_ROLLOUT, newer.target, "3.0"))
    work(till)

    assert (told[-1].rollout, told[-1].state) == (OTHER_ROLLOUT, UpdateState.STAGED)
    assert launch.is_startable(slots / "b")
    assert '"3.0"' in (slots / "b" / "ready.json").read_text()


def test_a_till_that_runs_from_the_only_whole_slot_makes_it_the_good_one(
    slots: Path, supply: Supply, told: list[JobReport]
) -> None:
    """The good slot's disk blocks went bad, so the launcher started the other one: it proves itself as on trial."""
    fill(slots / "b", "exit 0", version="0.9")
    (slots / "a" / "venv" / "bin" / "python").unlink()
    assert launch.good_slot(slots) == "b"

    till = machine(slots, supply, told, running="b")
    assert till.on_trial
    till.keep()

    assert launch.current(slots) == "b"
