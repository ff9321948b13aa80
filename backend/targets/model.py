"""A target, what it is measured by, and what is known of its progress. Pure."""

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Self

from backend.kernel.errors import DomainError

TARGETS_MAX = 100
"""Of a city, withdrawn ones too: a page shows them all."""
REVISIONS_MAX = 50
READINGS_MAX = 400
VALUE_MAX = 10**15


class Measure(StrEnum):
    """What is measured, and how: its code, in Chinese and English what it is called, counted in, and counts."""

    zh: str
    en: str
    unit_zh: str
    unit_en: str
    why_zh: str
    why_en: str

    def __new__(cls, code: str, *words: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.zh, member.en, member.unit_zh, member.unit_en, member.why_zh, member.why_en = words
        return member

    CERTIFIED_UNITS = (
        *("certified_units", "认证商品销量", "Certified goods sold", "件", "pieces"),
        "起始日以来读到有效证书的商品件数；退货不扣减",
        "pieces with a valid certificate that were read at a sale since the first day; returns are not taken off",
    )
    CERTIFIED_FEN = (
        *("certified_fen", "认证商品销售额", "Sales of certified goods", "元", "yuan"),
        "起始日以来读到有效证书的商品成交额；退货不扣减",
        "their final prices since the first day; returns are not taken off",
    )
    PARTICIPANTS = (
        *("participants", "参与居民", "Residents who took part", "人", "people"),
        "起始日以来至少扫码一次的居民，每人计一次",
        "residents with at least one scan since the first day, each counted once",
    )
    POINTS_GRANTED = (
        *("points_granted", "核定积分", "Points awarded", "分", "points"),
        "起始日以来按购买日期核定的积分；退货收回不扣减",
        "awarded since the first day, by day of sale; what returns took back is not off it",
    )
    SUBSIDY_GRANTED = (
        *("subsidy_granted", "核定补贴", "Subsidy awarded", "元", "yuan"),
        "起始日以来按购买日期核定的补贴；退货收回不扣减",
        "awarded since the first day, by day of sale; what returns took back is not off it",
    )
    ACTIVE_STORES = (
        *("active_stores", "活跃门店", "Active shops", "家", "shops"),
        "近 30 天内有扫码的门店",
        "shops with a scan within thirty days",
    )
    DISTRICTS_REACHED = (
        *("districts_reached", "覆盖区县", "Districts reached", "个", "districts"),
        "起始日以来有扫码的区县",
        "districts with a scan since the first day",
    )
    VALID_CERTIFICATES = (
        *("valid_certificates", "有效证书", "Valid certificates", "张", "certificates"),
        "登记库中持证企业在本地、月末有效的证书，按最近一个整月",
        "of the registry, of holders registered here, valid at the end of the last whole month",
    )
    BY_HAND = (
        *("by_hand", "人工登记", "Entered by hand", "", ""),
        "系统不能测算，由工作人员按来源登记",
        "what the system cannot measure: officials enter it with its source",
    )


OF_A_SCHEME = frozenset({Measure.CERTIFIED_UNITS, Measure.CERTIFIED_FEN, Measure.VALID_CERTIFICATES})
"""May be measured of one certification alone."""
IN_FEN = frozenset({Measure.CERTIFIED_FEN, Measure.SUBSIDY_GRANTED})


class Yardstick(NamedTuple):
    """What never changes of a target. `unit`: of what is entered by hand; `start`: how much there was before `begins_on`;
    `follows`: the target that it takes over from.
    """

    measure: Measure
    scheme: str | None
    unit: str | None
    begins_on: date
    start: int
    follows: str | None


class Goal(NamedTuple):
    """At least `value`, in fen where the measure is money, by the end of `due_on`, as `document` says."""

    title_zh: str
    value: int
    due_on: date
    document: str
    clause: str | None
    link: str | None


class Target(NamedTuple):
    target: str
    revision: int
    yardstick: Yardstick
    goal: Goal
    withdrawn: bool
    reason: str | None
    by: str
    at: datetime


class Reading(NamedTuple):
    """Progress at the end of the civil day `on`. `source`, `link`, `by`: of one that was entered by hand."""

    on: date
    value: int
    at: datetime
    source: str | None = None
    link: str | None = None
    by: str | None = None


class TargetUnknown(DomainError):
    code = "target-unknown"
    text_zh = "没有这项目标。"
    text_en = "There is no such target."


class TargetChanged(DomainError):
    code = "target-changed"
    text_zh = "这项目标刚被他人更改或撤下，请刷新后再办理。"
    text_en = "Somebody else has just changed this target: reload it first."


class TooManyTargets(DomainError):
    code = "too-many-targets"
    text_zh = "最多登记 100 项目标，每项最多修订 50 次、登记进展 400 次。"
    text_en = "At most 100 targets, each with 50 revisions and 400 readings."


class MeasuredBySystem(DomainError):
    code = "target-measured-by-system"
    text_zh = "这项目标由系统测算，不能人工登记进展。"
    text_en = "The system measures this target: its progress is not entered by hand."


class CitySetsItself(DomainError):
    code = "target-of-the-city"
    text_zh = "本市目标由本市的政策起草人或管理员登记；省级账户登记全省目标。"
    text_en = "A city's targets are set by its own officials; those of the province set the province's."
