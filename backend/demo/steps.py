"""Progress of set-up: one line a step with its seconds, the programs' own chatter in a log."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HEARTBEAT_S = 15
TAIL_LINES = 12


class StepFailed(Exception):
    """A program of set-up ended with an error: what was run, and how its output ends."""

    def __init__(self, command: Sequence[str], log: Path, tail: str) -> None:
        super().__init__(" ".join(command))
        self.command = " ".join(command)
        self.log = log
        self.tail = tail


@contextmanager
def step(name: str) -> Iterator[None]:
    """Prints `· name … 6 s`. The seconds tick on a terminal, and show now and then in a log."""
    began = time.monotonic()
    ended = threading.Event()
    print(f"· {name} …", end="", flush=True)
    ticker = threading.Thread(target=_tick, args=(name, began, ended), daemon=True)
    ticker.start()
    outcome = "✗"
    try:
        yield
        outcome = f"{time.monotonic() - began:.0f} s"
    finally:
        ended.set()
        ticker.join()
        print(f"\r· {name} … {outcome}  " if sys.stdout.isatty() else f" {outcome}", flush=True)


def _tick(name: str, began: float, ended: threading.Event) -> None:
    terminal = sys.stdout.isatty()
    while not ended.wait(1 if terminal else HEARTBEAT_S):
        elapsed = f"{time.monotonic() - began:.0f} s"
        print(f"\r· {name} … {elapsed} " if terminal else f" {elapsed} …", end="", flush=True)


def quietly(command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> None:
    """Runs a program to its end, its output only in `log`. Raises StepFailed with the end of that output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        start = file.tell()
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        environment = {**os.environ, **(env or {})}
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, check=False
        )
    if finished.returncode != 0:
        with log.open("rb") as file:
            file.seek(start)
            said = file.read().decode("utf-8", "replace").splitlines()
        raise StepFailed(command, log, "\n".join(said[-TAIL_LINES:]))
