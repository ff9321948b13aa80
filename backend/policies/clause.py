"""One thing that a policy says, and how dates, amounts and lists are written in an official paper. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from backend.kernel.amounts import Unit
from backend.kernel.periods import CHINA
from backend.policies.words import Sentence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clause(NamedTuple):
    """`key` names what it is about across versions (`caps/quota`), `place` where it stands in its document (`caps.0`)."""

    key: str
    place: str
    heading: Sentence
    text: Sentence


def clause(key: str, place: str, heading: Sentence, zh: str, en: str) -> Clause:
    return Clause(key, place, heading, Sentence(zh, en))


def money(unit: Unit | str, amount: int) -> Sentence:
    """An amount as a paper writes it, thousands apart: 1,500.00 元, 3,000 积分."""
    if unit in (Unit.FEN, Unit.FEE):
        whole = f"{amount // 100:,}.{amount % 100:02d}"
        return Sentence(f"{whole} 元", f"¥{whole}")
    zh, en = UNITS[Unit(unit)]
    return Sentence(f"{amount:,} {zh}", f"{amount:,} {en}")


UNITS = {
    Unit.POINTS: Sentence("积分", "points"),
    Unit.FEN: Sentence("元", "yuan"),
    Unit.GCO2E: Sentence("克二氧化碳当量", "g CO2e"),
    Unit.EVIDENCE: Sentence("项信用凭证", "items of credit evidence"),
    Unit.FEE: Sentence("元", "yuan"),
}
NOUNS = {
    Unit.POINTS: Sentence("积分", "points"),
    Unit.FEN: Sentence("补贴资金", "subsidy"),
    Unit.GCO2E: Sentence("减碳量", "carbon saved"),
    Unit.EVIDENCE: Sentence("信用凭证", "credit evidence"),
    Unit.FEE: Sentence("门店手续费", "handling fee of shops"),
}
"""What is given out, by the unit that it is counted in."""


def day(on: date | str) -> Sentence:
    found = date.fromisoformat(on) if isinstance(on, str) else on
    return Sentence(f"{found.year}年{found.month}月{found.day}日", found.isoformat())


def begins(at_ms: int) -> Sentence:
    """The first moment of a period, as a date where it is the start of one."""
    at = _civil(at_ms)
    if at.time() == at.min.time():
        return day(at.date())
    return _moment(at)


def ends(at_ms: int) -> Sentence:
    """The end of a period, which is not part of it: as the last whole day where it ends at midnight."""
    at = _civil(at_ms)
    if at.time() == at.min.time():
        last = day(at.date() - timedelta(days=1))
        return Sentence(f"{last.zh}（含当日）", f"{last.en} (that day included)")
    return _moment(at)


def listed(sentences: Iterable[Sentence]) -> Sentence:
    found = list(sentences)
    return Sentence("、".join(one.zh.strip() for one in found), ", ".join(one.en for one in found))


def joined(parts: Sequence[Sentence]) -> Sentence:
    """Parts of one clause, one after the other."""
    return Sentence("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _civil(at_ms: int) -> datetime:
    # Not `fromtimestamp`, whose floats lose the milliseconds of far years.
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(CHINA)


def _moment(at: datetime) -> Sentence:
    precise = at.strftime("%H:%M:%S") + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")
    on = day(at.date())
    return Sentence(f"{on.zh} {precise}", f"{on.en} {precise}")
