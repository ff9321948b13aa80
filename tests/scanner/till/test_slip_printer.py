"""Claim slips on paper."""

import threading
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from scanner import notices
from scanner.claim import slip_escpos
from scanner.feedback import Notice
from scanner.slip_printer import SlipPrinter
from tests.scanner.till.scene import wait_until

CLAIM = "0123-4567-89AB-CDEF"


def picture_of(slip: bytes) -> np.ndarray:
    """What a printer makes of the one GS v 0 in it."""
    head = slip.index(b"\x1dv0\x00")
    width_bytes, height = (int.from_bytes(slip[at : at + 2], "little") for at in (head + 4, head + 6))
    rows = np.frombuffer(slip[head + 8 : head + 8 + width_bytes * height], np.uint8).reshape(height, width_bytes)
    return np.where(np.unpackbits(rows, axis=1), 0, 255).astype(np.uint8)


def test_the_printed_symbol_is_the_printed_code() -> None:
    slip = slip_escpos(CLAIM)

    picture = picture_of(slip)

    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [CLAIM]
    assert picture.shape[1] <= 384
    assert CLAIM.encode() in slip
    assert "绿色积分领取码".encode("gb18030") in slip


def test_a_slip_is_kept_until_the_printer_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.slip_printer.RETRY_S", 0.01)
    device, stop = tmp_path / "lp0", threading.Event()
    printed: list[int] = []
    told: list[Notice] = []
    printer = SlipPrinter(device)
    printer.start(printed.append, told.append, stop)
    printer.show(notices.slip(7, CLAIM.replace("-", ""), "slip"))
    wait_until(lambda: bool(told))
    assert (printed, device.exists()) == ([], False)

    device.touch()

    wait_until(lambda: printed == [7])
    stop.set()
    assert device.read_bytes() == slip_escpos(CLAIM)
    assert [notice.facts["state"] for notice in told] == ["slip_not_printed"]


def test_a_till_without_a_printer_prints_nothing_and_other_notices_are_no_slips(tmp_path: Path) -> None:
    device, stop = tmp_path / "lp0", threading.Event()
    device.touch()
    SlipPrinter(None).show(notices.slip(7, CLAIM.replace("-", ""), "slip"))
    printer = SlipPrinter(device)
    for name in ("started", "member"):
        printer.show(notices.state(name, "", ""))
    for seq in range(100):
        printer.show(notices.slip(seq, CLAIM.replace("-", ""), "slip"))
    printed: list[int] = []
    printer.start(printed.append, lambda _: None, stop)
    wait_until(lambda: len(printed) == 20)
    stop.set()

    assert printed == list(range(20))
