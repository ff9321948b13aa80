"""A full disk refuses loudly: nothing beeps that is not kept, nothing kept is lost, and a sale goes on once there is room."""

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_bridge.wire.messages import decode_basket
from scanner import agent
from scanner.outbox import Limits, Outbox
from scanner.outbox_file import OutboxUnusable, open_outbox
from scanner.settings import Settings
from scanner.sources.model import CodeSeen, FinishSeen
from tests.scanner.till.scene import Shop
from tests.scanner.till.test_till import TestClock, Watcher, clock, new_till, watcher

__all__ = ["clock", "new_till", "watcher"]
LIMITS = Limits(baskets_max=10_000, size_max_bytes=10**9)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """512 KiB in memory, filled by a file that can be taken away."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def short_files(_folder: Path) -> Iterator[None]:
    """No file of this process may grow past 256 KiB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def give_room(folder: Path) -> None:
    (folder / "ballast").unlink(missing_ok=True)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture(params=[small_disk, short_files])
def full_soon(request: pytest.FixtureRequest, shop: Shop) -> Iterator[Path]:
    with request.param(shop.folder):
        # The mount hides what the shop was furnished with.
        fresh = Shop.furnish(shop.folder)
        shop.till_key, shop.city_key, shop.receipt_key = fresh.till_key, fresh.city_key, fresh.receipt_key
        (shop.folder / "ballast").write_bytes(bytes(200 * 1024))
        yield shop.folder


@pytest.fixture
def outbox(full_soon: Path) -> Iterator[Outbox]:
    opened = open_outbox(full_soon / "outbox.sqlite", LIMITS, random_stream=b"\1" * 16, now_ts=1).outbox
    yield opened
    opened.close()


def label(number: int) -> CodeSeen:
    return CodeSeen(code=f"{number}-".ljust(1_500, "x"), symbology="QRCODE", mono_ms=1_000, src="test")


def test_a_disk_that_fills_refuses_what_it_cannot_keep(
    full_soon: Path, outbox: Outbox, new_till: Callable[[], object], watcher: Watcher, clock: TestClock
) -> None:
    till = new_till()
    number = 0
    while not watcher.of("refused"):
        number += 1
        assert number < 500
        till.take(FinishSeen() if number % 4 == 0 else label(number))
    refused = {notice.facts["reason"] for notice, _ in watcher.of("refused")}

    give_room(full_soon)
    till.take(FinishSeen())
    till.take(label(501))
    till.take(FinishSeen())

    beeped = [notice.facts["code"] for notice, _ in watcher.of("read")]
    kept = [read.code for row in outbox.after(0, 10_000) for read in decode_basket(row.line).reads]
    assert refused == {"outbox_unwritable"}
    assert kept == beeped
    assert beeped[-1] == label(501).code


def test_a_till_that_cannot_open_its_outbox_says_so_and_leaves_the_file_alone(
    shop: Shop, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shop.folder / "outbox.sqlite"
    open_outbox(path, LIMITS, random_stream=b"\1" * 16, now_ts=1).outbox.close()
    whole = path.read_bytes()
    # Where the journal should be is something that is no file: as little can be written as on a disk without room.
    (shop.folder / "outbox.sqlite-wal").mkdir()

    with pytest.raises(OutboxUnusable) as refusal:
        open_outbox(path, LIMITS, random_stream=b"\2" * 16, now_ts=9)

    assert str(path) in refusal.value.sentence_zh
    assert settings.outbox_path == path
    assert agent.main([]) == 2
    assert "不能启动" in capsys.readouterr().err
    shutil.rmtree(shop.folder / "outbox.sqlite-wal")
    again = open_outbox(path, LIMITS, random_stream=b"\2" * 16, now_ts=9)
    assert (again.set_aside, again.outbox.stream) == (None, "01" * 16)
    again.outbox.close()
    assert path.read_bytes()[:16] == whole[:16]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutboxUnusable, match="not start"):
        open_outbox(tmp_path / "file" / "outbox.sqlite", LIMITS, random_stream=b"\1" * 16, now_ts=1)
