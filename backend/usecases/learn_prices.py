"""What goods usually cost in a city, reckoned anew each week: what a watch of prices compares a sale with."""

from datetime import datetime

from backend.scans.signal_store import learn_medians
from backend.storage.transaction import Database


def learn_prices(database: Database, city: str, now: datetime) -> int:
    """How many codes got a median for the present week; 0 where that was done before."""
    return database.write(lambda connection: learn_medians(connection, city, now))
