from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices.health.read import State
from backend.storage.columns import flags, numbers, words
from backend.storage.transaction import hot

# A repeat of what is known changes nothing: a broker repeats a retained birth to each new bridge, long after the till was
# last heard. A death keeps the words of the birth, which say what runs there.
SAVE = """
INSERT INTO device_presence (city, device, session, online, report, since)
SELECT %(city)s, t.device, t.session, t.online, t.report, to_timestamp(t.received_at / 1000.0)
FROM unnest(%(devices)s::text[], %(sessions)s::bigint[], %(online)s::boolean[], %(reports)s::text[],
            %(received)s::bigint[]) t(device, session, online, report, received_at)
ON CONFLICT (city, device) DO UPDATE
SET session = excluded.session, online = excluded.online, since = excluded.since,
    report = CASE WHEN excluded.online THEN excluded.report ELSE device_presence.report END
WHERE (excluded.session, NOT excluded.online) > (device_presence.session, NOT device_presence.online)"""


class NewPresence(NamedTuple):
    device: str
    state: State
    report: str
    received_at_ms: int

    @property
    def rank(self) -> tuple[int, bool]:
        """Sessions grow, and a session that ended does not live again."""
        return self.state.session, not self.state.online


def save_presence(connection: Connection, city: str, news: Sequence[NewPresence]) -> None:
    """Keeps the greatest session of each device. Order of arrival decides nothing, here or between transactions."""
    greatest: dict[str, NewPresence] = {}
    for one in news:
        known = greatest.get(one.device)
        if known is None or known.rank < one.rank:
            greatest[one.device] = one
    rows = [greatest[device] for device in sorted(greatest)]
    hot(
        connection,
        SAVE,
        {
            "city": city,
            "devices": words([row.device for row in rows]),
            "sessions": numbers([row.state.session for row in rows]),
            "online": flags([row.state.online for row in rows]),
            "reports": words([row.report for row in rows]),
            "received": numbers([row.received_at_ms for row in rows]),
        },
    )
