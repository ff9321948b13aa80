"""The power goes at any moment: what the till promised is on its card with the read, or neither is."""

import random
import shutil
from pathlib import Path

import pytest

from firmware_bridge.wire.leases import LeaseMessage
from firmware_bridge.wire.messages import Read
from scanner.basket import Moment, OpenBasket
from scanner.lease.book import EMPTY, hear, promise, read_book, write_book
from scanner.outbox import Limits
from scanner.outbox_file import open_outbox
from scanner.read_line import keep
from tests.scanner.field.card import Survives, card_after, nothing, recording, some
from tests.scanner.field.test_power import needs_symbols
from tests.scanner.lease.test_book import BEGIN, POINTS, STREAM, lease

READS, EACH = 24, 5
LIMITS = Limits(baskets_max=100, size_max_bytes=10**7)


@needs_symbols
@pytest.mark.parametrize("kind", ["nothing", "some"])
def test_no_promise_that_was_heard_is_forgotten_and_none_stands_without_its_read(kind: str, tmp_path: Path) -> None:
    heard: list[int] = []
    with recording() as card:
        outbox = open_outbox(tmp_path / "outbox.sqlite", LIMITS, random_stream=bytes.fromhex(STREAM), now_ts=7).outbox
        book = hear(EMPTY, LeaseMessage(1, (lease(1, READS * EACH, awards=READS),)), STREAM, BEGIN)
        outbox.keep_lease_book(write_book(book))
        reads = ()
        for number in range(READS):
            book, promised, _ = promise(book, {POINTS: EACH}, BEGIN)
            # Long codes fill pages, so that checkpoints fall among the reads.
            read = Read(sym="QRCODE", code=f"{number}".ljust(900, "x"), src="test", mono=number, promised=promised)
            reads = (*reads, keep(read))
            basket = OpenBasket(boot="b", opened_mono=0, last=Moment(number, number), reads=reads)
            outbox.record(basket, lease_book=write_book(book))
            heard.append(len(card.steps))
        outbox.close()
    draw = random.Random(20261127)
    survives: Survives = {"nothing": nothing, "some": some(draw)}[kind]

    for step in sorted({*draw.sample(range(heard[0], len(card.steps) + 1), 16), *draw.sample(heard, 8)}):
        folder = tmp_path / "after"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in card_after(card.steps[:step], survives).items():
            (folder / name).write_bytes(content)
        found = open_outbox(folder / "outbox.sqlite", LIMITS, random_stream=b"\1" * 16, now_ts=7)
        (held,) = read_book(found.outbox.lease_book()).held
        basket = found.outbox.open_basket()
        found.outbox.close()
        said = 0 if basket is None else sum(one.amount for kept in basket.reads for one in kept.read.promised)
        assert held.used == said, f"step {step}"
        assert held.used >= EACH * sum(at <= step for at in heard), f"step {step}"
