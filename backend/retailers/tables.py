from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, String, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, instant_column, text_column

stores = Table(
    "stores",
    metadata,
    city_column(),
    text_column("store", primary_key=True),
    text_column("retailer"),
    text_column("name_zh"),
    Column("district", String(6), nullable=False),
    instant_column("opened_at"),
    Column("latitude_e6", Integer),
    Column("longitude_e6", Integer),
    CheckConstraint("(latitude_e6 IS NULL) = (longitude_e6 IS NULL)", name="place"),
    CheckConstraint(
        "latitude_e6 BETWEEN -90000000 AND 90000000 AND longitude_e6 BETWEEN -180000000 AND 180000000", name="on_earth"
    ),
    Index("ix_stores_district", "city", "district"),
)

store_places = Table(
    "store_places",
    metadata,
    city_column(),
    text_column("store", primary_key=True),
    Column("placed_at", DateTime(timezone=True), primary_key=True),
    Column("latitude_e6", Integer, nullable=False),
    Column("longitude_e6", Integer, nullable=False),
    text_column("placed_by"),
)
"""Every place that a shop was given, by whom: watches of journeys judge people by it."""
