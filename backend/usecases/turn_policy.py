"""A published policy is suspended, resumed or ended, from a moment of sale on that lies ahead."""

from datetime import datetime

from sqlalchemy import Connection

from backend.kernel.periods import instant, milliseconds
from backend.leases.model import EndedWhy
from backend.policies import store
from backend.policies.lifecycle import PolicyUnknown, Standing, Turn, TurnTaken, check_turn
from backend.policies.suspensions import NewTurn, insert_turn, turns_of
from backend.usecases.end_leases import end_leases


def turn_policy(
    connection: Connection,
    city: str,
    policy: str,
    turn: Turn,
    *,
    notice_zh: str,
    reason: str,
    by: str,
    now: datetime,
    from_at: datetime | None = None,
) -> Standing:
    """From `from_at`, or at once. Every process learns of it with its next batch, since the city's revision counts it.

    What is sold before the moment is decided as ever, whenever it arrives; what was reserved is honoured, because a
    reservation is an award that was already decided. Leases of its budget end with that moment. Raises PolicyUnknown,
    NotInThatState, SuspensionBackdated.
    """
    # First, so that turns of a city queue up behind one another here.
    store.announce(connection, city)
    if store.last_version(connection, city, policy) is None:
        raise PolicyUnknown(policy=policy)
    # At once: the first millisecond that is not before now.
    taken = TurnTaken(turn, milliseconds(now) + 1 if from_at is None else milliseconds(from_at))
    led_to = check_turn(turns_of(connection, city).get(policy, ()), taken, milliseconds(now))
    new = NewTurn(policy, taken, notice_zh, reason, by)
    insert_turn(connection, city, new, min(now, instant(taken.from_ms)))
    if turn is not Turn.RESUME:
        end_leases(connection, city, instant(taken.from_ms), EndedWhy.POLICY, now, policy=policy)
    return led_to
