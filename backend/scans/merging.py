"""What the scans of a person move when two of the person's accounts become one. City by city."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.storage.columns import numbers, words
from backend.storage.transaction import hot

# First of all locks of a sale: who decides a line again, or takes it back, is waited for, in the order of all.
LOCK_BASKETS = """
SELECT basket FROM baskets WHERE city = %(city)s AND resident = %(resident)s ORDER BY basket FOR UPDATE"""

GIVE_BASKETS = "UPDATE baskets SET resident = %(to)s WHERE city = %(city)s AND resident = %(resident)s"

HELD_QUOTES = """
SELECT count(*) FROM quotes WHERE city = %(city)s AND resident = %(resident)s AND state = 'held'"""

LOCK_COUNTERS = """
SELECT cap FROM cap_counters WHERE city = %(city)s AND person = ANY(ARRAY[%(resident)s, %(to)s]::uuid[])
ORDER BY person, period, cap FOR UPDATE"""

# What both have used together may be more than a cap allows: then nothing more is, and what was awarded stays.
# What both carried from one departure is taken off the one before it is added to the other.
ADD_COUNTERS = """
INSERT INTO cap_counters (city, person, period, cap, used, allowed, version)
SELECT %(city)s, %(to)s::uuid, k.period, k.cap, k.used - coalesce(t.used, 0), k.allowed, 1 FROM cap_counters k
LEFT JOIN unnest(%(periods)s::text[], %(caps)s::text[], %(twice)s::bigint[]) t(period, cap, used)
  ON t.period = k.period AND t.cap = k.cap
WHERE k.city = %(city)s AND k.person = %(resident)s AND k.used > 0 ORDER BY k.period, k.cap
ON CONFLICT (city, person, period, cap) DO UPDATE
SET used = cap_counters.used + EXCLUDED.used,
    allowed = greatest(EXCLUDED.allowed, cap_counters.used + EXCLUDED.used), version = cap_counters.version + 1"""

CLEAR_COUNTERS = """
UPDATE cap_counters SET used = 0, version = version + 1
WHERE city = %(city)s AND person = %(resident)s AND used > 0"""


def give_baskets(connection: Connection, city: str, resident: str, to: str) -> int:
    """Baskets of `resident` are those of `to`, also what waits in them to be decided; how many there were."""
    given = {"city": city, "resident": resident, "to": to}
    hot(connection, LOCK_BASKETS, given).fetchall()
    return hot(connection, GIVE_BASKETS, given).rowcount


def holds_a_quote(connection: Connection, city: str, resident: str) -> bool:
    """Whether a purchase of the resident is being paid for."""
    row = hot(connection, HELD_QUOTES, {"city": city, "resident": resident}).fetchone()
    return row is not None and row[0] > 0


def add_counters(
    connection: Connection, city: str, resident: str, to: str, twice: Sequence[tuple[str, str, int]]
) -> None:
    """All that `resident` has used of caps is used by `to`, in the very same periods, but for what `twice` (period, cap,
    amount) says that both have counted.
    """
    given = {"city": city, "resident": resident, "to": to}
    hot(connection, LOCK_COUNTERS, given).fetchall()
    off = {
        "periods": words([period for period, _, _ in twice]),
        "caps": words([cap for _, cap, _ in twice]),
        "twice": numbers([used for _, _, used in twice]),
    }
    hot(connection, ADD_COUNTERS, {**given, **off})
    hot(connection, CLEAR_COUNTERS, given)
