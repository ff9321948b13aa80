from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.amounts import Unit
from backend.kernel.errors import DomainError
from backend.kernel.periods import Period

UNIT = Unit.POINTS
"""What every price is in: subsidy money, impact and evidence buy nothing here."""


class Kind(StrEnum):
    SERVICE = "service"
    VOUCHER = "voucher"
    DONATION = "donation"


class State(StrEnum):
    """Of a redemption. `voided`: it was confirmed and undone, all of it."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOIDED = "voided"


class VoucherState(StrEnum):
    ISSUED = "issued"
    USED = "used"
    EXPIRED = "expired"
    VOID = "void"


class Limit(NamedTuple):
    """Pieces a person may redeem in one civil period."""

    pieces: int
    period: Period


class Entry(NamedTuple):
    """One version of what is offered: `points` a piece; `stock` counts all pieces ever offered, None without end.

    Offered from `starts_at` until `ends_at`. `stores`: partner shops, where it is confirmed (`at_till`) or its voucher used.
    `voucher_days` and `points_back` (whether an unused voucher's points come back at its end) are of vouchers alone,
    `recipient` of donations alone. `shop_fen`: what the city owes the shop for each piece; None: nothing.
    """

    entry: str
    kind: Kind
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    points: int
    pieces_max: int
    stock: int | None
    limit: Limit | None
    starts_at: datetime
    ends_at: datetime
    hold_minutes: int
    at_till: bool
    stores: tuple[str, ...]
    voucher_days: int | None
    points_back: bool | None
    recipient: str | None
    shop_fen: int | None = None


class Offer(NamedTuple):
    """The version of an entry in force, and how much of its stock is taken."""

    entry: Entry
    version: int
    withdrawn: bool
    taken: int

    @property
    def left(self) -> int | None:
        """Pieces of its stock; None without end."""
        return None if self.entry.stock is None else self.entry.stock - self.taken


class At(NamedTuple):
    """Where and by whom it is confirmed or used; `use_key` is the shop's own number, kept when it asks again."""

    service: str
    store: str
    use_key: str


class Approved(NamedTuple):
    """Who voided, who approved it, and why."""

    by: str
    approved_by: str
    reason: str


class EntryUnknown(DomainError):
    code = "catalogue-entry-unknown"
    text_zh = "没有这项兑换内容。"
    text_en = "There is no such entry in the catalogue."


class EntryClosed(DomainError):
    code = "catalogue-entry-closed"
    text_zh = "{title_zh}现在不能兑换：尚未开始、已经结束或已停止。"
    text_en = "{title_en} cannot be redeemed now: it has not begun, is over, or was withdrawn."


class SoldOut(DomainError):
    code = "sold-out"
    text_zh = "库存不足：还剩 {left} 份。"
    text_en = "Not enough is left: {left}."


class LimitReached(DomainError):
    code = "redemption-limit-reached"
    text_zh = "{period_zh}每人限兑 {limit} 份，您还可兑 {left} 份。"
    text_en = "{limit} a person {period_en}; you may still redeem {left}."


class TooManyPieces(DomainError):
    code = "too-many-pieces"
    text_zh = "一次最多兑换 {pieces_max} 份。"
    text_en = "At most {pieces_max} at a time."


class RedemptionUnknown(DomainError):
    code = "redemption-unknown"
    text_zh = "没有这笔兑换。"
    text_en = "There is no such redemption."


class RedemptionConflict(DomainError):
    code = "redemption-conflict"
    text_zh = "该编号已用于内容不同的兑换，请换用新的编号。"
    text_en = "This id stands for a redemption with other content; take a new one."


class RedemptionExpired(DomainError):
    code = "redemption-expired"
    text_zh = "保留时间已过，积分已退回，请重新兑换。"
    text_en = "The time to confirm is over and the points are back: redeem again."


class RedemptionCancelled(DomainError):
    code = "redemption-cancelled"
    text_zh = "这笔兑换已取消，积分已退回。"
    text_en = "This redemption was cancelled; the points are back."


class RedemptionConfirmed(DomainError):
    code = "redemption-confirmed"
    text_zh = "这笔兑换已完成，不能再次确认或取消。"
    text_en = "This redemption is done; it can be neither confirmed again nor cancelled."


class RedemptionVoided(DomainError):
    code = "redemption-voided"
    text_zh = "这笔兑换已作废，积分已退回。"
    text_en = "This redemption was voided; the points are back."


class ConfirmedAtTill(DomainError):
    code = "confirmed-at-till"
    text_zh = "请到合作网点出示兑换码，由工作人员确认。"
    text_en = "Show the code at a partner shop: it is confirmed there."


class NotConfirmed(DomainError):
    code = "redemption-not-confirmed"
    text_zh = "这笔兑换尚未完成，由本人取消或等待到期即可，无需作废。"
    text_en = "This redemption is not confirmed: its owner cancels it, or its time runs out."


class CodeMalformed(DomainError):
    code = "redemption-code-malformed"
    text_zh = "兑换码应为 {length} 位字母和数字，请核对后重新输入。"
    text_en = "The code has {length} letters and digits; check it and type it again."


class CodeUnknown(DomainError):
    code = "redemption-code-unknown"
    text_zh = "没有这个兑换码，请核对城市和号码。"
    text_en = "There is no such code: check the city and the digits."


class NotAPartner(DomainError):
    code = "not-a-partner"
    text_zh = "本店不是这项兑换的合作网点。"
    text_en = "This shop is no partner for it."


class UseConflict(DomainError):
    code = "redemption-use-conflict"
    text_zh = "本店的这个编号已用于另一笔兑换，请换用新的编号。"
    text_en = "The shop's number stands for another redemption; take a new one."


class VoucherUsed(DomainError):
    code = "voucher-used"
    text_zh = "这张券已使用。"
    text_en = "This voucher was used."


class VoucherExpired(DomainError):
    code = "voucher-expired"
    text_zh = "这张券已过期。"
    text_en = "This voucher is out of date."


class VoucherVoid(DomainError):
    code = "voucher-void"
    text_zh = "这张券已作废。"
    text_en = "This voucher is void."


class VoidByTwo(DomainError):
    code = "void-needs-another"
    text_zh = "作废须由另一人复核，经办人与复核人不能相同。"
    text_en = "Another person must approve a voiding: who asks for it cannot."
