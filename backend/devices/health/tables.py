from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, instant_column, text_column

device_presence = Table(
    "device_presence",
    metadata,
    city_column(),
    text_column("device", primary_key=True),
    Column("session", BigInteger, nullable=False),
    Column("online", Boolean, nullable=False),
    text_column("report"),
    instant_column("since"),
    CheckConstraint("session >= 0", name="session"),
)
"""The greatest session of each device: its birth or, once it ended, its death, as JSON text."""
