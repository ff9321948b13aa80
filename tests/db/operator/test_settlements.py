"""Finance at the command line: a month is closed, confirmed, disputed, ruled on and paid."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.kernel.periods import CHINA
from backend.settlements.clock import month_before
from backend.settlements.model import PaidBeforeRelease, ReleasedByPreparer
from backend.storage.transaction import Database
from tests.db.operator.typed import Run, done, refused
from tests.worlds.city import NANJING
from tests.worlds.settling import BIG, Office, open_office


@pytest.fixture
def office(engine_db: Database) -> Office:
    """Two sales of the last month."""
    opened, sold_at = open_office(engine_db), datetime.now(UTC).replace(day=1, hour=1) - timedelta(days=3)
    opened.sell(4, at=sold_at)
    opened.sell(2, "s2", at=sold_at)
    return opened


def test_a_month_from_its_close_to_its_payment(run: Run, office: Office, tmp_path: Path) -> None:
    month = month_before(datetime.now(UTC))
    of = ("--city", NANJING, "--month", month)
    one = (*of, "--retailer", BIG)

    assert "1 份对账单，2 行" in done(run("settlements", "close", *of))
    assert "0.18 元" in done(run("settlements", "list", "--city", NANJING))
    done(run("settlements", "dispute", *one, "--line", "1", "--reason", "少计一件"))
    ruled = ("settlements", "rule", *one, "--line", "1")
    proposed = run(*ruled, "--ruling", "correct", "--difference", "3", "--explanation", "补计一件", "--by", "赵")
    assert "待另一人复核" in done(proposed)
    assert "已裁定" in done(run(*ruled, "--ruling", "approve", "--difference", "3", "--by", "钱"))
    done(run("settlements", "confirm", *one))

    made = done(run("settlements", "pay-file", "--city", NANJING, "--by", "赵")).partition("：")[0]
    release = ("settlements", "pay-file", "--city", NANJING, "--release", made)
    assert isinstance(refused(run(*release, "--by", "赵")), ReleasedByPreparer)
    file, sheet = tmp_path / "pay.csv", tmp_path / "statement.csv"
    assert "共 0.18 元" in done(run(*release, "--by", "钱", "--out", str(file)))
    paid = ("settlements", "paid", made, "--city", NANJING, "--bank-reference", "ICBC-1", "--paid-on")
    today = datetime.now(CHINA).date()
    assert isinstance(refused(run(*paid, f"{today - timedelta(days=1)}")), PaidBeforeRelease)
    assert "已入账" in done(run(*paid, f"{today}"))
    done(run("settlements", "statement", *one, "--out", str(sheet)))

    rows = list(csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    assert [(row[2], row[4], row[-1]) for row in rows[1:-1]] == [("手续费", "12", "已拨付"), ("手续费", "6", "已拨付")]
    assert rows[-1][3:6] == ["2", "18", "0.18"]
    assert file.read_bytes().startswith("\ufeff序号".encode())
    assert "没有" in run("settlements", "list", "--city", NANJING, "--overdue").output


def test_an_adjustment_takes_two_at_the_command_line(run: Run, office: Office) -> None:
    wanted = ("--city", NANJING, "--store", "s1", "--unit", "fee", "--amount", "-5", "--cause", "mistake")
    told = ("--ticket", "T-7", "--explanation", "重复计费")
    proposed = done(run("adjustments", "propose", *wanted, *told, "--by", "赵")).partition("：")[0]
    assert refused(run("adjustments", "approve", proposed, "--city", NANJING, "--by", "赵")).code.endswith("another")
    assert "已入账" in done(run("adjustments", "approve", proposed, "--city", NANJING, "--by", "钱"))
    assert "s1  -" in done(run("adjustments", "list", "--city", NANJING))
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    rows = done(run("ledger", "liability-days", "--city", NANJING, "--from", "2026-01-01", "--to", day)).splitlines()
    assert rows[-1].split(",")[1:2] in (["points"], ["fee"])
