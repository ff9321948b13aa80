"""The queue of scans that wait for a person: it follows the decisions, within their transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.policies.model import Outcome
from backend.scans.decide import Decision
from backend.storage.columns import ids, numbers
from backend.storage.transaction import hot

_HELD = Outcome.HELD.value

HOLD = """
INSERT INTO open_holds (city, basket, line_no, decision_no)
SELECT %(city)s, t.basket, t.line_no, t.decision_no
FROM unnest(%(baskets)s::uuid[], %(lines)s::smallint[], %(numbers)s::smallint[]) t(basket, line_no, decision_no)"""

RELEASE = """
DELETE FROM open_holds o USING unnest(%(baskets)s::uuid[], %(lines)s::smallint[]) t(basket, line_no)
WHERE o.city = %(city)s AND o.basket = t.basket AND o.line_no = t.line_no"""


def follow(connection: Connection, city: str, decisions: Sequence[Decision]) -> None:
    """What waited and is decided once more waits no longer; what is held now waits. Most decisions are neither."""
    again = [one for one in decisions if one.decision_no > 1]
    if again:
        hot(connection, RELEASE, {"city": city, **_lines_of(again)})
    held = [one for one in decisions if one.outcome == _HELD]
    if held:
        given: dict[str, object] = {"city": city, "numbers": numbers([one.decision_no for one in held])}
        hot(connection, HOLD, {**given, **_lines_of(held)})


def _lines_of(decisions: Sequence[Decision]) -> dict[str, object]:
    return {"baskets": ids([one.basket for one in decisions]), "lines": numbers([one.line_no for one in decisions])}
