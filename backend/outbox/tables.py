from sqlalchemy import Boolean, CheckConstraint, Column, Integer, LargeBinary, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

downlinks = Table(
    "downlinks",
    metadata,
    city_column(),
    id_column("message", primary_key=True),
    text_column("topic"),
    Column("payload", LargeBinary, nullable=False),
    Column("retain", Boolean, nullable=False),
    Column("expiry_s", Integer),
    instant_column("created_at"),
    CheckConstraint("octet_length(payload) <= 65536", name="size"),
)
"""Messages for tills; bridges poll them in order of their time-ordered ids."""
