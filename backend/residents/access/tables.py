from sqlalchemy import CheckConstraint, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

access_log = Table(
    "access_log",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    id_column("entry", primary_key=True),
    instant_column("at"),
    text_column("role"),
    text_column("who"),
    text_column("purpose"),
    text_column("what"),
    text_column("ticket", nullable=True),
    CheckConstraint("role IN ('self', 'official', 'support', 'shop', 'verifier', 'platform')", name="role"),
    CheckConstraint("char_length(who) BETWEEN 1 AND 100", name="who"),
    CheckConstraint("ticket ~ '^[A-Za-z0-9-]{1,40}$'", name="ticket"),
)
"""City is the resident's home. `entry` is a time-ordered id; `what` and `purpose` are words of ours, never free text, so that
nothing stands here that would name a person after the account was closed."""
