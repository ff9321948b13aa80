"""Large tables as files: an official asks, a job writes row by row and says how far it is, whoever asked fetches."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.exports import store
from backend.exports.model import KEPT, PIECE_BYTES, Export, ExportInvalid, Kind, Wanted
from backend.exports.sheets import Cell, write_sheet
from backend.kernel.periods import day_start_ms, instant
from backend.storage.stream import snapshot, streamed
from backend.storage.transaction import Database, hot
from backend.usecases.races import Writes
from backend.usecases.report_liability import liability_report

TOLD_EVERY = 5_000
"""Rows between two words of how far it is."""
STALE = timedelta(minutes=15)
"""A worker that said nothing for so long is dead."""

STATEMENTS = """
SELECT l.month, l.retailer, l.line_no, l.store, l.unit, l.cause, l.amount, l.recorded_at, l.basket::text, l.sale_line,
       b.slip_no, b.device, b.seq, p.state, p.paid_on
FROM statement_lines l
JOIN settlement_months m ON m.city = %(city)s AND m.month = l.month AND m.ended_at > %(since)s AND m.ended_at <= %(until)s
LEFT JOIN baskets b ON b.city = %(city)s AND b.basket = l.basket
LEFT JOIN settlement_payment_lines x ON x.city = %(city)s AND x.month = l.month AND x.retailer = l.retailer
  AND x.line_no = l.line_no AND NOT x.refused
LEFT JOIN settlement_payments p ON p.city = %(city)s AND p.payment = x.payment
WHERE l.city = %(city)s"""
JOURNAL = """
SELECT recorded_at, reference::text, step, line, reason, unit, source, destination, amount FROM transfers
WHERE city = %(city)s AND recorded_at >= %(since)s AND recorded_at < %(until)s"""
ADJUSTMENTS = """
SELECT proposed_at, adjustment::text, coalesce(store, resident::text), unit, amount, cause, ticket, explanation, state,
       proposed_by, judged_by, posted_at
FROM adjustments WHERE city = %(city)s AND proposed_at >= %(since)s AND proposed_at < %(until)s"""
_STREAMED: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.STATEMENTS: (
        STATEMENTS,
        (
            *("月份", "商户", "行号", "门店", "款项", "事由", "金额（分）", "入账时间", "购物单", "商品行"),
            *("小票号", "终端", "终端序号", "付款状态", "付款日"),
        ),
    ),
    Kind.JOURNAL: (JOURNAL, ("入账时间", "编号", "步", "行", "事由", "单位", "转出账户", "转入账户", "数额")),
    Kind.ADJUSTMENTS: (
        ADJUSTMENTS,
        (
            *("提出时间", "编号", "对象", "单位", "数额", "原因", "工单", "说明", "状态", "提出人", "复核人"),
            "入账时间",
        ),
    ),
}
ORDERS: Mapping[Kind, str] = {
    Kind.STATEMENTS: "l.month, l.retailer, l.line_no",
    Kind.JOURNAL: "recorded_at, transfers.reference, step, line",
    Kind.ADJUSTMENTS: "proposed_at, adjustments.adjustment",
}
"""The same facts make the same file."""
COUNTS = {kind: f"SELECT count(*) FROM ({statement}) counted" for kind, (statement, _) in _STREAMED.items()}
LIABILITY_HEADS = ("日期", "单位", "发放", "调整", "使用", "过期", "退回", "结余")


class Ran(NamedTuple):
    """What a run of the job did."""

    written: int = 0
    failed: int = 0
    ended: int = 0

    def plus(self, other: "Ran") -> "Ran":
        return Ran(self.written + other.written, self.failed + other.failed, self.ended + other.ended)


def ask_export(database: Writes, city: str, export: str, wanted: Wanted, by: str, now: datetime) -> None:
    """Queued for the job, which takes it within a minute. Raises ExportInvalid."""
    if wanted.faulty:
        raise ExportInvalid

    def work(connection: Connection) -> None:
        store.insert(connection, city, export, wanted, by, now)
        told = {"kind": wanted.kind.value, "first": str(wanted.first), "last": str(wanted.last), "by": by}
        record(connection, Act(What.EXPORT_ASKED, city, "export", export, now, after=told))

    database.write(work)


def note_fetched(database: Writes, city: str, kind: str, key: str, now: datetime) -> None:
    """That a file left the city's books, by whoever acts."""
    act = Act(What.EXPORT_FETCHED, city, kind, key, now)
    database.write(lambda connection: record(connection, act))


def run_exports(database: Database, city: str, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> Ran:
    """Writes every file that is asked for, and ends those whose time is over."""
    ran = Ran(ended=_end(database, city, clock()))
    while not stopping():
        now = clock()
        taken = database.write(lambda c: store.take(c, city, now, now - STALE))  # noqa: B023 - called at once
        if taken is None:
            break
        try:
            _write(database, city, taken, clock)
        except Exception:
            database.write(lambda c: store.fail(c, city, taken.export, clock()))  # noqa: B023 - called at once
            raise
        ran = ran.plus(Ran(written=1))
    return ran


def _write(database: Database, city: str, export: Export, clock: Callable[[], datetime]) -> None:
    with tempfile.TemporaryDirectory(prefix="greenpoints-export-") as folder:
        path, told = Path(folder, "export.xlsx"), _Told(database, city, export.export, clock)
        with database.read() as connection:
            snapshot(connection)
            heads, rows, told.rows_all = _table(connection, city, export.wanted, clock())
            write_sheet(path, heads, told.counted(rows))
        sha256, size = hashlib.sha256(), 0
        database.write(lambda c: store.clear(c, city, export.export))
        with path.open("rb") as file:
            for piece, content in enumerate(iter(lambda: file.read(PIECE_BYTES), b"")):
                sha256.update(content)
                size += len(content)
                database.write(lambda c: store.add_piece(c, city, export.export, piece, content))  # noqa: B023 - as above
    now, digest = clock(), sha256.digest()
    database.write(
        lambda c: store.ready(c, city, export.export, now, now + KEPT, written=told.written, size=size, sha256=digest)
    )


class _Told:
    """Counts rows as they pass, and says now and then how many."""

    def __init__(self, database: Database, city: str, export: str, clock: Callable[[], datetime]) -> None:
        self._database, self._city, self._export, self._clock = database, city, export, clock
        self.written, self.rows_all = 0, 0

    def counted(self, rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        self._tell()
        for row in rows:
            yield row
            self.written += 1
            if self.written % TOLD_EVERY == 0:
                self._tell()

    def _tell(self) -> None:
        now = self._clock()
        self._database.write(lambda c: store.move(c, self._city, self._export, now, self.written, self.rows_all))


def _table(
    connection: Connection, city: str, wanted: Wanted, now: datetime
) -> tuple[Sequence[str], Iterator[Sequence[Cell]], int]:
    """Heads, rows one after the other, and how many they are."""
    if wanted.kind is Kind.LIABILITY:
        days = liability_report(connection, city, wanted.first, wanted.last, now)
        return LIABILITY_HEADS, iter(days), len(days)
    statement, heads = _STREAMED[wanted.kind]
    since, until = instant(day_start_ms(wanted.first)), instant(day_start_ms(wanted.last + timedelta(days=1)))
    given = {"city": city, "since": since, "until": until}
    (count,) = hot(connection, COUNTS[wanted.kind], given).fetchone() or (0,)
    return heads, streamed(connection, f"{statement} ORDER BY {ORDERS[wanted.kind]}", given), count


def _end(database: Database, city: str, now: datetime) -> int:
    def work(connection: Connection) -> int:
        ended = store.end(connection, city, now)
        for export in ended:
            store.clear(connection, city, export)
        return len(ended)

    return database.write(work)
