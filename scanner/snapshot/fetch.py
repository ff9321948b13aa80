"""Keeps the snapshot fresh: asks the backend now and then for what differs from the version held."""

import sqlite3
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from firmware_bridge.wire.envelope import Verify
from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.snapshots import MESSAGE_BYTES_MAX, open_snapshot
from scanner.errors import TillRefusal
from scanner.feedback import Notice, Signal
from scanner.keys import KeyFileUnusable
from scanner.lasting import LastingThread
from scanner.notices import state
from scanner.snapshot.file import SnapshotChainBroken, SnapshotFile

TIMEOUT_S: Final = 30.0
STOP_WAIT_S: Final = 2.0


class SnapshotUnavailable(TillRefusal):
    """The backend is away, has none yet, or does not know this till."""

    code = "snapshot_unavailable"
    text_zh = "暂时无法获取商品快照（{reason}），稍后再试。"
    text_en = "The snapshot cannot be had now ({reason}); it is asked for again."


class SnapshotFetcher:
    """A thread of its own: nothing here makes a read wait."""

    def __init__(
        self,
        device: str,
        file: SnapshotFile,
        verify: Verify,
        show: Callable[[Notice], None],
        draw: Callable[[], float],
        *,
        backend_url: str,
        ca_path: Path | None,
        interval_s: float,
    ) -> None:
        """`draw`: at random from [0, 1). Raises KeyFileUnusable."""
        self._device = device
        self._file = file
        self._verify = verify
        self._show = show
        self._draw = draw
        self._interval_s = interval_s
        self._trouble: str | None = None
        self._stopping = threading.Event()
        self._http = httpx.Client(
            base_url=backend_url.rstrip("/"),
            timeout=TIMEOUT_S,
            verify=_trust(ca_path),
            trust_env=False,
        )
        self.thread = LastingThread("snapshot", self._run, show)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> bool:
        """Whether it ended: one that hangs in the network is left to the end of the process."""
        self._stopping.set()
        if self.thread.is_alive():
            self.thread.join(STOP_WAIT_S)
        ended = not self.thread.is_alive()
        if ended:
            self._http.close()
        return ended

    def fetch(self) -> None:
        """Brings the file up to date. Raises TillRefusal, WireError, sqlite3.Error; the version held stays then."""
        try:
            self._file.apply(open_snapshot(self._device, self._asked(self._file.version()), self._verify))
        except SnapshotChainBroken:
            self._file.apply(open_snapshot(self._device, self._asked(None), self._verify))

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stopping.wait(wait_s):
            try:
                self.fetch()
            except TillRefusal as refusal:
                self._tell(refusal.code, refusal.sentence_zh, refusal.sentence_en)
            except WireError as refusal:
                self._tell(refusal.code, "商品快照无效，未采用。", "The snapshot was not the server's or is malformed.")
            except sqlite3.Error as error:
                self._tell(
                    type(error).__name__, "商品快照无法写入本机。", "The snapshot cannot be written to the disk."
                )
            else:
                self._trouble = None
            # A fleet that was switched on together must not ask together.
            wait_s = self._interval_s * (0.9 + 0.2 * self._draw())

    def _asked(self, after: int | None) -> bytes:
        """Never more than a snapshot may have, whoever answers."""
        where = f"/api/public/v1/tills/{self._device}/snapshot"
        content = bytearray()
        try:
            with self._http.stream("GET", where, params={} if after is None else {"after": after}) as response:
                if response.status_code != httpx.codes.OK:
                    raise SnapshotUnavailable(reason=response.status_code)
                for part in response.iter_bytes():
                    content += part
                    if len(content) > MESSAGE_BYTES_MAX:
                        raise SnapshotUnavailable(reason="too_large")
        except httpx.HTTPError as error:
            raise SnapshotUnavailable(reason=type(error).__name__) from error
        return bytes(content)

    def _tell(self, trouble: str, text_zh: str, text_en: str) -> None:
        """Once for each kind of trouble: it goes on for as long as a shop has no network."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._show(state("snapshot_not_renewed", text_zh, text_en, Signal.NONE, reason=trouble))


def _trust(ca_path: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_path is None else str(ca_path))
    except OSError as error:  # ssl.SSLError is one
        raise KeyFileUnusable(path=ca_path, reason="not a readable PEM file of certificates") from error
