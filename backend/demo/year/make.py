"""`make run YEAR=1`: the year is made once, with its progress shown, while nothing else runs."""

from datetime import datetime, time, timedelta
from pathlib import Path

from backend.certificates.count_pages import next_month
from backend.demo.keys import CITY_KEY_ID, Keyring
from backend.demo.steps import step
from backend.demo.targets import set_targets
from backend.demo.year import founding, mainframe
from backend.demo.year.life import Keys, Span, live
from backend.demo.year.shops import SUZHOU
from backend.kernel.errors import DomainError
from backend.kernel.periods import CHINA, civil_date, milliseconds
from backend.key_files import secret_key
from backend.storage.transaction import Database
from backend.usecases.count_certificates import count_certificates
from backend.usecases.count_scans import count_scans, keep_outlooks
from backend.usecases.measure_targets import measure_targets

DONE = "done"
MONTH = 30
SET_FOR = 487
"""Days: the demonstration's targets run out four months from now."""


class YearCutOff(DomainError):
    code = "demo-year-cut-off"
    text_zh = "上次生成苏州的数据时被中断，请先执行 make reset，再执行 make run YEAR=1。"
    text_en = "Making Suzhou's year was interrupted; run make reset, then make run YEAR=1 again."


def make_year(url: str, owner: Database, keyring: Keyring, marker: Path, now: datetime) -> None:
    """Only the first time. Raises YearCutOff where an earlier attempt did not come to its end."""
    if marker.exists():
        if marker.read_text() != DONE:
            raise YearCutOff
        return
    marker.write_text("begun")
    span = Span(civil_date(milliseconds(now)))
    with step("苏州 founding Suzhou"):
        founding.found(url, owner, span.begins - timedelta(days=2))
    live(url, keys_of(keyring), span, progress=_show)
    mainframe.upload(owner, keys_of(keyring).line, now)
    count_scans(owner, SUZHOU, now)
    keep_outlooks(owner, SUZHOU, now)
    count_certificates(owner)
    follow_targets(owner, span, now)
    marker.write_text(DONE)


def follow_targets(owner: Database, span: Span, now: datetime) -> None:
    """Set as the year began, and measured since as on the first morning of each month, and now."""
    begins_on = civil_date(milliseconds(span.begins))
    set_targets(owner, SUZHOU, begins_on, begins_on + timedelta(days=SET_FOR), span.begins)
    month = next_month(begins_on)
    while month < span.ends:
        measure_targets(owner, SUZHOU, datetime.combine(month, time(4), CHINA))
        month = next_month(month)
    measure_targets(owner, SUZHOU, now)


def keys_of(keyring: Keyring) -> Keys:
    secret = secret_key(keyring.identity_hash)
    return Keys(secret, secret, CITY_KEY_ID, keyring.load_signing("city").sign)


def _show(day: int, days: int) -> None:
    """A line a month: what takes a minute or two must not look dead."""
    if day % MONTH == 0 or day == days:
        print(f"· 苏州的一年 a year in Suzhou … {day}/{days} 天 days", flush=True)
