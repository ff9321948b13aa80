from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, LargeBinary, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

exports = Table(
    "exports",
    metadata,
    city_column(),
    id_column("export", primary_key=True),
    text_column("kind"),
    text_column("wanted"),
    text_column("asked_by"),
    instant_column("asked_at"),
    text_column("state"),
    instant_column("moved_at"),
    Column("rows_written", BigInteger, nullable=False),
    Column("rows_all", BigInteger),
    Column("size_bytes", BigInteger),
    Column("sha256", LargeBinary),
    instant_column("ends_at", nullable=True),
    CheckConstraint("state IN ('waiting', 'running', 'ready', 'failed', 'ended')", name="state"),
    CheckConstraint("rows_written >= 0", name="rows"),
    CheckConstraint(
        "(state IN ('ready', 'ended')) = (sha256 IS NOT NULL) AND (sha256 IS NULL) = (size_bytes IS NULL)"
        " AND (sha256 IS NULL) = (ends_at IS NULL) AND octet_length(sha256) = 32",
        name="ready",
    ),
    Index("ix_exports_asked", "city", "asked_by", "asked_at", "export"),
    Index("ix_exports_open", "city", "moved_at", postgresql_where="state IN ('waiting', 'running', 'ready')"),
)
"""`wanted`: what of its kind, as JSON. `moved_at`: when the job last wrote of it."""

export_pieces = Table(
    "export_pieces",
    metadata,
    city_column(),
    id_column("export", primary_key=True),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    CheckConstraint("piece >= 0 AND octet_length(content) BETWEEN 1 AND 1048576", name="piece"),
)
"""The file in pieces of at most 1 MiB, until its end."""

liability_days = Table(
    "liability_days",
    metadata,
    city_column(),
    Column("day", Date, primary_key=True),
    text_column("unit", primary_key=True),
    amount_column("issued"),
    amount_column("adjusted"),
    amount_column("used"),
    amount_column("expired"),
    amount_column("returned"),
    amount_column("outstanding"),
)
"""Of each civil day that is over what moved, and what the city owed at its end: frozen, so that a report stays as it was."""
