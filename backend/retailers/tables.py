from sqlalchemy import Column, String, Table

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
)
