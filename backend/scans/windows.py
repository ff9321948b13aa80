"""What windows look at: the moments of awards near a sale. Each is a counter of its own (`policies.limits`)."""

from collections.abc import Collection

from sqlalchemy import Connection

from backend.policies.limits import CounterKey, moment_ms, moment_of
from backend.scans.store import Counter
from backend.storage.columns import ids, unquoted, words
from backend.storage.transaction import hot

MOMENTS = """
SELECT c.cap, c.period, c.person::text, c.used, c.version
FROM unnest(%(persons)s::uuid[], %(caps)s::text[], %(sinces)s::text[], %(untils)s::text[]) w(person, cap, since, until)
JOIN LATERAL (SELECT cap, period, person, used, version FROM cap_counters
              WHERE city = %(city)s AND person = w.person AND period > w.since AND period < w.until AND cap = w.cap) c ON true"""


def moments(
    connection: Connection, city: str, keys: Collection[CounterKey], within_ms: int
) -> dict[CounterKey, Counter]:
    """The counters of all moments less than `within_ms` before or after those of `keys`, also those that are given back."""
    persons, periods, caps = zip(*sorted(keys), strict=True)
    given = {
        "city": city,
        "persons": ids(persons),
        "caps": words(caps),
        "sinces": unquoted([moment_of(moment_ms(period) - within_ms) for period in periods]),
        "untils": unquoted([moment_of(moment_ms(period) + within_ms) for period in periods]),
    }
    rows = hot(connection, MOMENTS, given)
    return {(person, period, cap): Counter(used, version) for cap, period, person, used, version in rows}
