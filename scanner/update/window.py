"""When a shop does not trade. Pure."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

CHINA = timedelta(hours=8)
WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


class Window(NamedTuple):
    """From `begin` to before `end`, over midnight where `end` is not later; the same time twice is the whole day."""

    begin: time
    end: time


def read_window(text: str) -> Window:
    """`22:30-06:00`, in the civil time of China. `text` has the form of WINDOW."""
    begin, end = text.split("-")
    return Window(time.fromisoformat(begin), time.fromisoformat(end))


def is_open(window: Window, wall_ms: int) -> bool:
    """`wall_ms` in Unix milliseconds."""
    now = (datetime.fromtimestamp(wall_ms / 1000, UTC) + CHINA).time()
    if window.begin < window.end:
        return window.begin <= now < window.end
    return now >= window.begin or now < window.end
