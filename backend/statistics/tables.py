from sqlalchemy import BigInteger, CheckConstraint, Column, Date, DateTime, Index, SmallInteger, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

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
    Column("baskets", BigInteger),
    Column("certified", BigInteger),
    CheckConstraint("period IN ('day', 'month')", name="period"),
    CheckConstraint("facet IN ('city', 'hour', 'scheme', 'district', 'store')", name="facet"),
    CheckConstraint("period = 'day' OR extract(day FROM begins) = 1", name="month"),
    CheckConstraint("awarded >= 0 AND awarded <= scans AND scans > 0", name="scans"),
    CheckConstraint("points >= 0 AND fen >= 0 AND persons >= 0", name="amounts"),
    CheckConstraint("certified_units >= 0 AND certified_fen >= 0", name="certified"),
    CheckConstraint("baskets > 0 AND baskets <= scans AND certified >= 0 AND certified <= scans", name="parts"),
    Index("ix_scan_totals_facet", "city", "period", "facet", "begins"),
)
"""Added up from the scans, and made anew from them at any time. An earlier release counted neither `baskets` nor `certified`."""

refusal_totals = Table(
    "refusal_totals",
    metadata,
    city_column(),
    Column("day", Date, primary_key=True),
    text_column("retailer", primary_key=True),
    text_column("store", primary_key=True),
    text_column("reason", primary_key=True),
    Column("lines", BigInteger, nullable=False),
    CheckConstraint("lines > 0", name="lines"),
    Index("ix_refusal_totals_retailer", "city", "retailer", "store", "day"),
)
"""How many lines of a retailer's tills earned nothing, by day and reason; of all its shops where `store` is empty. Made anew with
the totals of the day, for the last three months."""

refused_lines = Table(
    "refused_lines",
    metadata,
    city_column(),
    Column("sold_at", DateTime(timezone=True), primary_key=True),
    id_column("basket", primary_key=True),
    Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
    text_column("retailer"),
    text_column("store"),
    text_column("reason"),
    Index("ix_refused_lines_retailer", "city", "retailer", "sold_at", "basket", "line_no"),
    Index("ix_refused_lines_reason", "city", "retailer", "reason", "sold_at", "basket", "line_no"),
)
"""The latest of them: at most twenty of a shop, day and reason."""

budget_uses = Table(
    "budget_uses",
    metadata,
    city_column(),
    text_column("policy", primary_key=True),
    text_column("unit", primary_key=True),
    Column("month", Date, primary_key=True),
    text_column("facet", primary_key=True),
    text_column("key", primary_key=True),
    Column("awards", BigInteger, nullable=False),
    amount_column("amount"),
    CheckConstraint("facet IN ('scheme', 'district', 'retailer')", name="facet"),
    CheckConstraint("extract(day FROM month) = 1", name="month"),
    CheckConstraint("awards > 0 AND amount > 0", name="amounts"),
    Index("ix_budget_uses_month", "city", "month"),
)
"""What each budget gave in a month of sale, by whom and what it went to; made anew from the scans at any time."""

span_totals = Table(
    "span_totals",
    metadata,
    city_column(),
    Column("days", SmallInteger, primary_key=True, autoincrement=False),
    text_column("facet", primary_key=True),
    text_column("key", primary_key=True),
    Column("scans", BigInteger, nullable=False),
    Column("awarded", BigInteger, nullable=False),
    amount_column("points"),
    amount_column("fen"),
    Column("persons", BigInteger, nullable=False),
    CheckConstraint("days > 0", name="days"),
    CheckConstraint("facet IN ('hour', 'scheme', 'district', 'store')", name="facet"),
    CheckConstraint("awarded >= 0 AND awarded <= scans AND scans > 0", name="scans"),
    CheckConstraint("points >= 0 AND fen >= 0 AND persons >= 0", name="amounts"),
)
"""The totals of the last `days` days, of the largest keys alone: a page reads them in place of each day of each shop."""

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
