"""Starts the till: of the slot on trial while one is, else of the last good slot.

`python3 launch.py SLOTS [ARGUMENT...]`. Standard library only: a copy of this file stands outside the slots, and no
update replaces it. What it reads and writes in SLOTS is therefore only ever added to:

`a`, `b`        the slots; `ready.json` in one says that it is whole
`current`       a link to the last good slot; only a till that proved its health moves it, to its own slot
`trial.json`    what is on trial: `slot`, `tries`, `health_s` (seconds from a start to health), `failures`, `reboots`,
                `started` (id of the boot in which a start has not ended); moving `current` commits, deleting it ends it
`failed.json`   the last trial that failed

Only a start that ends, or hangs, without health is a failure. A machine that went down during a start says nothing of the
slot, unless it does so again and again. The last good slot is never counted, so there always is one to start.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAMES = ("a", "b")
CURRENT, READY, TRIAL, FAILED = "current", "ready.json", "trial.json", "failed.json"
AGAIN = 75
"""The exit code of a till that has begun a trial."""
REBOOTS_MAX = 10
"""During one trial. A machine that goes down more often is taken down by the slot."""
EXIT_NOT_HEALTHY, EXIT_NOTHING_TO_START = 1, 2
DYING_S = 10.0
_PR_SET_PDEATHSIG = 1

Trial = dict[str, Any]


class Launcher:
    def __init__(self, slots: Path, arguments: Sequence[str]) -> None:
        self._slots = slots
        self._arguments = arguments
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """One start, to its end; whoever runs this program (systemd, by `Restart=always`) runs it again."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            trial = settle(self._slots)
            if trial is not None:
                save(self._slots / TRIAL, {**trial, "started": boot_id()})
        except OSError:
            trial = None  # a disk that takes nothing: the trial has to wait, the good slot needs no writing
        code = self._start_good() if trial is None else self._try(trial)
        return EXIT_NOT_HEALTHY if code is None else code

    def _start_good(self) -> int | None:
        slot = good_slot(self._slots)
        if slot is None:
            sys.stderr.write("没有可启动的程序，请重新安装。\nNo slot can be started; install the till again.\n")
            return EXIT_NOTHING_TO_START
        return self._wait(slot, None)

    def _try(self, trial: Trial) -> int | None:
        """A start that ends without health counts; what was stopped on purpose does not."""
        if not is_startable(self._slots / trial["slot"]):
            self._record(trial, "not startable")
            return None
        code = self._wait(trial["slot"], trial["health_s"])
        if current(self._slots) == trial["slot"]:
            return code
        if self._stopping:
            self._record(trial)
            return 0
        self._record(trial, "no health in time" if code is None else f"exit {code}")
        return code

    def _record(self, trial: Trial, *failures: str) -> None:
        """Where the disk does not take it, the start that seems to go on is counted at the next one."""
        with contextlib.suppress(OSError):
            changed = {"started": None, "failures": [*trial["failures"], *failures]}
            save(self._slots / TRIAL, {**trial, **changed})

    def _wait(self, slot: str, health_s: float | None) -> int | None:
        """The till's exit code; None when it was ended because it was not healthy in time."""
        environment = {**os.environ, "GREENPOINTS_TILL_SLOT": slot, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("WATCHDOG_PID", None)  # it names this process, and the till is the one that answers
        command = [str(program(self._slots / slot)), "-m", "scanner", "run", *self._arguments]
        self._child = child = subprocess.Popen(command, env=environment, preexec_fn=_die_with_parent)  # noqa: S603, PLW1509
        if self._stopping:
            child.terminate()
        try:
            return child.wait(health_s)
        except subprocess.TimeoutExpired:
            if current(self._slots) == slot:
                return child.wait()
        _end(child)
        return None

    def _stop(self, *_: object) -> None:
        self._stopping = True
        if self._child is not None:
            self._child.terminate()


def settle(slots: Path) -> Trial | None:
    """The trial that goes on, after what the last run left unsaid: a start that never ended, a commit cut in the middle."""
    trial = read_trial(slots)
    if trial is None:
        return None
    if trial["slot"] == current(slots):
        remove(slots / TRIAL)
        return None
    if trial["started"] is not None:
        if trial["started"] == boot_id():
            trial["failures"].append("killed")
        else:
            trial["reboots"] += 1
        trial["started"] = None
        save(slots / TRIAL, trial)
    if len(trial["failures"]) >= trial["tries"] or trial["reboots"] > REBOOTS_MAX:
        move(slots / TRIAL, slots / FAILED)
        return None
    return trial


def read_trial(slots: Path) -> Trial | None:
    """None when there is none. One that cannot be understood has failed: the good slot is started."""
    try:
        trial = json.loads((slots / TRIAL).read_bytes())
        understood = (
            trial["slot"] in NAMES
            and isinstance(trial["tries"], int)
            and isinstance(trial["health_s"], int | float)
            and isinstance(trial["failures"], list)
            and isinstance(trial["reboots"], int)
            and isinstance(trial["started"], str | None)
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        understood = False
    if not understood:
        move(slots / TRIAL, slots / FAILED)
        return None
    found: Trial = trial
    return found


def current(slots: Path) -> str | None:
    try:
        name = str((slots / CURRENT).readlink())
    except OSError:
        return None
    return name if name in NAMES else None


def good_slot(slots: Path) -> str | None:
    """The last good slot; where it is gone or the link is, any whole one: a shop without a till helps nobody."""
    return next((name for name in (current(slots), *NAMES) if name and is_startable(slots / name)), None)


def is_startable(slot: Path) -> bool:
    return (slot / READY).is_file() and os.access(program(slot), os.X_OK)


def program(slot: Path) -> Path:
    return slot / "venv" / "bin" / "python"


def boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def save(path: Path, fields: dict[str, Any]) -> None:
    """On disk when it returns; a power cut leaves the old content or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(json.dumps(fields, ensure_ascii=False).encode())
        file.flush()
        os.fsync(file.fileno())
    move(fresh, path)


def point(link: Path, name: str) -> None:
    """Makes `link` a link to `name`, as `save` writes a file."""
    fresh = link.with_name(link.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(name)
    move(fresh, link)


def move(source: Path, target: Path) -> None:
    source.replace(target)
    sync_folder(target.parent)


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A name that was made, moved or removed in `folder` is on disk when it returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(DYING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _die_with_parent() -> None:
    """Two tills must never share an outbox: one whose launcher was killed goes with it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(Launcher(Path(sys.argv[1]), sys.argv[2:]).run())
