"""Where goods were sold lately, found anew each night: what anyone may ask without a look at anybody's purchases."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.scans import sellers
from backend.storage.transaction import Database


class SellersTerms(NamedTuple):
    """A shop is told of when it sold goods to `buyers_min` different buyers within `days`."""

    days: int
    buyers_min: int


SELLERS_TERMS = SellersTerms(30, 5)


def learn_sellers(database: Database, city: str, terms: SellersTerms, now: datetime) -> int:
    """Puts what is true tonight in the place of what was; how many pairs of goods and shop."""

    def work(connection: Connection) -> int:
        sellers.forget(connection, city)
        return sellers.learn(connection, city, now - timedelta(days=terms.days), terms.buyers_min)

    return database.write(work)
