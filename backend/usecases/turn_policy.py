"""A published policy is suspended, resumed or ended, from a moment of sale on that lies ahead; one law for all three."""

from datetime import datetime

from sqlalchemy import Connection

from backend.kernel.periods import instant, milliseconds
from backend.policies import store
from backend.policies.lifecycle import PolicyUnknown, Standing, check_turn
from backend.policies.suspensions import NewTurn, insert_turn, turns_of


def turn_policy(connection: Connection, city: str, new: NewTurn, now: datetime) -> Standing:
    """Every process learns of it with its next batch, since the city's revision counts it.

    What is sold before the moment is decided as ever, whenever it arrives; what was reserved is honoured, because a
    reservation is an award that was already decided. Raises PolicyUnknown, NotInThatState, SuspensionBackdated.
    """
    # First, so that turns of a city queue up behind one another here.
    store.announce(connection, city)
    if store.last_version(connection, city, new.policy) is None:
        raise PolicyUnknown(policy=new.policy)
    led_to = check_turn(turns_of(connection, city).get(new.policy, ()), new.taken, milliseconds(now))
    insert_turn(connection, city, new, min(now, instant(new.taken.from_ms)))
    return led_to


def taken_at(now: datetime, from_at: datetime | None) -> int:
    """The first millisecond that is not before `now`, or the moment asked for."""
    return milliseconds(from_at) if from_at is not None else milliseconds(now) + 1
