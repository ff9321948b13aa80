import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware_bridge.wire.messages import ClosedBy, Read
from firmware_bridge.wire.receipts import Receipt, ReceiptState
from scanner.basket import Closing, Moment, OpenBasket, lines
from scanner.outbox import Limits, NewRows, Outbox, OutboxFull, OutboxUnwritable, Row
from scanner.outbox_file import OutboxInUse, open_outbox
from scanner.read_line import keep

LIMITS = Limits(baskets_max=100, size_max_bytes=10**6)
Opener = Callable[..., Outbox]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    boxes: list[Outbox] = []

    def open_at(name: str = "outbox.sqlite", limits: Limits = LIMITS, stream: bytes = b"\x01" * 16) -> Outbox:
        found = open_outbox(tmp_path / name, limits, random_stream=stream, now_ts=5)
        boxes.append(found.outbox)
        return found.outbox

    yield open_at
    for box in boxes:
        box.close()


def basket(*codes: str) -> OpenBasket:
    reads = tuple(keep(Read(sym="EAN13", code=code, src="test", mono=1)) for code in codes)
    return OpenBasket(boot="b", opened_mono=1, last=Moment(2, 3), reads=reads)


def closing(*codes: str) -> NewRows:
    done = Closing(basket(*codes), ClosedBy.FINISH, Moment(4, 5))
    return NewRows(make_lines=lambda first: lines(done, first, None), ts=5)


def recorded(row: Row, **changes: str) -> Receipt:
    return Receipt(seq=row.seq, sha256=changes.get("sha256", row.sha256), state=ReceiptState.RECORDED)


def test_an_open_basket_is_found_again_read_by_read(opened: Opener, tmp_path: Path) -> None:
    box = opened()
    box.record(basket("a"))
    box.record(basket("a", "b"))
    box.close()

    again = open_outbox(tmp_path / "outbox.sqlite", LIMITS, random_stream=b"\x02" * 16, now_ts=9).outbox

    assert again.open_basket() == basket("a", "b")
    assert again.stream == "01" * 16
    again.close()


def test_closing_stores_the_line_and_its_hash_and_empties_the_open_basket(opened: Opener) -> None:
    box = opened()
    box.record(basket("a"))

    (row,) = box.record(None, closing("a"))

    assert box.after(0, 10) == [row]
    assert row.sha256 == hashlib.sha256(row.line).hexdigest()
    assert box.open_basket() is None


def test_a_seq_is_never_given_twice_even_when_its_row_is_gone(opened: Opener, tmp_path: Path) -> None:
    box = opened()
    (first,) = box.record(None, closing("a"))
    box.settle([recorded(first)], now_ts=1)
    box.close()

    again = open_outbox(tmp_path / "outbox.sqlite", LIMITS, random_stream=b"\x02" * 16, now_ts=9).outbox
    (second,) = again.record(None, closing("b"))

    assert (first.seq, second.seq, again.low()) == (1, 2, 2)
    again.close()


def test_only_a_matching_hash_closes_a_row(opened: Opener) -> None:
    box = opened()
    (row,) = box.record(None, closing("a"))

    settled = box.settle([recorded(row, sha256="0" * 64)], now_ts=1)

    assert [receipt.seq for receipt in settled.mismatched] == [row.seq]
    assert box.after(0, 10) == [row]


def test_a_receipt_for_a_row_that_is_gone_changes_nothing(opened: Opener) -> None:
    box = opened()
    (row,) = box.record(None, closing("a"))
    box.settle([recorded(row)], now_ts=1)

    again = box.settle([recorded(row)], now_ts=2)

    assert (again.closed, again.rejected, again.mismatched) == ((), (), ())
    assert box.fill().baskets == 0


def test_a_quarantined_basket_is_kept_aside_and_not_sent_again(opened: Opener, tmp_path: Path) -> None:
    box = opened()
    (row,) = box.record(None, closing("a"))

    box.settle(
        [Receipt(seq=row.seq, sha256=row.sha256, state=ReceiptState.QUARANTINED, code="hash_conflict")], now_ts=7
    )

    assert box.after(0, 10) == []
    with sqlite3.connect(tmp_path / "outbox.sqlite") as db:
        assert db.execute("SELECT seq, line, code, rejected_ts FROM rejected").fetchall() == [
            (row.seq, row.line, "hash_conflict", 7)
        ]
    db.close()


def test_a_full_outbox_has_no_room_and_keeps_every_row(opened: Opener) -> None:
    box = opened(limits=Limits(baskets_max=2, size_max_bytes=10**6))
    first = box.record(None, closing("a"))
    box.check_room()
    box.record(None, closing("b"))

    with pytest.raises(OutboxFull):
        box.check_room()

    assert box.fill().percent == 100
    box.settle([recorded(first[0])], now_ts=1)
    box.check_room()


def test_bytes_fill_an_outbox_as_well_as_baskets_do(opened: Opener) -> None:
    box = opened(limits=Limits(baskets_max=100, size_max_bytes=200))

    box.record(None, closing("a"))

    with pytest.raises(OutboxFull):
        box.check_room()


def test_the_basket_that_is_open_when_the_outbox_fills_can_still_be_closed(opened: Opener) -> None:
    box = opened(limits=Limits(baskets_max=1, size_max_bytes=10**6))
    box.record(None, closing("a"))
    box.record(basket("b"))

    assert len(box.record(None, closing("b"))) == 1


def test_a_broken_file_is_kept_aside_and_a_new_stream_begins(opened: Opener, tmp_path: Path) -> None:
    opened().close()
    path = tmp_path / "outbox.sqlite"
    broken = b"not a database" * 1_000
    path.write_bytes(broken)

    found = open_outbox(path, LIMITS, random_stream=b"\x02" * 16, now_ts=77)

    assert found.set_aside == tmp_path / "outbox.sqlite.broken-77"
    assert found.set_aside.read_bytes() == broken
    assert (found.outbox.stream, found.outbox.low()) == ("02" * 16, 1)
    found.outbox.close()


def test_a_bit_flip_in_a_page_is_found_at_start(opened: Opener, tmp_path: Path) -> None:
    box = opened()
    for number in range(50):
        box.record(None, closing(str(number)))
    box.close()
    path = tmp_path / "outbox.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 8] = b"\xff" * 8
    path.write_bytes(content)

    found = open_outbox(path, LIMITS, random_stream=b"\x02" * 16, now_ts=77)

    assert found.set_aside is not None
    assert found.set_aside.read_bytes() == bytes(content)
    found.outbox.close()


def test_two_programs_never_share_an_outbox(opened: Opener, tmp_path: Path) -> None:
    opened()

    with pytest.raises(OutboxInUse):
        open_outbox(tmp_path / "outbox.sqlite", LIMITS, random_stream=b"\x02" * 16, now_ts=9)


def test_a_change_that_fails_on_its_way_leaves_nothing_behind(opened: Opener) -> None:
    box = opened()
    box.record(basket("a"))

    with pytest.raises(ZeroDivisionError):
        box.record(None, NewRows(make_lines=lambda _: [b"x" * (1 // 0)], ts=1))

    assert box.open_basket() == basket("a")
    assert (box.fill().baskets, box.low()) == (0, 1)
    assert [row.seq for row in box.record(None, closing("a"))] == [1]


def test_a_full_disk_is_a_refusal_and_not_a_loss(opened: Opener) -> None:
    box = opened()
    box.record(basket("a"))
    box._db.execute("PRAGMA max_page_count = 1")

    with pytest.raises(OutboxUnwritable):
        box.record(None, NewRows(make_lines=lambda _: [b"x" * 100_000], ts=1))

    assert box.open_basket() == basket("a")
    assert box.fill().baskets == 0


def test_the_file_survives_losing_power_after_any_commit(opened: Opener) -> None:
    box = opened()

    assert box._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert box._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_session_number_is_larger_than_any_before(opened: Opener) -> None:
    box = opened()

    assert [box.new_session(now_ts=now) for now in (0, 0, 90, 80)] == [1, 2, 90, 91]


def test_a_claim_code_is_offered_until_it_was_shown(opened: Opener) -> None:
    box = opened()
    done = closing("a")
    box.record(None, NewRows(make_lines=done.make_lines, ts=1, claim_code="0123456789ABCDEF"))
    assert box.slips_to_show() == [(1, "0123456789ABCDEF")]

    box.slip_shown(1)
    box.record(None, closing("b"))

    assert box.slips_to_show() == []


def torn(path: Path, *, witnessed: bool) -> tuple[bytes, bytes]:
    """A broken outbox whose last basket stands in the `-wal` alone, and the power gone as it is set aside: the file has its
    new name, the `-wal` not yet. The bytes of both.
    """
    box = open_outbox(path, LIMITS, random_stream=b"\x01" * 16, now_ts=5).outbox
    box.record(None, closing("a"))
    wal = path.with_name("outbox.sqlite-wal").read_bytes()
    box.close()
    path.write_bytes(b"\xff" * 8_192)
    path.rename(path.with_name("outbox.sqlite.broken-77"))
    path.with_name("outbox.sqlite-wal").write_bytes(wal)
    if not witnessed:
        path.with_name("outbox.sqlite.lock").write_bytes(b"")
    return b"\xff" * 8_192, wal


@pytest.mark.parametrize("witnessed", [True, False])
def test_a_power_cut_while_a_broken_file_is_set_aside_keeps_it_beside_its_last_rows(
    tmp_path: Path, *, witnessed: bool
) -> None:
    path = tmp_path / "outbox.sqlite"
    content, wal = torn(path, witnessed=witnessed)

    found = open_outbox(path, LIMITS, random_stream=b"\x02" * 16, now_ts=99)

    assert found.set_aside == path.with_name("outbox.sqlite.broken-77")
    assert found.set_aside.read_bytes() == content
    assert path.with_name("outbox.sqlite.broken-77-wal").read_bytes() == wal
    assert (found.outbox.stream, found.outbox.low()) == ("02" * 16, 1)
    found.outbox.close()
