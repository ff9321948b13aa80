"""How long a session lasts: it ends when unused for a while, and in any case after thirty days."""

from datetime import datetime, timedelta
from enum import StrEnum


class Way(StrEnum):
    """How a resident signed in."""

    WECHAT = "wechat"
    PHONE = "phone"
    DEVELOPMENT = "development"


LONGEST = timedelta(days=30)
_IDLE = {
    # The mini-program signs in anew without a question; by phone it costs the resident a message.
    Way.WECHAT: timedelta(hours=2),
    Way.PHONE: timedelta(days=7),
    Way.DEVELOPMENT: timedelta(hours=12),
}


def unused_until(way: Way, now: datetime, ends_at: datetime) -> datetime:
    """When a session used at `now` ends if it is not used again."""
    return min(now + _IDLE[way], ends_at)


def renewed(way: Way, expires_at: datetime, ends_at: datetime, now: datetime) -> datetime | None:
    """The new end of a session in use, None while less than a tenth would be gained: not every request writes.

    One that a former release opened names no last end, and is never moved on.
    """
    if ends_at - now > LONGEST:
        return None
    later = unused_until(way, now, ends_at)
    return later if later - expires_at > _IDLE[way] / 10 else None
