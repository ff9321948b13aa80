"""Claim slips on paper: an ESC/POS receipt printer behind a device file such as /dev/usb/lp0."""

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scanner import notices
from scanner.claim import slip_escpos
from scanner.feedback import Notice, Signal
from scanner.outbox import SLIPS_KEPT

RETRY_S: Final = 5.0


class SlipPrinter:
    """Feedback of which only slips matter. Prints in a thread of its own: a printer without paper blocks its writer, and
    no sale waits for it. What is not printed stays in the outbox and comes again at the next start.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._slips: queue.Queue[tuple[int, str]] = queue.Queue(maxsize=SLIPS_KEPT)

    def show(self, notice: Notice) -> None:
        if self._path is None or notice.facts.get("state") != "slip":
            return
        seq, claim = notice.facts["seq"], str(notice.facts["claim"])
        assert isinstance(seq, int)
        try:
            self._slips.put_nowait((seq, claim))
        except queue.Full:
            # The printer has been silent for twenty customers, and the cashier was told.
            return

    def start(self, printed: Callable[[int], None], tell: Callable[[Notice], None], stop: threading.Event) -> None:
        if self._path is not None:
            work = (self._path, printed, tell, stop)
            threading.Thread(target=self._run, args=work, name="slips", daemon=True).start()

    def _run(
        self, path: Path, printed: Callable[[int], None], tell: Callable[[Notice], None], stop: threading.Event
    ) -> None:
        while not stop.is_set():
            try:
                seq, claim = self._slips.get(timeout=0.5)
            except queue.Empty:
                continue
            if _print(path, seq, claim, tell, stop):
                printed(seq)


def _print(path: Path, seq: int, claim: str, tell: Callable[[Notice], None], stop: threading.Event) -> bool:
    """False where the stop came first. Tells of the first failure of each slip."""
    failures = 0
    while not stop.is_set():
        try:
            _write(path, slip_escpos(claim))
        except OSError as error:
            failures += 1
            if failures == 1:
                tell(_not_printed(seq, type(error).__name__))
            stop.wait(RETRY_S)
        else:
            return True
    return False


def _write(path: Path, content: bytes) -> None:
    """Never makes a file: where the printer is unplugged, a file of its name would swallow every slip."""
    printer = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        while content:
            content = content[os.write(printer, content) :]
    finally:
        os.close(printer)


def _not_printed(seq: int, reason: str) -> Notice:
    text_zh = f"第 {seq} 单的领取码没有打印，请检查打印机。"
    text_en = f"The claim code of basket {seq} was not printed."
    return notices.state("slip_not_printed", text_zh, text_en, Signal.WARNING, seq=seq, reason=reason)
