"""What the pages of money share: who sees and who acts, and how an amount of any unit reads."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from backend.officials import queries
from backend.officials.model import Role
from backend.settlements.clock import last_day
from backend.web.console import here, words

SEES = frozenset({Role.FINANCE, Role.APPROVER, Role.AUDITOR, Role.CITY_ADMINISTRATOR, Role.PROVINCE})
ACTS = frozenset({Role.FINANCE})
JUDGES = frozenset({Role.FINANCE, Role.APPROVER})
"""Second persons: of finance or of those who approve."""
CHARS_MAX = 200
UNIT_NAMES = {
    "points": ("积分", "Points"),
    "fen": ("补贴资金", "Subsidy money"),
    "fee": ("门店手续费", "Handling fees"),
    "gco2e": ("减碳量", "Impact"),
    "evidence": ("信用凭据", "Credit evidence"),
}
_SUFFIXES = {"points": ("分", "points"), "gco2e": ("克", "g CO₂e"), "evidence": ("条", "records")}


def amount(unit: str, value: int) -> str:
    """Fen as yuan, anything else as a whole number with its unit."""
    if unit in ("fen", "fee"):
        return words.yuan(value)
    return f"{words.whole(value)} {here.say(*_SUFFIXES[unit])}"


def until(at: datetime) -> str:
    """The last civil day of what ends at `at`, a day's end."""
    return words.day(last_day(at))


def unit_name(unit: str) -> str:
    return here.say(*UNIT_NAMES[unit])


def may_act() -> bool:
    return bool(here.official().roles & ACTS)


def may_judge() -> bool:
    return bool(here.official().roles & JUDGES)


def names(connection: Connection, people: Iterable[str | None]) -> dict[str, str]:
    """Names of officials by their ids; what a command or a job did stands as it was told."""
    found = {one for one in people if one}
    return {one: one for one in found} | queries.names(connection, here.city(), filter(_is_id, found))


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def by() -> str:
    """Who is recorded as having done it: the id that stays, whatever they are called later."""
    return here.official().official
