"""What one official may grant a resident alone, and what needs a second."""

from collections import Counter
from collections.abc import Mapping

from backend.kernel.amounts import Unit
from backend.kernel.errors import DomainError
from backend.policies.words import amount_words
from backend.scans.decide import Taken

ALONE_MAX: Mapping[str, int] = {Unit.FEN.value: 20_000, Unit.POINTS.value: 5_000}
"""200 yuan, 5,000 points."""


class SecondPersonNeeded(DomainError):
    code = "second-person-needed"
    text_zh = "核定后应得{amount_zh}，超过单人权限，须由第二人复核。"
    text_en = "What follows is {amount_en}, more than one person may grant: a second has to approve."


def awarded_by(taken: Taken) -> Counter[str]:
    """What decisions give, by unit."""
    awarded: Counter[str] = Counter()
    for decision in taken.decisions:
        if decision.unit is not None:
            awarded[decision.unit] += decision.award
    for award in taken.further:
        awarded[award.unit] += award.award
    return awarded


def check_second(awarded: Mapping[str, int], approved_by: str | None) -> None:
    """Raises SecondPersonNeeded where it is more than one may grant and nobody else approved."""
    beyond = {unit: amount for unit, amount in awarded.items() if amount > ALONE_MAX.get(unit, amount)}
    for unit, amount in beyond.items():
        if approved_by is None:
            words = amount_words(unit, amount)
            raise SecondPersonNeeded(amount_zh=words.zh, amount_en=words.en)
