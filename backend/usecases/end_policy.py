"""A policy is over before its documents say so; no version of it pays for what is sold from a moment on."""

from datetime import datetime

from sqlalchemy import Connection

from backend.policies.lifecycle import Standing, Turn, TurnTaken
from backend.policies.suspensions import NewTurn
from backend.usecases.turn_policy import taken_at, turn_policy


def end_policy(
    connection: Connection,
    city: str,
    policy: str,
    *,
    notice_zh: str,
    reason: str,
    by: str,
    now: datetime,
    from_at: datetime | None = None,
) -> Standing:
    """From `from_at`, or at once. Raises PolicyUnknown, NotInThatState, SuspensionBackdated."""
    taken = TurnTaken(Turn.END, taken_at(now, from_at))
    return turn_policy(connection, city, NewTurn(policy, taken, notice_zh, reason, by), now)
