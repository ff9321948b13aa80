"""The power goes at any moment: every read that beeped is in the outbox afterwards, or the file is set aside loudly."""

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.wire.messages import ClosedBy, Read, decode_basket
from scanner import outbox_file
from scanner.basket import Closing, Moment, OpenBasket, lines
from scanner.outbox import Limits, NewRows, Outbox
from scanner.outbox_file import OpenedOutbox, open_outbox
from scanner.read_line import keep
from tests.scanner.field.card import Recording, Survives, card_after, everything, library, nothing, recording, some
from tests.scanner.till.scene import Shop, free_port

LIMITS = Limits(baskets_max=10_000, size_max_bytes=10**8)
READS = 120
needs_symbols = pytest.mark.skipif(library() is None, reason="this Python's SQLite shows no symbols to stand before")


def opened(path: Path) -> OpenedOutbox:
    return open_outbox(path, LIMITS, random_stream=b"\1" * 16, now_ts=7)


def codes_in(outbox: Outbox) -> list[str]:
    """In the order in which they were read."""
    closed = [read.code for row in outbox.after(0, 10_000) for read in decode_basket(row.line).reads]
    basket = outbox.open_basket()
    return closed + ([] if basket is None else [read.read.code for read in basket.reads])


def shop_for_a_while(outbox: Outbox, beep: Callable[[str], None], reads: int = READS) -> None:
    """Three reads a customer. As the till does it: what `record` has returned from is on disk, and beeps."""
    basket: OpenBasket | None = None
    for number in range(reads):
        # Long codes fill pages, so that checkpoints fall among the reads.
        code = f"{number}-".ljust(600, "x")
        before = () if basket is None else basket.reads
        read = keep(Read(sym="QRCODE", code=code, src="test", mono=number))
        basket = OpenBasket(boot="b", opened_mono=0, last=Moment(number, number), reads=(*before, read))
        outbox.record(basket)
        beep(code)
        if number % 3 == 2:
            done = Closing(basket, ClosedBy.FINISH, Moment(number, number))
            outbox.record(None, NewRows(make_lines=lambda first, done=done: lines(done, first, None), ts=number))
            basket = None


Recorded = tuple[Recording, list[tuple[int, str]]]


def record_card(folder: Path) -> Recorded:
    """What SQLite did, and each beep with the number of steps before it."""
    beeps: list[tuple[int, str]] = []
    with recording() as card:
        outbox = opened(folder / "outbox.sqlite").outbox
        shop_for_a_while(outbox, lambda code: beeps.append((len(card.steps), code)))
        outbox.close()
    return card, beeps


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record_card(tmp_path_factory.mktemp("card"))


def lost_at(
    card: Recording, beeps: list[tuple[int, str]], step: int, survives: Survives, folder: Path
) -> tuple[list[str], bool]:
    """Beeped codes that are missing after a power cut there, and whether the file was set aside."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in card_after(card.steps[:step], survives).items():
        (folder / name).write_bytes(content)
    found = opened(folder / "outbox.sqlite")
    held = codes_in(found.outbox)
    found.outbox.close()
    heard = [code for at, code in beeps if at <= step]
    assert held == sorted(held, key=lambda code: int(code.partition("-")[0]))
    # A read that is on disk and has not beeped is allowed; more than one there cannot be.
    assert len(held) <= len(heard) + 1
    return [code for code in heard if code not in held], found.set_aside is not None


@needs_symbols
@pytest.mark.parametrize("kind", ["nothing", "everything", "some"])
def test_a_card_that_drops_what_was_not_synced_loses_no_read_that_beeped(
    kind: str, recorded: Recorded, tmp_path: Path
) -> None:
    card, beeps = recorded
    draw = random.Random(20261127)
    survives = {"nothing": nothing, "everything": everything, "some": some(draw)}[kind]
    # Power fails at any step, and also right after a beep, when the cashier has heard it.
    moments = {*draw.sample(range(len(card.steps) + 1), 20), *(at for at, _ in draw.sample(beeps, 12))}

    for step in sorted(moments):
        assert lost_at(card, beeps, step, survives, tmp_path / "after") == ([], False), f"step {step}"


@needs_symbols
def test_checkpoints_fall_among_what_is_tried(recorded: Recorded) -> None:
    card, beeps = recorded

    written = [step.name for step in card.steps[beeps[0][0] : beeps[-1][0]]]

    assert len(beeps) == READS
    assert written.count("outbox.sqlite") > 20


@needs_symbols
def test_the_card_notices_a_till_that_does_not_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: SQLite's usual setting for WAL, which syncs at checkpoints only."""
    careless = tuple(pragma.replace("synchronous = FULL", "synchronous = NORMAL") for pragma in outbox_file._PRAGMAS)
    monkeypatch.setattr(outbox_file, "_PRAGMAS", careless)
    card, beeps = record_card(tmp_path)

    lost, _ = lost_at(card, beeps, beeps[20][0], nothing, tmp_path / "after")

    assert beeps[20][1] in lost


@pytest.mark.parametrize("size", [0, 1, 511, 4096, 5000])
def test_a_file_cut_short_is_whole_or_set_aside_and_never_half_believed(size: int, tmp_path: Path) -> None:
    """No power cut does this, but a broken file system may."""
    path = tmp_path / "outbox.sqlite"
    outbox = opened(path).outbox
    shop_for_a_while(outbox, lambda _: None, reads=6)
    outbox.close()
    content = path.read_bytes()
    path.write_bytes(content[:size])

    found = opened(path)

    assert (found.set_aside is not None, codes_in(found.outbox)) == (True, [])
    assert found.set_aside is not None
    assert found.set_aside.read_bytes() == content[:size]
    found.outbox.close()


def test_an_outbox_that_is_gone_is_told_and_not_taken_for_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    opened(path).outbox.close()
    path.unlink()

    found = opened(path)
    found.outbox.close()
    again = opened(path)

    assert found.set_aside is not None
    assert found.set_aside.read_bytes() == b""
    assert (again.set_aside, again.outbox.set_aside) == (None, True)
    again.outbox.close()


def test_a_copy_made_in_the_midst_of_writing_holds_every_read_that_beeped(shop: Shop, tmp_path: Path) -> None:
    """The till stands still between any two of its instructions while its files are copied, as they lie on the card."""
    till = shop.open_till(free_port())
    till.wait_for("state", state="source_open")
    pid = till._process.pid
    draw = random.Random(7)
    heard: list[list[str]] = []
    till.say(*(f"{number}-" if number % 7 else "GPFIN" for number in range(1, 90)))
    for copy in range(6):
        till.wait_for("read", 1 + 11 * copy + draw.randrange(11))
        os.kill(pid, signal.SIGSTOP)
        heard.append([str(read["code"]) for read in till.of("read")])
        (tmp_path / f"copy{copy}").mkdir()
        for name in ("outbox.sqlite", "outbox.sqlite-wal"):
            shutil.copy(shop.folder / name, tmp_path / f"copy{copy}" / name)
        os.kill(pid, signal.SIGCONT)

    for copy, beeped in enumerate(heard):
        found = opened(tmp_path / f"copy{copy}" / "outbox.sqlite")
        assert found.set_aside is None
        assert [code for code in beeped if code not in codes_in(found.outbox)] == []
        found.outbox.close()
    assert heard[0] != heard[-1]
