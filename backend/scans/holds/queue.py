"""The queue of scans that wait for a person: it follows the decisions, within their transaction."""

from collections.abc import Sequence
from operator import itemgetter

from sqlalchemy import Connection

from backend.policies.model import Outcome
from backend.scans.decide import Decision, DecisionRow
from backend.storage.columns import ids, numbers
from backend.storage.transaction import hot

_HELD = Outcome.HELD.value
# By places, which costs half of what the names of a tuple do: every decision comes by here.
_number_of = itemgetter(Decision._fields.index("decision_no"))
_outcome_of = itemgetter(Decision._fields.index("outcome"))

HOLD = """
INSERT INTO open_holds (city, basket, line_no, decision_no)
SELECT %(city)s, t.basket, t.line_no, t.decision_no
FROM unnest(%(baskets)s::uuid[], %(lines)s::smallint[], %(numbers)s::smallint[]) t(basket, line_no, decision_no)"""

RELEASE = """
DELETE FROM open_holds o USING unnest(%(baskets)s::uuid[], %(lines)s::smallint[]) t(basket, line_no)
WHERE o.city = %(city)s AND o.basket = t.basket AND o.line_no = t.line_no"""


def follow(connection: Connection, city: str, rows: Sequence[DecisionRow]) -> None:
    """What waited and is decided once more waits no longer; what is held now waits. Most decisions are neither."""
    if set(map(_number_of, rows)) - {1}:
        again = [one for one in map(Decision._make, rows) if one.decision_no > 1]
        hot(connection, RELEASE, {"city": city, **_lines_of(again)})
    if _HELD in map(_outcome_of, rows):
        held = [one for one in map(Decision._make, rows) if one.outcome == _HELD]
        given: dict[str, object] = {"city": city, "numbers": numbers([one.decision_no for one in held])}
        hot(connection, HOLD, {**given, **_lines_of(held)})


def _lines_of(decisions: Sequence[Decision]) -> dict[str, object]:
    return {"baskets": ids([one.basket for one in decisions]), "lines": numbers([one.line_no for one in decisions])}
