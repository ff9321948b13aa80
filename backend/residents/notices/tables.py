from sqlalchemy import CheckConstraint, Column, Date, LargeBinary, SmallInteger, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

notice_grants = Table(
    "notice_grants",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    text_column("home"),
    Column("open_id", LargeBinary, nullable=False),
    Column("grants", SmallInteger, nullable=False),
    instant_column("granted_at"),
    CheckConstraint("grants BETWEEN 0 AND 50", name="grants"),
)
"""`city`: whose points the notices are about; `open_id` is sealed (`seal`)."""

notices = Table(
    "notices",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    Column("last_day", Date, primary_key=True),
    Column("days_before", SmallInteger, primary_key=True, autoincrement=False),
    text_column("state"),
    instant_column("claimed_at"),
    instant_column("settled_at", nullable=True),
    CheckConstraint("state IN ('claimed', 'sent', 'refused', 'unsure')", name="state"),
    CheckConstraint("(state = 'claimed') = (settled_at IS NULL)", name="settled"),
    CheckConstraint("days_before IN (7, 30)", name="days_before"),
)
"""One notice of all that ends with `last_day`. It is sent once at most: one that is still `claimed` after its sender died, or
`unsure` because WeChat did not answer, is not sent again."""
