from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.transaction import hot

PUBLISHED = """
SELECT policy, version_no, version::text, sha256, document_number, valid_from, valid_until, published_at, published_by
FROM policy_versions WHERE city = %(city)s ORDER BY policy, version_no"""

TEXT = """
SELECT text FROM policy_versions
WHERE city = %(city)s AND policy = %(policy)s AND (%(version_no)s::int IS NULL OR version_no = %(version_no)s)
ORDER BY version_no DESC LIMIT 1"""


class PublishedPolicy(NamedTuple):
    """One immutable version: which text (by SHA-256), bound to which paper, valid in [from, until)."""

    policy: str
    version_no: int
    version: str
    sha256: str
    document_number: str
    valid_from: datetime
    valid_until: datetime
    published_at: datetime
    published_by: str


def published(connection: Connection, city: str) -> list[PublishedPolicy]:
    """Every version ever published in `city`."""
    return [PublishedPolicy(*row) for row in hot(connection, PUBLISHED, {"city": city})]


def text_of(connection: Connection, city: str, policy: str, version_no: int | None) -> str | None:
    """The document to the byte; the last version where no number is given. None where there is none."""
    row = hot(connection, TEXT, {"city": city, "policy": policy, "version_no": version_no}).fetchone()
    return row[0] if row else None
