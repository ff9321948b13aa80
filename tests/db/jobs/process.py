"""`greenpoints jobs` as a process of its own, and what it says."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

WITHIN_S = 60.0


def environment(url: str | None) -> dict[str, str]:
    given = {} if url is None else {"DATABASE_URL": url}
    return {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **given}


@contextmanager
def worker(url: str, output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker; killed at the end unless it has ended by then."""
    with output.open("ab") as log:
        command = [sys.executable, "-m", "backend.cli", "jobs", "work"]
        process = subprocess.Popen(command, env=environment(url), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def command(url: str | None, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", "jobs", *words],
        env=environment(url),
        capture_output=True,
        text=True,
        check=False,
    )


def queue(url: str, job: str, due: int) -> None:
    """A run of `job` beside the schedule; `due` tells its line in the log from others."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %s, 0, NULL, NULL,"
            " jsonb_build_object('timestamp', %s::int), NULL)]::procrastinate_job_to_defer_v1[])",
            (job, due),
        )


def lines(output: Path) -> list[dict[str, Any]]:
    """What the worker logged: whole lines, each one JSON object."""
    return [json.loads(line) for line in output.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def done(output: Path, job: str) -> list[dict[str, Any]]:
    """The runs of `job` that ended well."""
    return [
        line for line in lines(output) if line["event"] == "job" and line["job"] == job and line["outcome"] == "done"
    ]


def wait(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
