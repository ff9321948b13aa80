from sqlalchemy import CheckConstraint, Index, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

acts = Table(
    "acts",
    metadata,
    city_column(),
    id_column("act", primary_key=True),
    instant_column("at"),
    text_column("who"),
    text_column("role"),
    text_column("what"),
    text_column("kind"),
    text_column("key"),
    text_column("reason", nullable=True),
    text_column("ticket", nullable=True),
    text_column("before", nullable=True),
    text_column("after", nullable=True),
    text_column("request", nullable=True),
    CheckConstraint("char_length(who) BETWEEN 1 AND 200 AND char_length(role) BETWEEN 1 AND 200", name="who"),
    CheckConstraint("what ~ '^[a-z][a-z-]{1,60}$'", name="what"),
    CheckConstraint("kind ~ '^[a-z][a-z-]{1,40}$' AND char_length(key) BETWEEN 1 AND 200", name="object"),
    CheckConstraint("char_length(reason) <= 500 AND char_length(ticket) <= 500", name="told"),
    CheckConstraint("octet_length(before) <= 4000 AND octet_length(after) <= 4000", name="snapshots"),
    Index("ix_acts_at", "city", "at", "act"),
    Index("ix_acts_who", "city", "who", "at"),
    Index("ix_acts_what", "city", "what", "at"),
    Index("ix_acts_object", "city", "kind", "key", "at"),
)
"""`before` and `after` are text, not jsonb: their very bytes are sealed."""
