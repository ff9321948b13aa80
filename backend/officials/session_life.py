"""How long an official is signed in: until nothing was done for half an hour, and for twelve hours at most."""

from datetime import datetime, timedelta

from backend.officials.model import Stage

LONGEST = timedelta(hours=12)
IDLE = timedelta(minutes=30)
TO_FINISH = timedelta(minutes=10)
"""For a sign-in that has begun and is not finished."""
FRESH = timedelta(minutes=10)
"""For so long a second factor just given suffices for money, exports and roles."""


def ends(stage: Stage, now: datetime) -> tuple[datetime, datetime]:
    """(when it ends unused, when it ends in any case)."""
    if stage is not Stage.FULL:
        return now + TO_FINISH, now + TO_FINISH
    return now + IDLE, now + LONGEST


def renewed(stage: Stage, expires_at: datetime, ends_at: datetime, now: datetime) -> datetime | None:
    """The new end of a session in use; None while less than a tenth would be gained: not every request writes."""
    if stage is not Stage.FULL:
        return None
    later = min(now + IDLE, ends_at)
    return later if later - expires_at > IDLE / 10 else None
