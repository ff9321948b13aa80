"""What the linter says of one place of a policy document."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """A blocker refuses the submission of a document; a warning is for its approver to weigh."""

    BLOCKER = "blocker"
    WARNING = "warning"


class Finding(NamedTuple):
    """`place` is dotted as in PolicyRefused: `rules.0.rates`, empty for the document as a whole."""

    code: str
    severity: Severity
    place: str
    sentence_zh: str
    sentence_en: str


class SchemeCeiling(NamedTuple):
    """What a scheme's label proves at best (U, M, E, S), and the most that a policy may pay for it, in basis points."""

    level: str
    max_rate_bp: int


def blocker(code: str, place: str, zh: str, en: str) -> Finding:
    return Finding(code, Severity.BLOCKER, place, zh, en)


def warning(code: str, place: str, zh: str, en: str) -> Finding:
    return Finding(code, Severity.WARNING, place, zh, en)
