from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

Setting = int | str
Document = dict[str, Setting]


class Desired(NamedTuple):
    """One version. `text` is the exact document that the till is sent and hashes; `sha256` in lower-case hex."""

    version: int
    text: str
    sha256: str
    set_by: str
    set_at: datetime


class Reported(NamedTuple):
    """What the till last said. `version` is the newest that it has judged, `applied_version` the one it runs by now:
    0 for none. `error` says in a word why it did not take it.
    """

    version: int
    applied_version: int
    sha256: str | None
    status: str
    error: str | None


class Agreement(StrEnum):
    """How desired and reported stand to each other."""

    NOTHING = "nothing"
    WAITING = "waiting"
    TRIAL = "trial"
    APPLIED = "applied"
    REJECTED = "rejected"
    REVERTED = "reverted"
    DIFFERENT = "different"
    """The till runs by something else than what stands here: it holds a version this register does not know."""


AGREEMENT_ZH = {
    Agreement.NOTHING: "未设置",
    Agreement.WAITING: "待下发",
    Agreement.TRIAL: "试用中",
    Agreement.APPLIED: "已生效",
    Agreement.REJECTED: "终端不接受",
    Agreement.REVERTED: "已退回上一版",
    Agreement.DIFFERENT: "与登记不符",
}
