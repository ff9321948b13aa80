"""What the fields of a target's forms say, and what is wrong with them."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from flask import request

from backend.targets.check import Fault, Faults
from backend.targets.model import IN_FEN, OF_A_SCHEME, Goal, Measure, Yardstick
from backend.web.console import here, words

DIGITS_MAX = 16
CHARS_MAX = 1_000


class Typed(NamedTuple):
    """What the fields of a form say; what is wrong already as it is read stands in `faults`."""

    faults: Faults

    def text(self, name: str, *, required: bool = False) -> str:
        found = text_of(name)
        if required and not found:
            self.faults[name] = Fault.MISSING
        return found

    def number(self, name: str, *, times: int = 1) -> int:
        found = text_of(name).replace(",", "").replace(words.THIN, "").replace(" ", "")
        if not (found.isascii() and found.isdigit()) or len(found) > DIGITS_MAX:
            self.faults[name] = Fault.NO_NUMBER
            return 0
        return int(found) * times

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(text_of(name))
        except ValueError:
            self.faults[name] = Fault.NO_DAY
            return date(2000, 1, 1)


def yardstick_of(typed: Typed) -> Yardstick:
    try:
        measure = Measure(text_of("measure"))
    except ValueError:
        typed.faults["measure"] = Fault.NO_MEASURE
        measure = Measure.CERTIFIED_UNITS
    scheme = typed.text("scheme") or None
    return Yardstick(
        measure,
        scheme if measure in OF_A_SCHEME else None,
        (typed.text("unit", required=True) or None) if measure is Measure.BY_HAND else None,
        typed.day("begins_on"),
        typed.number("start", times=times_of(measure)),
        _id(typed, "follows"),
    )


def goal_of(typed: Typed, measure: Measure) -> Goal:
    return Goal(
        typed.text("title", required=True),
        typed.number("value", times=times_of(measure)),
        typed.day("due_on"),
        typed.text("document", required=True),
        typed.text("clause") or None,
        typed.text("link") or None,
    )


def _id(typed: Typed, name: str) -> str | None:
    found = typed.text(name)
    try:
        return str(UUID(found)) if found else None
    except ValueError:
        typed.faults[name] = Fault.UNKNOWN
        return None


def times_of(measure: Measure) -> int:
    """Money is typed in yuan and kept in fen."""
    return 100 if measure in IN_FEN else 1


def text_of(name: str) -> str:
    return request.form.get(name, "").strip().replace("\x00", "")[:CHARS_MAX]


def said_of(faults: Faults) -> dict[str, str]:
    return {name: here.say(fault.zh, fault.en) for name, fault in faults.items()}
