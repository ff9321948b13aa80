"""Turns of published policies: suspended, resumed, ended, each from a moment of sale that lay ahead."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import instant, milliseconds
from backend.policies.lifecycle import Turn, TurnTaken
from backend.storage.transaction import hot

TURNS = """
SELECT policy, turn, from_at FROM policy_suspensions WHERE city = %(city)s ORDER BY policy, turn_no"""

TAKE = """
INSERT INTO policy_suspensions (city, policy, turn_no, turn, from_at, notice_zh, reason, taken_by, recorded_at)
SELECT %(city)s, %(policy)s, coalesce(max(turn_no), 0) + 1, %(turn)s, %(from_at)s, %(notice_zh)s, %(reason)s, %(by)s,
       %(now)s
FROM policy_suspensions WHERE city = %(city)s AND policy = %(policy)s"""


class NewTurn(NamedTuple):
    """`notice_zh` is what the public reads, `reason` stands in the record. `by` is who took it."""

    policy: str
    taken: TurnTaken
    notice_zh: str
    reason: str
    by: str


def turns_of(connection: Connection, city: str) -> Mapping[str, Sequence[TurnTaken]]:
    """Policy -> its turns in the order in which they were taken."""
    found: defaultdict[str, list[TurnTaken]] = defaultdict(list)
    for policy, turn, from_at in hot(connection, TURNS, {"city": city}):
        found[policy].append(TurnTaken(Turn(turn), milliseconds(from_at)))
    return found


def insert_turn(connection: Connection, city: str, new: NewTurn, now: datetime) -> None:
    """The next turn of a policy. The caller holds the city's revision, so that turns are taken one after another."""
    hot(
        connection,
        TAKE,
        {
            "city": city,
            "policy": new.policy,
            "turn": new.taken.turn.value,
            "from_at": instant(new.taken.from_ms),
            "notice_zh": new.notice_zh,
            "reason": new.reason,
            "by": new.by,
            "now": now,
        },
    )
