from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from backend.kernel.errors import DomainError

KEPT = timedelta(days=1)
"""How long a file can be fetched."""
DAYS_MAX = 366
PIECE_BYTES = 1_048_576


class Kind(StrEnum):
    """What can be had as a file."""

    STATEMENTS = "statements"
    LIABILITY = "liability"
    JOURNAL = "journal"
    ADJUSTMENTS = "adjustments"


KIND_NAMES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.STATEMENTS: ("对账单明细", "Lines of statements"),
        Kind.LIABILITY: ("逐日负债表", "Liability by day"),
        Kind.JOURNAL: ("账本转账", "Transfers of the ledger"),
        Kind.ADJUSTMENTS: ("人工调整", "Adjustments"),
    }
)


class ExportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"


class Wanted(NamedTuple):
    """The days from `first` through `last`: of months that were closed then, or of what was recorded."""

    kind: Kind
    first: date
    last: date

    @property
    def faulty(self) -> bool:
        return not 0 <= (self.last - self.first).days < DAYS_MAX


class Export(NamedTuple):
    """`rows_all` is None until it is known; `ends_at` is when its file is gone."""

    export: str
    wanted: Wanted
    asked_by: str
    asked_at: datetime
    state: ExportState
    moved_at: datetime
    rows_written: int
    rows_all: int | None
    size_bytes: int | None
    sha256: str | None
    ends_at: datetime | None


class ExportInvalid(DomainError):
    code = "export-invalid"
    text_zh = "请选择起止日期，最长 366 天。"
    text_en = "Choose a first and a last day, at most 366 days."


class ExportUnknown(DomainError):
    code = "export-unknown"
    text_zh = "没有这份导出，或不是您申请的。"
    text_en = "There is no such export, or somebody else asked for it."


class ExportNotReady(DomainError):
    code = "export-not-ready"
    text_zh = "文件尚未生成，或已过期，请重新申请。"
    text_en = "The file is not there yet, or not any more; ask for another."
