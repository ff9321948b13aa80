from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

lease_terms = Table(
    "lease_terms",
    metadata,
    city_column(),
    text_column("policy", primary_key=True),
    text_column("unit", primary_key=True),
    amount_column("amount"),
    Column("awards", SmallInteger, nullable=False),
    Column("hours", SmallInteger, nullable=False),
    Column("grace_hours", SmallInteger, nullable=False),
    Column("share_bp", SmallInteger, nullable=False),
    text_column("set_by"),
    instant_column("set_at"),
    CheckConstraint("unit IN ('points', 'fen')", name="unit"),
    CheckConstraint("amount >= 0 AND awards >= 1 AND hours >= 1 AND grace_hours >= 1", name="bounds"),
    CheckConstraint("share_bp >= 1 AND share_bp <= 5000", name="share"),
    CheckConstraint("set_by <> ''", name="told"),
)
"""By which terms tills are lent a budget; a budget without a row is lent to nobody."""

leases = Table(
    "leases",
    metadata,
    city_column(),
    id_column("lease", primary_key=True),
    text_column("device"),
    id_column("stream"),
    text_column("policy"),
    text_column("unit"),
    amount_column("amount"),
    Column("awards", SmallInteger, nullable=False),
    instant_column("granted_at"),
    instant_column("expires_at"),
    instant_column("ended_at", nullable=True),
    text_column("ended_why", nullable=True),
    instant_column("settles_at"),
    instant_column("due_at"),
    instant_column("closed_at", nullable=True),
    amount_column("drawn"),
    amount_column("returned"),
    Column("promises", Integer, nullable=False),
    Column("postings", Integer, nullable=False),
    CheckConstraint("amount > 0 AND drawn >= 0 AND returned >= 0 AND drawn + returned <= amount", name="amounts"),
    CheckConstraint("promises >= 0 AND promises <= awards", name="awards"),
    CheckConstraint("expires_at > granted_at", name="period"),
    CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended"),
    CheckConstraint("ended_why IN ('policy', 'revoked', 'official')", name="why"),
    CheckConstraint("closed_at IS NULL OR drawn + returned = amount", name="closed"),
    Index("ix_leases_open", "city", "policy", "unit", "device", postgresql_where="closed_at IS NULL"),
    Index("ix_leases_due", "city", "due_at", postgresql_where="closed_at IS NULL"),
)
"""`lease` is the reference of its postings, and names its account. `due_at`: when what it still holds is looked at."""

lease_promises = Table(
    "lease_promises",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
    id_column("lease", primary_key=True),
    amount_column("amount"),
    text_column("fault", nullable=True),
    amount_column("drawn"),
    Column("decision_no", SmallInteger, nullable=True),
    CheckConstraint("amount > 0 AND drawn >= 0 AND drawn <= amount", name="amounts"),
    CheckConstraint("drawn = 0 OR (fault IS NULL AND decision_no IS NOT NULL)", name="drawn"),
    CheckConstraint("fault IN ('unknown', 'another_till', 'out_of_time', 'late', 'used_up')", name="fault"),
    Index("ix_lease_promises_lease", "city", "lease"),
)
"""What a till promised for a line, and what of it the lease paid with which decision; `fault`: why nothing."""

lease_tills = Table(
    "lease_tills",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    amount_column("version"),
    CheckConstraint("version >= 1", name="version"),
)
"""The number of the last message that told a till of its leases."""
