from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, instant_column, text_column

twin_versions = Table(
    "twin_versions",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    text_column("document"),
    Column("sha256", LargeBinary, nullable=False),
    text_column("set_by"),
    instant_column("set_at"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("octet_length(document) <= 4096", name="document"),
)
"""Every document that was ever desired of a till; the greatest version counts."""
