"""A published policy is suspended, resumed or ended, from a moment of sale on that lies ahead."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.periods import instant, milliseconds
from backend.leases.model import EndedWhy
from backend.policies import store
from backend.policies.lifecycle import PolicyUnknown, Standing, Turn, TurnTaken, check_turn, standing
from backend.policies.suspensions import NewTurn, insert_turn, turns_of
from backend.usecases.end_leases import end_leases

_ACTS = {
    Turn.SUSPEND: What.POLICY_SUSPENDED,
    Turn.RESUME: What.POLICY_RESUMED,
    Turn.END: What.POLICY_ENDED,
}


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
    before = turns_of(connection, city).get(policy, ())
    led_to = check_turn(before, taken, milliseconds(now))
    new = NewTurn(policy, taken, notice_zh, reason, by)
    insert_turn(connection, city, new, min(now, instant(taken.from_ms)))
    if turn is not Turn.RESUME:
        end_leases(connection, city, instant(taken.from_ms), EndedWhy.POLICY, now, policy=policy)
    told = {"standing": led_to.value, "from": instant(taken.from_ms).isoformat(), "notice_zh": notice_zh, "by": by}
    earlier = {"standing": standing(before).value}
    record(connection, Act(_ACTS[turn], city, "policy", policy, now, reason, before=earlier, after=told))
    return led_to
