"""Purposes, and who may agree to which. Pure."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError
from backend.residents.standing import AgeBasis, GuardianConsentNeeded, Standing


class Purpose(StrEnum):
    """What personal data may be used for; each is asked apart."""

    BASIC_SERVICE = "basic_service"
    NOTICES = "notices"
    STATISTICS = "statistics"
    CREDIT_PASSPORT = "credit_passport"
    CREDIT_EXPORT = "credit_export"


CREDIT = frozenset({Purpose.CREDIT_PASSPORT, Purpose.CREDIT_EXPORT})
FALLS_WITH = {Purpose.CREDIT_PASSPORT: (Purpose.CREDIT_EXPORT,)}
"""What ends when an agreement that it builds on is withdrawn."""


class GivenBy(StrEnum):
    """Who or what changed an agreement."""

    RESIDENT = "resident"
    AGE = "age"
    GUARDIAN = "guardian"
    CLOSING = "closing"


class BasicServiceNeeded(DomainError):
    code = "basic-service-needed"
    text_zh = "基本服务为记分、查询所必需，不单独征求同意；不再使用时可注销账户。"
    text_en = (
        "The basic service is what the account is for and is not asked for apart; the account itself can be closed."
    )


class AdultsOnly(DomainError):
    code = "adults-only"
    text_zh = "绿色信用相关功能仅向年满十八周岁的居民开放；请先申明年龄段。"
    text_en = "Anything about credit is for residents of 18 or more; please declare your age band first."


class AgeNotVerified(DomainError):
    code = "age-not-verified"
    text_zh = "向信用平台提供前，须在服务窗口核验已满十八周岁。"
    text_en = "Before anything goes to a credit platform a service counter has to confirm an age of 18 or more."


class ConsentNeeded(DomainError):
    code = "consent-needed"
    text_zh = "尚未同意“{purpose_zh}”，请先在同意管理中开启。"
    text_en = "This needs the consent “{purpose_en}”; it can be given in the consent centre."


class ConsentTextChanged(DomainError):
    code = "consent-text-changed"
    text_zh = "说明文本已更新，请阅读现行文本后再同意。"
    text_en = "The text has changed; please read the one in force and agree to that."


class PurposeClosed(DomainError):
    code = "purpose-closed"
    text_zh = "本城市尚未公布信用平台的法律依据，此项未开放。"
    text_en = "This city has published no legal basis for a credit platform, so this is not open."


class ConsentText(NamedTuple):
    """The words that are agreed to. `version` counts those of a purpose."""

    purpose: str
    version: int
    zh: str
    en: str

    @property
    def sha256(self) -> bytes:
        """Over purpose, version and both languages, parted by U+0000, so that no two texts share one."""
        parts = (self.purpose, str(self.version), self.zh, self.en)
        return hashlib.sha256("\0".join(parts).encode()).digest()


class Agreement(NamedTuple):
    """The last word on one purpose."""

    purpose: Purpose
    given: bool
    at: datetime
    text_sha256: bytes


def refusal_of(purpose: Purpose, who: Standing, given: frozenset[Purpose], *, has_text: bool) -> DomainError | None:
    """Why `who` cannot agree to `purpose` now; None when they can. `given`: what they agree to already."""
    if purpose is Purpose.BASIC_SERVICE:
        return BasicServiceNeeded()
    if who.waits_for_guardian:
        return GuardianConsentNeeded()
    if purpose in CREDIT and not who.is_adult:
        return AdultsOnly()
    if not has_text:
        return PurposeClosed()
    if purpose is Purpose.CREDIT_EXPORT:
        return _export_refusal(who, given)
    return None


def _export_refusal(who: Standing, given: frozenset[Purpose]) -> DomainError | None:
    if who.age_basis is not AgeBasis.VERIFIED:
        return AgeNotVerified()
    if Purpose.CREDIT_PASSPORT not in given:
        return ConsentNeeded(**NAMES[Purpose.CREDIT_PASSPORT])
    return None


NAMES: dict[Purpose, dict[str, str]] = {
    Purpose.BASIC_SERVICE: {"purpose_zh": "基本服务", "purpose_en": "basic service"},
    Purpose.NOTICES: {"purpose_zh": "消息提醒", "purpose_en": "notices"},
    Purpose.STATISTICS: {"purpose_zh": "统计研究", "purpose_en": "research statistics"},
    Purpose.CREDIT_PASSPORT: {"purpose_zh": "绿色信用凭证", "purpose_en": "green-credit passport"},
    Purpose.CREDIT_EXPORT: {"purpose_zh": "向信用平台提供", "purpose_en": "sending to a credit platform"},
}
