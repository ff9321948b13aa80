"""Runs writers side by side and says what they reached: scans a second and CPU microseconds a scan."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """What one run of some writers cost: wall seconds, and CPU seconds of the clients and of their server processes."""

    scans: int
    wall_s: float
    client_cpu_s: float
    server_cpu_s: float

    @property
    def rate(self) -> float:
        return self.scans / self.wall_s

    @property
    def client_us(self) -> float:
        return self.client_cpu_s / self.scans * 1e6

    @property
    def server_us(self) -> float:
        return self.server_cpu_s / self.scans * 1e6


class Watch:
    """Started when the inputs are ready and stopped after the last COMMIT, beside the server process `backend_pid`."""

    def __init__(self, backend_pid: int) -> None:
        self._stat = Path(f"/proc/{backend_pid}/stat")
        self._wall, self._cpu, self._server = time.perf_counter(), time.process_time(), self._server_s()

    def stop(self, scans: int) -> Run:
        return Run(
            scans,
            time.perf_counter() - self._wall,
            time.process_time() - self._cpu,
            self._server_s() - self._server,
        )

    def _server_s(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def side_by_side(write: Callable[..., Run], arguments: Sequence[tuple[Any, ...]]) -> Run:
    """One process a tuple of arguments, all at once; the rate is that of the slowest, the CPU that of all."""
    with get_context("fork").Pool(len(arguments)) as pool:
        runs = pool.starmap(write, arguments, chunksize=1)
    return Run(
        sum(run.scans for run in runs),
        max(run.wall_s for run in runs),
        sum(run.client_cpu_s for run in runs),
        sum(run.server_cpu_s for run in runs),
    )


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of ours / floor over alternations that each ran within the same seconds."""
    return statistics.median(ours / floor for ours, floor in pairs)
