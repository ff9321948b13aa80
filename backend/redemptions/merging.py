"""What the redemptions of a person move when two of the person's accounts become one. City by city."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.storage.columns import numbers, words
from backend.storage.transaction import hot

LOCK = """
SELECT redemption::text, state FROM redemptions WHERE city = %(city)s AND resident = %(resident)s
ORDER BY redemptions.redemption FOR UPDATE"""

GIVE = "UPDATE redemptions SET resident = %(to)s WHERE city = %(city)s AND resident = %(resident)s"

# What both carried from one departure is taken off the one before it is added to the other.
ADD_COUNTERS = """
INSERT INTO redemption_counters (city, person, entry, period, used, allowed)
SELECT %(city)s, %(to)s::uuid, k.entry, k.period, k.used - coalesce(t.used, 0), k.allowed FROM redemption_counters k
LEFT JOIN unnest(%(periods)s::text[], %(entries)s::text[], %(twice)s::bigint[]) t(period, entry, used)
  ON t.period = k.period AND t.entry = k.entry
WHERE k.city = %(city)s AND k.person = %(resident)s AND k.used > 0 ORDER BY k.entry, k.period
ON CONFLICT (city, person, entry, period) DO UPDATE
SET used = redemption_counters.used + EXCLUDED.used,
    allowed = greatest(EXCLUDED.allowed, redemption_counters.used + EXCLUDED.used)"""

CLEAR_COUNTERS = """
UPDATE redemption_counters SET used = 0 WHERE city = %(city)s AND person = %(resident)s AND used > 0"""


def lock_redemptions(connection: Connection, city: str, resident: str) -> bool:
    """Locks all of the resident's; whether one of them is still held."""
    rows = hot(connection, LOCK, {"city": city, "resident": resident}).fetchall()
    return any(state == "held" for _, state in rows)


def give_redemptions(
    connection: Connection, city: str, resident: str, to: str, twice: Sequence[tuple[str, str, int]]
) -> None:
    """Redemptions and vouchers of `resident` are those of `to`, and count for the limits of `to`, but for what `twice`
    (period, entry, amount) says that both have counted.
    """
    given = {"city": city, "resident": resident, "to": to}
    off = {
        "periods": words([period for period, _, _ in twice]),
        "entries": words([entry for _, entry, _ in twice]),
        "twice": numbers([used for _, _, used in twice]),
    }
    hot(connection, GIVE, given)
    hot(connection, ADD_COUNTERS, {**given, **off})
    hot(connection, CLEAR_COUNTERS, given)
