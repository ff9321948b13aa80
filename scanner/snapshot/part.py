"""The snapshot as one part of the till's program, put together from its settings."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

from firmware_bridge.wire.envelope import Verify
from firmware_bridge.wire.messages import Clock as ClockReport
from scanner.clock import Clock
from scanner.feedback import Notice, Signal
from scanner.lasting import LastingThread
from scanner.notices import state
from scanner.settings import Settings
from scanner.snapshot.fetch import SnapshotFetcher
from scanner.snapshot.file import SnapshotFile
from scanner.snapshot.teller import Silent, SnapshotTeller, Teller

SUFFIX = ".snapshot"


class SnapshotPart:
    """What is told at a read, and what keeps it fresh; without a backend to ask nothing is told."""

    def __init__(
        self, teller: Teller, file: SnapshotFile | None = None, fetcher: SnapshotFetcher | None = None
    ) -> None:
        self.teller = teller
        self._file = file
        self._fetcher = fetcher

    @property
    def threads(self) -> list[LastingThread]:
        return [] if self._fetcher is None else [self._fetcher.thread]

    def start(self) -> None:
        if self._fetcher is not None:
            self._fetcher.start()

    def stop(self) -> None:
        ended = self._fetcher is None or self._fetcher.stop()
        if ended and self._file is not None:
            self._file.close()


def snapshot_path(settings: Settings) -> Path:
    return settings.snapshot_path or settings.outbox_path.with_name(settings.outbox_path.name + SUFFIX)


def snapshot_of(
    settings: Settings,
    clock: Clock,
    judge_clock: Callable[[], ClockReport],
    verify: Verify,
    show: Callable[[Notice], None],
) -> SnapshotPart:
    if settings.backend_url is None:
        return SnapshotPart(Silent())
    path = snapshot_path(settings)
    try:
        file = SnapshotFile(path, settings.device_id)
    except (sqlite3.Error, OSError) as error:
        # Nothing to keep a till from reading for.
        text_zh = "商品快照无法存入本机，读码不提示预计积分。"
        facts = {"path": str(path), "reason": type(error).__name__}
        show(
            state(
                "snapshot_unusable", text_zh, "No snapshot can be kept; reads tell no points.", Signal.WARNING, **facts
            )
        )
        return SnapshotPart(Silent())
    fetcher = SnapshotFetcher(
        settings.device_id,
        file,
        verify,
        show,
        random.SystemRandom().random,
        backend_url=settings.backend_url,
        ca_path=settings.backend_ca_path,
        interval_s=settings.snapshot_interval_s,
    )
    return SnapshotPart(SnapshotTeller(file, clock, judge_clock), file, fetcher)
