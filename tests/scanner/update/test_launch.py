"""The launcher as a process, as systemd would run it, before tills that are healthy, die or hang."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scanner import launch
from scanner.update.slots import Slots
from tests.scanner.update.supply import ROLLOUT, fill, fingerprint, furnish

LAUNCHER = Path(launch.__file__)
DIES, HANGS = "exit 7", "exec sleep 60"
# What a healthy till does: it moves the link to its own slot, ends its trial, and goes on until it is stopped.
HEALTHY = 'cd "$SLOTS"; ln -s $GREENPOINTS_TILL_SLOT new; mv -T new current; rm -f trial.json; exec sleep 60'
DIES_GOOD = "exit 9"


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    return furnish(tmp_path / "slots", DIES_GOOD)


def begin(slots: Path, script: str, health_s: float = 5.0) -> None:
    fill(slots / "b", script, version="2.0", rollout=ROLLOUT)
    trial = {"v": 1, "slot": "b", "rollout": ROLLOUT, "tries": 3, "health_s": health_s}
    launch.save(slots / "trial.json", {**trial, "failures": [], "reboots": 0, "started": None})


def start(slots: Path) -> subprocess.Popen[bytes]:
    """Without the packages of any environment: it must need none."""
    command = [sys.executable, "-I", "-S", str(LAUNCHER), str(slots)]
    return subprocess.Popen(command, env={**os.environ, "SLOTS": str(slots)}, stderr=subprocess.DEVNULL)


def run(slots: Path) -> int:
    return start(slots).wait(20)


def failures(slots: Path) -> list[str]:
    trial = launch.read_trial(slots)
    assert trial is not None
    return list(trial["failures"])


def wait_until_started(slots: Path) -> None:
    end_s = time.monotonic() + 10
    while (launch.read_trial(slots) or {}).get("started") is None:
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_the_good_slot_is_started_and_its_exit_code_handed_on(slots: Path) -> None:
    assert [run(slots), run(slots)] == [9, 9]


def test_the_good_slot_is_started_for_ever_however_often_it_dies(slots: Path) -> None:
    before = fingerprint(slots / "a")

    assert {run(slots) for _ in range(5)} == {9}
    assert fingerprint(slots / "a") == before


def test_a_slot_that_dies_is_tried_three_times_and_then_the_good_one_runs_again(slots: Path) -> None:
    begin(slots, DIES)
    before = fingerprint(slots / "a")

    assert [run(slots) for _ in range(5)] == [7, 7, 7, 9, 9]
    assert launch.current(slots) == "a"
    assert not (slots / "trial.json").exists()
    assert (slots / "failed.json").exists()
    assert fingerprint(slots / "a") == before


def test_a_slot_that_hangs_without_health_is_ended_and_counted(slots: Path) -> None:
    begin(slots, HANGS, health_s=0.2)

    assert run(slots) == 1
    assert failures(slots) == ["no health in time"]


def test_a_slot_that_ignores_the_end_is_killed(slots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(
        ["/bin/sh", "-c", "trap '' TERM; echo; while :; do sleep 0.05; done"], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    monkeypatch.setattr(launch, "DYING_S", 0.2)

    launch._end(child)

    assert child.wait(1) == -signal.SIGKILL
    child.stdout.close()


def test_a_healthy_slot_runs_on_past_the_deadline_and_is_the_good_one(slots: Path) -> None:
    begin(slots, HEALTHY, health_s=0.6)

    launcher = start(slots)
    time.sleep(1.2)

    assert launcher.poll() is None
    assert launch.current(slots) == "b"
    launcher.terminate()
    launcher.wait(20)
    assert not (slots / "trial.json").exists()
    assert launch.good_slot(slots) == "b"


def test_a_stop_on_purpose_counts_nothing(slots: Path) -> None:
    begin(slots, HANGS)

    for _ in range(4):
        launcher = start(slots)
        wait_until_started(slots)
        launcher.terminate()
        assert launcher.wait(20) == 0

    assert failures(slots) == []
    trial = launch.settle(slots)
    assert trial is not None
    assert (trial["failures"], trial["reboots"]) == ([], 0)


def test_a_launcher_that_is_killed_takes_its_till_along_and_the_start_counts(slots: Path) -> None:
    begin(slots, f"echo $$ > {slots}/pid; exec sleep 60")
    launcher = start(slots)
    wait_until_started(slots)
    end_s = time.monotonic() + 5
    while not (slots / "pid").exists() or not (slots / "pid").read_text().strip():
        assert time.monotonic() < end_s
        time.sleep(0.01)
    till = int((slots / "pid").read_text())

    launcher.kill()
    launcher.wait()

    while Path(f"/proc/{till}/stat").exists() and Path(f"/proc/{till}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < end_s + 5
        time.sleep(0.01)
    trial = launch.settle(slots)
    assert trial is not None
    assert trial["failures"] == ["killed"]


def test_a_power_cut_during_a_start_counts_nothing_unless_it_comes_every_time(slots: Path) -> None:
    begin(slots, DIES)

    for boot in range(launch.REBOOTS_MAX):
        trial = launch.settle(slots)
        assert trial is not None
        launch.save(slots / "trial.json", {**trial, "started": f"another boot {boot}"})

    trial = launch.settle(slots)
    assert trial is not None
    assert (trial["failures"], trial["reboots"]) == ([], launch.REBOOTS_MAX)
    launch.save(slots / "trial.json", {**trial, "started": "one boot too many"})
    assert launch.settle(slots) is None
    assert launch.good_slot(slots) == "a"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"slot": "../a"}', b'{"slot":"b","tries":"3"}', b"\xff"]
)
def test_a_trial_that_cannot_be_understood_has_failed(slots: Path, content: bytes) -> None:
    fill(slots / "b", DIES, version="2.0")
    (slots / "trial.json").write_bytes(content)

    assert run(slots) == 9
    assert (slots / "failed.json").read_bytes() == content


def test_a_slot_that_is_not_whole_is_not_started(slots: Path) -> None:
    begin(slots, HEALTHY)
    (slots / "b" / "ready.json").unlink()

    assert [run(slots) for _ in range(4)] == [1, 1, 1, 9]
    assert launch.current(slots) == "a"


def test_a_disk_that_takes_nothing_keeps_the_good_slot_running(slots: Path) -> None:
    begin(slots, HEALTHY)
    (slots / "trial.json.new").mkdir()  # so nothing can be written there, also by root

    assert [run(slots), run(slots)] == [9, 9]
    assert launch.current(slots) == "a"

    (slots / "trial.json.new").rmdir()
    (slots / "b" / "venv" / "bin" / "python").write_text(f"#!/bin/sh\nmkdir {slots}/trial.json.new; exit 7\n")
    assert run(slots) == 7
    (slots / "trial.json.new").rmdir()
    assert run(slots) == 7
    assert failures(slots) == ["killed"]


def test_a_commit_that_was_cut_is_one(slots: Path) -> None:
    begin(slots, DIES)
    launch.point(slots / "current", "b")

    assert run(slots) == 7
    assert not (slots / "trial.json").exists()
    assert launch.current(slots) == "b"


def test_without_a_link_any_whole_slot_is_started(slots: Path) -> None:
    (slots / "current").unlink()
    assert run(slots) == 9

    (slots / "a" / "ready.json").unlink()
    assert run(slots) == launch.EXIT_NOTHING_TO_START


def test_the_till_learns_its_slot_and_no_watchdog_of_another_process(slots: Path) -> None:
    (slots / "a" / "venv" / "bin" / "python").write_text(
        '#!/bin/sh\necho "$GREENPOINTS_TILL_SLOT ${WATCHDOG_PID-none} $PYTHONDONTWRITEBYTECODE $*" > "$SLOTS/seen"\n'
    )
    command = [sys.executable, str(LAUNCHER), str(slots), "--events-json"]

    subprocess.run(command, env={**os.environ, "SLOTS": str(slots), "WATCHDOG_PID": "1"}, check=True)

    assert (slots / "seen").read_text() == "a none 1 -m scanner run --events-json\n"


def test_a_slot_that_the_launcher_fell_back_to_waits_for_no_release(slots: Path) -> None:
    fill(slots / "b", DIES, version="2.0", rollout=ROLLOUT)
    (slots / "a" / "ready.json").unlink()

    seen = Slots(slots, "b")

    assert seen.on_trial
    assert seen.staged() is None


@pytest.mark.parametrize("running", ["a", "b"])
def test_a_link_that_is_gone_is_made_again_by_the_till_that_was_started(slots: Path, running: str) -> None:
    fill(slots / "b", DIES, version="2.0", rollout=ROLLOUT)
    (slots / "current").unlink()

    assert Slots(slots, running).good == running


def test_a_slot_on_trial_is_not_the_good_one(slots: Path) -> None:
    begin(slots, HANGS)

    assert Slots(slots, "b").on_trial
    assert launch.current(slots) == "a"
