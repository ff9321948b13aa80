from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

OF_RESIDENT = """
SELECT card::text, ending, issued_at, blocked_at, blocked_why FROM member_cards
WHERE city = %(city)s AND resident = %(resident)s ORDER BY issued_at DESC, member_cards.card LIMIT %(limit)s"""

LISTED_MAX = 50


class HeldCard(NamedTuple):
    card: str
    ending: str
    issued_at: datetime
    blocked_at: datetime | None
    blocked_why: str | None


def held(connection: Connection, city: str, resident: str) -> list[HeldCard]:
    """A resident's cards, the newest first, at most 50."""
    given = {"city": city, "resident": resident, "limit": LISTED_MAX}
    return [HeldCard(*row) for row in hot(connection, OF_RESIDENT, given)]
