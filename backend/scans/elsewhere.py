"""A phone's scan id counts in one city, ever: a scan away from home takes its id in the baskets of the home city too."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from backend.scans import store
from backend.scans.model import Basket, Channel


def taken(connection: Connection, home: str, baskets: Sequence[Basket], now: datetime) -> dict[str, bytes]:
    """Takes the ids of `baskets`, scanned elsewhere by residents of `home`. Where some were taken before, the hash that
    stands for each id by now: of this scan, or of another.

    A scan made at home takes the same key by being recorded, so it pays nothing for this; two cities that race for one id
    meet at that key. What is kept there is the hash alone, which covers the city: no read, no resident, no decision.
    """
    marks = [replace(basket, line=None, channel=Channel.ELSEWHERE.value, resident=None, reads=[]) for basket in baskets]
    if len(store.claim(connection, home, marks, now)) == len(marks):
        return {}
    return store.stored(connection, home, marks)
