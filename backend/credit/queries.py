"""What is public about the passport."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

REVOKED = """
SELECT place FROM passport_statements WHERE city = %(city)s AND revoked_at IS NOT NULL AND expires_at > %(now)s"""

BENEFITS = """
SELECT benefit, at_least, title_zh, title_en, recipient, document_number, document_url FROM passport_benefits
WHERE city = %(city)s ORDER BY at_least, benefit LIMIT 200"""


class Benefit(NamedTuple):
    benefit: str
    at_least: int
    title_zh: str
    title_en: str
    recipient: str
    document_number: str
    document_url: str


def revoked(connection: Connection, city: str, now: datetime) -> list[int]:
    return [place for (place,) in hot(connection, REVOKED, {"city": city, "now": now})]


def benefits(connection: Connection, city: str) -> list[Benefit]:
    return [Benefit(*row) for row in hot(connection, BENEFITS, {"city": city})]
