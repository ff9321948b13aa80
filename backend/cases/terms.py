"""What a city has set for its cases: clocks, and the share of awards that is drawn for a second look."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.cases.lifecycle import Clocks
from backend.kernel.errors import DomainError
from backend.storage.transaction import hot

SALT_BYTES = 16
LISTED_MAX = 100
REASON_MAX = 500
DAYS_MAX = 120
SAMPLE_BP_MAX = 10_000
USUAL = Clocks(7, 15)
"""Where a city has set nothing; it then draws nothing either."""

SET = """
INSERT INTO case_terms (city, since, accept_days, decide_days, sample_bp, salt, set_by, reason)
VALUES (%(city)s, %(since)s, %(accept_days)s, %(decide_days)s, %(sample_bp)s, %(salt)s, %(by)s, %(reason)s)
ON CONFLICT DO NOTHING"""

LISTED = """
SELECT since, accept_days, decide_days, sample_bp, set_by, reason FROM case_terms
WHERE city = %(city)s ORDER BY since DESC LIMIT %(limit)s"""


class CaseTerms(NamedTuple):
    """`sample_bp`: of 10,000 paid awards so many are drawn."""

    since: datetime
    accept_days: int
    decide_days: int
    sample_bp: int
    by: str
    reason: str


class TermsRefused(DomainError):
    code = "case-terms-refused"
    text_zh = "天数须为 1 至 120 个工作日，抽查比例须为 0 至 10000 万分点，并写明理由（最多 500 字）。"
    text_en = "Days are 1 to 120, the share drawn is 0 to 10,000 basis points, and there is a reason of 500 characters."


def set_terms(connection: Connection, city: str, terms: CaseTerms, salt: bytes) -> None:
    """In force from `since` on: awards decided before are drawn as it was then. Raises TermsRefused."""
    days = range(1, DAYS_MAX + 1)
    good = terms.accept_days in days and terms.decide_days in days and 0 <= terms.sample_bp <= SAMPLE_BP_MAX
    if not good or not 1 <= len(terms.reason) <= REASON_MAX:
        raise TermsRefused
    hot(connection, SET, {"city": city, "salt": salt, **terms._asdict()})


def terms_set(connection: Connection, city: str) -> list[CaseTerms]:
    """What was set, the latest first; at most a hundred."""
    return [CaseTerms(*row) for row in hot(connection, LISTED, {"city": city, "limit": LISTED_MAX})]


def in_force(connection: Connection, city: str) -> CaseTerms | None:
    """What was set last; None where nothing was."""
    row = hot(connection, LISTED, {"city": city, "limit": 1}).fetchone()
    return None if row is None else CaseTerms(*row)


def clocks(connection: Connection, city: str) -> Clocks:
    found = in_force(connection, city)
    return USUAL if found is None else Clocks(found.accept_days, found.decide_days)
