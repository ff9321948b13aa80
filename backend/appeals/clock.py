"""By when an appeal is answered. Pure."""

import hashlib
from datetime import date, timedelta

_SATURDAY = 5


def due_on(filed_on: date, working_days: int) -> date:
    """The civil day by whose end it is answered: `working_days` after that of filing, Mondays to Fridays.

    Public holidays are not known here, so a real deadline is never later than the law's.
    """
    day = filed_on
    while working_days:
        day += timedelta(days=1)
        working_days -= day.weekday() < _SATURDAY
    return day


def appeal_id(city: str, resident: str, asked: str) -> str:
    """The appeal that one resident's client calls `asked`."""
    digest = hashlib.sha256(f"appeal\0{city}\0{resident}\0{asked}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
