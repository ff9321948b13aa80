"""`python -m tests.scanner.update.crashing FOLDER URL ROOT`: kills the update at every single change of the disk.

A till is offered an update and goes its whole way: fetched, built, tried, kept. In the k-th life the process is killed just
before its k-th change of a file, link or folder; then it is started again, as the launcher would start it, until the update has
ended. Prints one JSON line a life.
"""

import json
import mmap
import os
import shutil
import signal
import struct
import sys
from pathlib import Path

from firmware_bridge.wire.jobs import JobReport, UpdateState
from scanner import launch
from scanner.update.machine import Machine
from scanner.update.repository import Repository
from scanner.update.slots import Slots
from tests.scanner.update.supply import HARDWARE, fingerprint, furnish, install_script, offer, work

CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.truncate"})
STARTS_MAX = 6
LIVES_MAX = 500
KILLED, ENDED, AGAIN = -signal.SIGKILL, 0, launch.AGAIN


class Killer:
    """An audit hook sees what Python is about to do, so nothing of ours has to be changed to be killed in between."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._left = mmap.mmap(-1, 8)
        self.after(-1)
        sys.addaudithook(self._see)

    def after(self, changes: int) -> None:
        """Kills whoever makes the next change but so many, over all starts; never when negative."""
        self._left[:] = struct.pack("q", changes)

    def _see(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" and event not in CHANGES:
            return
        (left,) = struct.unpack("q", self._left[:])
        # Names without a folder are of a tree that is being deleted; what lies elsewhere is none of ours.
        if left < 0 or ("/" in str(arguments[0]) and not str(arguments[0]).startswith(self._folder)):
            return
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        if event in CHANGES or writes:
            self.after(left - 1)
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def live(slots: Path, supply_url: str, root: Path) -> int:
    """One start of whichever slot the launcher would start: AGAIN when it wants another, ENDED when the update has."""
    trial = launch.settle(slots)
    slot = launch.good_slot(slots) if trial is None else trial["slot"]
    assert slot is not None, "no slot can be started"
    assert launch.is_startable(slots / slot), "half a slot would be started"
    told: list[JobReport] = []
    machine = Machine(
        Slots(slots, slot),
        Repository(supply_url, root, slots / "metadata", None),
        install_script(),
        told.append,
        hardware=HARDWARE,
        release="1.0",
        trial_s=5,
    )
    machine.resume()
    if machine.on_trial:
        machine.keep()
    else:
        machine.take(offer())
        work(machine)
        if machine.begin_trial():
            return AGAIN
    assert told[-1].state is UpdateState.COMMITTED, told
    return ENDED


def start(slots: Path, url: str, root: Path) -> int:
    child = os.fork()
    if child == 0:
        os._exit(live(slots, url, root))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main(folder: Path, url: str, root: Path) -> None:
    os.sync = os.fsync = lambda *_: None  # a process that is killed needs neither, and a hundred lives cannot wait
    killer = Killer(folder)
    warm = furnish(folder / "warm")
    while live(warm, url, root) != ENDED:  # what libraries import on first use is then there in every child
        pass
    for kill_at in range(LIVES_MAX):
        slots = furnish(folder / str(kill_at))
        before = fingerprint(slots / "a")
        killer.after(kill_at)
        codes: list[int] = []
        while len(codes) < STARTS_MAX and codes[-1:] != [ENDED]:
            codes.append(start(slots, url, root))
        killer.after(-1)
        life = {
            "kill_at": kill_at,
            "codes": codes,
            "current": launch.current(slots),
            "trial": (slots / "trial.json").exists(),
            "good_untouched": fingerprint(slots / "a") == before,
            "left_over": sorted(path.name for path in slots.iterdir()),
        }
        print(json.dumps(life), flush=True)
        shutil.rmtree(slots)
        if KILLED not in codes:
            break


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
