from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

residents = Table(
    "residents",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    text_column("state"),
    instant_column("joined_at"),
    CheckConstraint("state IN ('active', 'closed')", name="state"),
)

person_directory = Table(
    "person_directory",
    metadata,
    Column("identity_hash", LargeBinary, primary_key=True),
    text_column("city"),
    id_column("resident"),
)
"""Finds a person's home city from a keyed hash of an outside identity; crosses cities by nature."""

resident_sessions = Table(
    "resident_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    text_column("city"),
    id_column("resident"),
    instant_column("issued_at"),
    instant_column("expires_at"),
    instant_column("revoked_at", nullable=True),
)
"""Opaque tokens by their SHA-256. The token names no city, so its row is found across cities."""

member_codes = Table(
    "member_codes",
    metadata,
    city_column(),
    Column("handle", LargeBinary, primary_key=True),
    id_column("resident"),
    instant_column("expires_at"),
    id_column("used_stream", nullable=True),
    Column("used_seq", BigInteger),
    CheckConstraint("octet_length(handle) = 16", name="handle"),
    CheckConstraint("(used_stream IS NULL) = (used_seq IS NULL)", name="used"),
    postgresql_with={"fillfactor": "70"},
)
"""City is the resident's home. `used_*` is the first basket that showed the code; its continuations may show it again."""
