"""How a new document must be written, beyond what the schema's library accepts: one spelling for each meaning.

Asked of documents that are about to be published. A version that was published before these laws stays loadable, or its
city could decide nothing any more.
"""

import re
from collections.abc import Iterator

from backend.policies.reading import Faults, step

_FLAGS = frozenset({"partial", "carry_over", "once_a_basket", "shared", "citywide"})
_TABLES = frozenset({"amounts", "percents", "steps"})
_ROW = re.compile(r"[1-9][0-9]{0,5}")
# No control character and no half of a surrogate pair: PostgreSQL keeps neither.
_PLAIN = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]+")


def misspelled(document: object) -> Faults:
    """Every place of a JSON document that could be read in two ways, with its reason."""
    faults: Faults = {}
    for place, reason in _faults(document, "", ""):
        faults.setdefault(place, []).append(reason)
    return faults


def _faults(value: object, name: str, place: str) -> Iterator[tuple[str, str]]:
    if name in _FLAGS and not isinstance(value, bool):
        yield place, "须为 true 或 false / Not a valid boolean."
    elif isinstance(value, str) and not _PLAIN.fullmatch(value):
        yield place, "不能只有空白或含控制字符 / neither blank nor with control characters"
    elif isinstance(value, dict):
        # The amounts of a pace stand by district, not by row.
        if name in _TABLES and ".paces." not in place:
            yield from _rows(value, place)
        for inner, held in value.items():
            yield from _faults(held, inner, step(place, inner))
    elif isinstance(value, list):
        for at, held in enumerate(value):
            yield from _faults(held, "", step(place, at))


def _rows(table: dict[str, object], place: str) -> Iterator[tuple[str, str]]:
    if not table:
        yield place, "至少有一行 / at least one row"
    for row in table:
        if not _ROW.fullmatch(row):
            yield step(place, row), '须为正整数，如 "1" / a whole number from 1, such as "1"'
