"""What a fault of the database says is logged without the row it is about: ids and codes of labels are in it."""

import json
import os
import subprocess
import sys
from typing import Any

import psycopg
import pytest

from tests.db.storage.faults import FAULTS, NUMBER
from tests.worlds.city import NANJING

TABLE = "CREATE TABLE kept (number text PRIMARY KEY, amount bigint DEFAULT 0 CONSTRAINT not_below CHECK (amount >= 0))"


@pytest.fixture
def said(database_url: str) -> str:
    with psycopg.connect(database_url) as owner:
        owner.execute(TABLE)
    return run(database_url, "-m", "tests.db.storage.faults").stdout


def run(url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_fault_tells_whose_row_it_was(said: str) -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]

    assert [line["event"] for line in lines] == [event for name in FAULTS for event in (name, "library")]
    assert all(line["exception"] for line in lines)
    assert NUMBER[:17] not in said
    assert "DETAIL" not in said
    assert "[parameters:" not in said


def test_a_fault_still_tells_what_it_was_and_where(said: str) -> None:
    told = {line["event"]: line["exception"] for line in map(json.loads, said.splitlines())}

    unique = '[23505] duplicate key value violates unique constraint "kept_pkey" (table kept, constraint kept_pkey)'
    assert told["detail"].endswith(f"psycopg.errors.UniqueViolation: {unique}\n")
    assert told["parameters"].endswith(f"sqlalchemy.exc.IntegrityError: psycopg.errors.UniqueViolation: {unique}\n")
    assert '[22P02] invalid input syntax for type bigint: "…"' in told["value"]
    assert '[22P02] malformed array literal: "…"' in told["array"]
    assert "[23514] new row for relation" in told["row"]
    assert "constraint not_below" in told["row"]
    assert unique in told["nested"]
    assert told["nested"].endswith("RuntimeError: while it was being recorded\n")
    assert unique in told["grouped"]
    assert "KeyError: '…'" in told["grouped"]
    assert 'faults.py", line' in told["detail"]


def test_a_command_that_fails_by_a_bug_tells_no_row_either(database_url: str) -> None:
    """A table that is gone stands for any fault that nobody foresaw."""
    with psycopg.connect(database_url) as owner:
        owner.execute("DROP TABLE transfers CASCADE")

    failed = run(database_url, "-m", "backend.cli", "ledger", "posting", "--city", NANJING, f"{0:032x}")

    assert failed.returncode == 1
    assert failed.stderr.startswith("Traceback (most recent call last):\n")
    assert failed.stderr.endswith('psycopg.errors.UndefinedTable: [42P01] relation "transfers" does not exist\n')
