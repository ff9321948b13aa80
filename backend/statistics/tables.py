from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, instant_column, text_column

scan_totals = Table(
    "scan_totals",
    metadata,
    city_column(),
    text_column("period", primary_key=True),
    Column("begins", Date, primary_key=True),
    text_column("facet", primary_key=True),
    text_column("key", primary_key=True),
    Column("scans", BigInteger, nullable=False),
    Column("awarded", BigInteger, nullable=False),
    amount_column("points"),
    amount_column("fen"),
    Column("persons", BigInteger, nullable=False),
    Column("certified_units", BigInteger, nullable=False, server_default="0"),
    Column("certified_fen", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("period IN ('day', 'month')", name="period"),
    CheckConstraint("facet IN ('city', 'hour', 'scheme', 'district', 'store')", name="facet"),
    CheckConstraint("period = 'day' OR extract(day FROM begins) = 1", name="month"),
    CheckConstraint("awarded >= 0 AND awarded <= scans AND scans > 0", name="scans"),
    CheckConstraint("points >= 0 AND fen >= 0 AND persons >= 0", name="amounts"),
    CheckConstraint("certified_units >= 0 AND certified_fen >= 0", name="certified"),
    Index("ix_scan_totals_facet", "city", "period", "facet", "begins"),
)
"""Added up from the scans, and made anew from them at any time."""

counted_until = Table(
    "counted_until",
    metadata,
    city_column(),
    instant_column("until"),
)
"""Up to when a city's decisions are in its totals."""

budget_outlooks = Table(
    "budget_outlooks",
    metadata,
    city_column(),
    text_column("policy", primary_key=True),
    text_column("unit", primary_key=True),
    Column("day", Date, primary_key=True),
    text_column("title_zh"),
    amount_column("granted"),
    amount_column("left"),
    amount_column("daily"),
    Column("p50", Date),
    Column("p90", Date),
    Column("until", Date, nullable=False),
    instant_column("reckoned_at"),
    Index("ix_budget_outlooks_day", "city", "day"),
)
"""When each budget runs out, as reckoned on the morning of `day`."""
