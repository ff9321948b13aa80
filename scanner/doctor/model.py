"""What the doctor says. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """WARN: the till works, and somebody should see to it. WRONG: reads are not taken, kept or sent."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Advice:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` names the matter for programs; `advice` is what to do."""

    verdict: Verdict
    subject: str
    text_zh: str
    text_en: str
    advice: Advice | None = None

    def __post_init__(self) -> None:
        assert (self.advice is None) == (self.verdict is Verdict.OK)


def ok(subject: str, text_zh: str, text_en: str) -> Finding:
    return Finding(Verdict.OK, subject, text_zh, text_en)


def warn(subject: str, text_zh: str, text_en: str, advice: Advice) -> Finding:
    return Finding(Verdict.WARN, subject, text_zh, text_en, advice)


def wrong(subject: str, text_zh: str, text_en: str, advice: Advice) -> Finding:
    return Finding(Verdict.WRONG, subject, text_zh, text_en, advice)
