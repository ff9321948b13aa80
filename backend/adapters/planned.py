"""A job on the schedule, and what all of them share."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

Facts = dict[str, object]
Stopping = Callable[[], bool]
Work = Callable[[datetime, Stopping], Facts]

EVERY_MINUTE = "* * * * *"


class Planned(NamedTuple):
    """`cron` in UTC: 19:00 is 03:00 the next morning in China. `alone`: never two at once."""

    name: str
    cron: str
    text_zh: str
    text_en: str
    alone: bool = True
