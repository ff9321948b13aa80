"""The till's durable state: closed baskets without a receipt, the open basket, and what the server set aside.

One SQLite file, every change on disk before its method returns. Nothing here is ever evicted or expires:
a row leaves by a receipt that names its seq and its hash.
"""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from firmware_bridge.wire.messages import Read, basket_hash
from firmware_bridge.wire.receipts import Receipt, ReceiptState
from scanner.basket import Moment, OpenBasket
from scanner.errors import TillRefusal
from scanner.read_line import read_line, recall

WARNING_PERCENT = 80
LINES_KEPT = 2_000
SLIPS_KEPT = 20
"""Claim codes that nobody has seen yet. Who bought 20 baskets ago has left the shop."""


class OutboxFull(TillRefusal):
    code = "outbox_full"
    text_zh = "未上传的记录已满，暂停扫码！请检查网络并通知店长。"
    text_en = "The outbox is full: reading is stopped until the network is back."


class NotAdmitted(TillRefusal):
    code = "not_admitted"
    text_zh = "本机已停用或未获准接入，暂停扫码！请联系主管部门。"
    text_en = "This till was revoked, or is not admitted: reading is stopped. Call the city's office."


class OutboxUnwritable(TillRefusal):
    code = "outbox_unwritable"
    text_zh = "本机存储无法写入（{reason}），此码未记录！请通知店长。"
    text_en = "The outbox cannot be written ({reason}); this was not recorded."


@dataclass(frozen=True, slots=True)
class Row:
    """`line`: the exact bytes that are sent, whenever and in whatever company."""

    seq: int
    line: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRows:
    """`make_lines` is called once, with the first seq. A `voidable` group is what a void would undo next."""

    make_lines: Callable[[int], Sequence[bytes]]
    ts: int
    claim_code: str | None = None
    voidable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    baskets_max: int
    size_max_bytes: int


@dataclass(frozen=True, slots=True)
class Fill:
    baskets: int
    size_bytes: int
    rejected: int
    percent: int
    """Of whichever limit is nearer, rounded down."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a receipt message did: rows deleted, rows kept as rejected, receipts whose hash is not our row's."""

    closed: tuple[Receipt, ...]
    rejected: tuple[Receipt, ...]
    mismatched: tuple[Receipt, ...]


class Outbox:
    """Made by `outbox_file.open_outbox`. Safe to share between threads; one change at a time."""

    def __init__(
        self, connection: sqlite3.Connection, limits: Limits, release: Callable[[], None], *, set_aside: bool = False
    ) -> None:
        self.set_aside = set_aside
        """Whether a broken file lies beside this one: told to the server until somebody has taken it away."""
        self._db = connection
        self._release = release
        self._limits = limits
        self._guard = threading.RLock()
        self._slips_shown: set[int] = set()
        self.stream = self._meta("stream")
        self.stopped = str(self._row("SELECT coalesce(max(value), '') FROM meta WHERE key = 'stopped'")[0])
        """Why nothing more is taken; empty while the till reads."""
        count, size_bytes = self._row("SELECT count(*), coalesce(sum(length(line)), 0) FROM baskets")
        self._baskets, self._size_bytes = int(count), int(size_bytes)
        rejected, rejected_bytes = self._row("SELECT count(*), coalesce(sum(length(line)), 0) FROM rejected")
        self._rejected = int(rejected)
        self._size_bytes += int(rejected_bytes)
        self._reads_kept: tuple[Read, ...] = ()

    def record(
        self,
        still_open: OpenBasket | None,
        new: NewRows | None = None,
        *,
        line_id: str | None = None,
        lease_book: str | None = None,
    ) -> tuple[Row, ...]:
        """Everything that one event changed, on disk together: the closed basket's rows and the open basket, that the shop's
        line of this id was taken, and what was promised out of leases.

        Raises OutboxUnwritable; then nothing changed.
        """
        reads = () if still_open is None else tuple(kept.read for kept in still_open.reads)
        kept = 0 if new is not None else _same_head(self._reads_kept, reads)
        with self._change():
            if kept == 0:
                self._db.execute("DELETE FROM open_reads")
                self._db.execute("DELETE FROM open_basket")
            rows = () if new is None else self._insert(new)
            if still_open is not None:
                self._keep_open(still_open, kept)
            if line_id is not None:
                self._remember_line(line_id)
            if lease_book is not None:
                self._set_meta("leases", lease_book)
        self._reads_kept = reads
        self._baskets += len(rows)
        self._size_bytes += sum(len(row.line) for row in rows)
        return rows

    def open_basket(self) -> OpenBasket | None:
        """What the last run left open: the program was killed in the middle of a customer."""
        with self._guard:
            found = self._db.execute(
                "SELECT boot, opened_mono, last_mono, last_ts, member, cashier, slip_no"
                " FROM open_basket LEFT JOIN open_slips USING (boot, opened_mono)"
            ).fetchone()
            if found is None:
                return None
            reads = self._db.execute("SELECT read FROM open_reads ORDER BY number").fetchall()
        boot, opened_mono, last_mono, last_ts, member, cashier, slip_no = found
        return OpenBasket(
            boot=boot,
            opened_mono=opened_mono,
            last=Moment(last_mono, last_ts),
            member=member,
            cashier=cashier,
            slip_no=slip_no,
            reads=tuple(recall(line) for (line,) in reads),
        )

    def after(self, seq: int, limit: int) -> list[Row]:
        """The next rows without a receipt, by seq."""
        with self._guard:
            found = self._db.execute(
                "SELECT seq, line, sha256 FROM baskets WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
            ).fetchall()
        return [Row(*row) for row in found]

    def rows(self, seqs: Sequence[int]) -> list[Row]:
        """Those of `seqs` that still have no receipt."""
        marks = ",".join("?" * len(seqs))
        with self._guard:
            found = self._db.execute(
                f"SELECT seq, line, sha256 FROM baskets WHERE seq IN ({marks}) ORDER BY seq", tuple(seqs)
            ).fetchall()
        return [Row(*row) for row in found]

    def settle(self, receipts: Iterable[Receipt], *, now_ts: int) -> Settled:
        """Closes what these receipts prove, in one change. The caller has verified signature and stream.

        A hash that is not our row's closes nothing: the receipt speaks of another basket. A row that is gone
        was closed before. Raises OutboxUnwritable; the resend then brings the receipts again.
        """
        closed: list[Receipt] = []
        rejected: list[Receipt] = []
        mismatched: list[Receipt] = []
        freed_bytes = 0
        with self._change():
            for receipt in receipts:
                found = self._db.execute(
                    "SELECT sha256, length(line) FROM baskets WHERE seq = ?", (receipt.seq,)
                ).fetchone()
                if found is None:
                    continue
                if found[0] != receipt.sha256:
                    mismatched.append(receipt)
                elif receipt.state is ReceiptState.QUARANTINED:
                    self._set_aside(receipt, now_ts)
                    rejected.append(receipt)
                else:
                    self._db.execute("DELETE FROM baskets WHERE seq = ?", (receipt.seq,))
                    freed_bytes += found[1]
                    closed.append(receipt)
        self._baskets -= len(closed) + len(rejected)
        self._rejected += len(rejected)
        self._size_bytes -= freed_bytes
        return Settled(tuple(closed), tuple(rejected), tuple(mismatched))

    def low(self) -> int:
        """The smallest seq still held, or the next one to be given."""
        with self._guard:
            smallest = self._row("SELECT min(seq) FROM baskets")[0]
            return self.next_seq() if smallest is None else int(smallest)

    def next_seq(self) -> int:
        """What the next basket to close will be numbered; never a number that was given before."""
        with self._guard:
            found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'baskets'").fetchone()
        return 1 if found is None else int(found[0]) + 1

    def oldest_closed_ts(self) -> int | None:
        with self._guard:
            found = self._db.execute("SELECT closed_ts FROM baskets ORDER BY seq LIMIT 1").fetchone()
        return None if found is None else int(found[0])

    def last_group(self) -> tuple[int, ...]:
        """The seqs of the basket that closed last, void ones excepted; what a void would void."""
        return tuple(int(seq) for seq in self._meta("last_group").split())

    def new_session(self, *, now_ts: int) -> int:
        """The number of the connection about to be made, more than any before: also of those whose outbox was lost, as far
        as the clock (Unix ms) goes on.
        """
        with self._change():
            number = max(int(self._meta("session")) + 1, now_ts)
            self._set_meta("session", str(number))
        return number

    def lease_book(self) -> str:
        """What was told of leases and promised out of them; empty before the first."""
        return self._meta("leases")

    def keep_lease_book(self, text: str) -> None:
        """Raises OutboxUnwritable."""
        with self._change():
            self._set_meta("leases", text)

    def knows_line(self, line_id: str) -> bool:
        """Whether the shop's till sent this line before; the last 2,000 are known."""
        return bool(self._row("SELECT count(*) FROM shop_lines WHERE line_id = ?", line_id)[0])

    def slips_to_show(self) -> list[tuple[int, str]]:
        """Claim codes that were drawn but perhaps never printed."""
        with self._guard:
            return self._db.execute("SELECT seq, claim_code FROM slips ORDER BY seq").fetchall()

    def slip_shown(self, seq: int) -> None:
        """Forgets the code with the next change; after a crash a slip is rather printed twice than never."""
        with self._guard:
            self._slips_shown.add(seq)

    def fill(self) -> Fill:
        by_count = 100 * self._baskets // self._limits.baskets_max
        by_size = 100 * self._size_bytes // self._limits.size_max_bytes
        return Fill(self._baskets, self._size_bytes, self._rejected, max(by_count, by_size))

    def stop_reading(self, why: str) -> None:
        """Also after a restart; an empty `why` lets it read again. Raises OutboxUnwritable: then it holds for this run."""
        self.stopped = why
        with self._change():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('stopped', ?)", (why,))

    def check_room(self) -> None:
        """Raises NotAdmitted, OutboxFull. Asked before a read; closing what is open is always allowed."""
        if self.stopped:
            raise NotAdmitted
        if self.fill().percent >= 100:  # noqa: PLR2004
            raise OutboxFull

    def answers(self) -> bool:
        """Whether the file can still be read. Never returns while another thread keeps the outbox to itself."""
        try:
            self.next_seq()
        except sqlite3.Error:
            return False
        return True

    def close(self) -> None:
        """A second time does nothing."""
        with self._guard:
            self._db.close()
            release, self._release = self._release, lambda: None
            release()

    def _insert(self, new: NewRows) -> tuple[Row, ...]:
        first = self.next_seq()
        rows = tuple(Row(first + n, line, basket_hash(line)) for n, line in enumerate(new.make_lines(first)))
        # Given explicitly, so that the line can name its seq; AUTOINCREMENT still remembers the highest for ever.
        self._db.executemany(
            "INSERT INTO baskets (seq, line, sha256, closed_ts) VALUES (?, ?, ?, ?)",
            [(row.seq, row.line, row.sha256, new.ts) for row in rows],
        )
        if new.claim_code is not None:
            self._db.execute("INSERT INTO slips VALUES (?, ?)", (first, new.claim_code))
            self._db.execute(
                "DELETE FROM slips WHERE seq NOT IN (SELECT seq FROM slips ORDER BY seq DESC LIMIT ?)", (SLIPS_KEPT,)
            )
        self._set_meta("last_group", " ".join(str(row.seq) for row in rows) if new.voidable else "")
        return rows

    def _keep_open(self, basket: OpenBasket, kept: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO open_basket VALUES (1, ?, ?, ?, ?, ?, ?)",
            (basket.boot, basket.opened_mono, basket.last.mono, basket.last.ts, basket.member, basket.cashier),
        )
        self._db.execute("DELETE FROM open_slips")
        if basket.slip_no is not None:
            self._db.execute(
                "INSERT INTO open_slips VALUES (?, ?, ?)", (basket.boot, basket.opened_mono, basket.slip_no)
            )
        self._db.execute("DELETE FROM open_reads WHERE number >= ?", (kept,))
        self._db.executemany(
            "INSERT INTO open_reads VALUES (?, ?)",
            [(kept + n, read_line(read.read)) for n, read in enumerate(basket.reads[kept:])],
        )

    def _remember_line(self, line_id: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO shop_lines (line_id) VALUES (?)", (line_id,))
        self._db.execute(
            "DELETE FROM shop_lines WHERE number <= (SELECT max(number) FROM shop_lines) - ?", (LINES_KEPT,)
        )

    def _set_aside(self, receipt: Receipt, now_ts: int) -> None:
        self._db.execute(
            "INSERT INTO rejected SELECT seq, line, sha256, ?, ? FROM baskets WHERE seq = ?",
            (receipt.code, now_ts, receipt.seq),
        )
        self._db.execute("DELETE FROM baskets WHERE seq = ?", (receipt.seq,))

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._guard:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                shown = tuple(self._slips_shown)
                self._db.executemany("DELETE FROM slips WHERE seq = ?", [(seq,) for seq in shown])
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo()
                raise OutboxUnwritable(reason=type(error).__name__) from error
            except BaseException:
                self._undo()
                raise
            self._slips_shown.difference_update(shown)

    def _undo(self) -> None:
        # A full disk may have rolled the change back already.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _meta(self, key: str) -> str:
        return str(self._row("SELECT value FROM meta WHERE key = ?", key)[0])

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))

    def _row(self, statement: str, *values: str) -> tuple[Any, ...]:
        with self._guard:
            found: tuple[Any, ...] = self._db.execute(statement, values).fetchone()
        return found


def _same_head(stored: Sequence[Read], reads: Sequence[Read]) -> int:
    """How many reads from the first are on disk as they are; 0 writes all anew."""
    same = (one is other for one, other in zip(stored, reads, strict=False))
    return sum(itertools.takewhile(bool, same))
