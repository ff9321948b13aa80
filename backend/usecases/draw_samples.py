from datetime import datetime, timedelta

from backend.cases import samples
from backend.storage.transaction import Database

SETTLED = timedelta(minutes=5)
"""How old a decision is before it is drawn from: one that was taken before may still wait for its COMMIT."""
AGAIN = timedelta(minutes=10)
"""What was looked at last time is looked at once more, for those that committed late; nothing is drawn twice."""


def draw_samples(database: Database, city: str, now: datetime) -> int:
    """How many paid awards were drawn for a second look since the last time."""
    with database.read() as connection:
        drawn_through = samples.drawn_through(connection, city)
    if drawn_through is None:
        return 0
    return database.write(lambda c: samples.draw(c, city, drawn_through - AGAIN, now - SETTLED, now))
