"""Killed before every single change of the disk, in every state: a slot always works, and the update always ends."""

import json
import subprocess
import sys
from pathlib import Path

from tests.scanner.till.scene import ROOT
from tests.scanner.update.crashing import ENDED, KILLED
from tests.scanner.update.supply import Supply, bundle


def test_an_update_that_is_killed_anywhere_leaves_a_slot_that_works_and_goes_on(supply: Supply, tmp_path: Path) -> None:
    supply.publish(bundle(tmp_path))
    command = [
        sys.executable,
        "-m",
        "tests.scanner.update.crashing",
        str(tmp_path / "lives"),
        supply.url,
        str(supply.root),
    ]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert ran.returncode == 0, ran.stderr
    lives = [json.loads(line) for line in ran.stdout.splitlines()]
    killed = lives[:-1]
    assert len(killed) > 40
    assert all(life["codes"].count(KILLED) == 1 for life in killed)
    assert KILLED not in lives[-1]["codes"]
    for life in lives:
        assert life["codes"][-1] == ENDED, life
        assert (life["current"], life["trial"], life["good_untouched"]) == ("b", False, True), life
