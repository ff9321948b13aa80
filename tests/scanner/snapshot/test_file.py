"""A snapshot on its disk: whole or not at all, never an older one, and exactly what the server signed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner.clock import SystemClock
from scanner.feedback import Notice
from scanner.settings import read_settings
from scanner.snapshot.file import SnapshotBroken, SnapshotChainBroken, SnapshotFile, SnapshotOlder
from scanner.snapshot.part import snapshot_of
from scanner.snapshot.sayings import UNKNOWN
from scanner.sources.model import CodeSeen
from tests.scanner.snapshot.conftest import DEVICE, FRIDGE, MADE_MS, RICE, USUAL, difference, message
from tests.scanner.till.scene import Shop

CHANGED = {**{key: line for key, line in USUAL.items() if key != f"g:0{RICE}"}, "g:01": '["新商品","one",9]'}
ROOT = Path(__file__).resolve().parents[3]

KILLED = """
import sys, time
from pathlib import Path
from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner.clock import SystemClock
from scanner.feedback import Notice
from scanner.settings import read_settings
from scanner.snapshot.part import snapshot_of
from scanner.snapshot.sayings import UNKNOWN
from scanner.sources.model import CodeSeen
from scanner.snapshot.file import SnapshotFile
from tests.scanner.snapshot.conftest import many, message

LINES = many(10_000)

def slowly():
    for number, line in enumerate(LINES.items()):
        if number == 5_000:
            print("half", flush=True)
            time.sleep(60)
        yield line

said = message(LINES, version=200)
object.__setattr__(said, "lines", type("Slow", (), {"__iter__": lambda self: slowly()})())
SnapshotFile(Path(sys.argv[1]), "nj0001-1").apply(said)
"""


def held(file: SnapshotFile) -> dict[str, str]:
    return dict(file._reading.execute("SELECT key, line FROM lines"))


def test_a_whole_snapshot_replaces_and_a_difference_changes_what_is_held(file: SnapshotFile) -> None:
    assert file.version() is None
    file.apply(message({"g:1": '["旧","x",1]'}, version=99))
    file.apply(message(USUAL, version=100))

    file.apply(message(CHANGED, version=101, after=100, changes=difference(USUAL, CHANGED)))

    assert file.version() == 101
    assert held(file) == CHANGED


def test_an_older_version_and_an_older_word_on_the_same_are_refused(file: SnapshotFile) -> None:
    file.apply(message(USUAL, version=100, checked_at=MADE_MS + 60_000))

    for older in (message(CHANGED, version=99), message(USUAL, version=100, checked_at=MADE_MS)):
        with pytest.raises(SnapshotOlder):
            file.apply(older)

    assert held(file) == USUAL
    file.apply(message(USUAL, version=100, after=100, checked_at=MADE_MS + 120_000, expires_at=MADE_MS + 999_000))
    looked = file.look(f"g:0{FRIDGE}")
    assert looked is not None
    assert looked[0].expires_at == MADE_MS + 999_000


def test_a_difference_that_does_not_follow_or_does_not_come_out_changes_nothing(file: SnapshotFile) -> None:
    changes = difference(USUAL, CHANGED)
    with pytest.raises(SnapshotChainBroken):
        file.apply(message(CHANGED, version=101, after=100, changes=changes))
    file.apply(message(USUAL, version=100))

    for broken in (
        message(CHANGED, version=102, after=101, changes=changes),
        message(CHANGED, version=101, after=100, changes=changes[1:]),
        message(CHANGED, version=101, after=100),
    ):
        with pytest.raises(SnapshotChainBroken):
            file.apply(broken)

    with pytest.raises(SnapshotBroken):
        file.apply(message(USUAL, version=103, sha256="0" * 64))
    assert (file.version(), held(file)) == (100, USUAL)


def test_a_kill_in_the_middle_leaves_the_version_before(path: Path) -> None:
    before = SnapshotFile(path, DEVICE)
    before.apply(message(USUAL, version=100))
    before.close()
    till = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert till.stdout is not None
    assert till.stdout.readline() == b"half\n"

    till.send_signal(signal.SIGKILL)
    till.wait(10)
    till.stdout.close()

    again = SnapshotFile(path, DEVICE)
    assert (again.version(), held(again)) == (100, USUAL)
    again.apply(message(CHANGED, version=101, after=100, changes=difference(USUAL, CHANGED)))
    again.close()


def test_a_read_sees_the_version_before_while_the_next_is_put_in_place(file: SnapshotFile) -> None:
    file.apply(message(USUAL, version=100))
    file._writing.execute("BEGIN IMMEDIATE")
    file._writing.execute("DELETE FROM lines")

    looked = file.look(f"g:0{FRIDGE}")

    file._writing.execute("ROLLBACK")
    assert looked is not None
    assert looked[1] is not None
    assert looked[1].name == "冰箱"


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + bytes(5_000)])
def test_a_broken_file_is_begun_anew(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    file = SnapshotFile(path, DEVICE)

    assert file.version() is None
    file.apply(message(USUAL))
    file.close()


def test_lines_of_a_form_that_is_not_known_are_no_answer(file: SnapshotFile) -> None:
    file.apply(message({"g:1": '{"later":"form"}', "g:2": '["x","gone",1]'}))

    for key in ("g:1", "g:2"):
        with pytest.raises((ValueError, TypeError)):
            file.look(key)
    assert file.look("g:3") is not None
    assert not file._reading.in_transaction


def test_a_snapshot_that_cannot_be_kept_stops_no_till(path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    path.mkdir()
    for name, value in shop.environment(1, SNAPSHOT_PATH=str(path), BACKEND_URL="http://127.0.0.1:1").items():
        if name.startswith("GREENPOINTS_TILL_"):
            monkeypatch.setenv(name, value)
    shown: list[Notice] = []

    part = snapshot_of(read_settings(), SystemClock(), lambda: ClockReport(src=ClockSource.NTP), refuse, shown.append)

    part.start()
    part.stop()
    assert part.teller.tell(CodeSeen(code=FRIDGE, symbology="EAN13", mono_ms=1, src="test")) is UNKNOWN
    assert [notice.facts["state"] for notice in shown] == ["snapshot_unusable"]


def refuse(_signature: bytes, _signed: bytes) -> bool:
    return False


def test_another_tills_snapshot_is_not_this_ones(path: Path) -> None:
    before = SnapshotFile(path, DEVICE)
    before.apply(message(USUAL))
    before.close()

    moved = SnapshotFile(path, "nj0002-1")

    assert moved.version() is None
    assert moved.look(f"g:0{FRIDGE}") is None
    moved.apply(message(USUAL, version=50, dev="nj0002-1"))
    assert moved.version() == 50
    moved.close()
