from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

USES_A_DAY_MAX = 50
TRIES_MAX = 5

member_cards = Table(
    "member_cards",
    metadata,
    city_column(),
    id_column("card", primary_key=True),
    Column("number_hash", LargeBinary, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    text_column("ending"),
    id_column("resident"),
    instant_column("issued_at"),
    text_column("issued_by"),
    instant_column("blocked_at", nullable=True),
    text_column("blocked_why", nullable=True),
    Column("tries", SmallInteger, nullable=False),
    UniqueConstraint("city", "number_hash"),
    CheckConstraint("octet_length(number_hash) = 32 AND octet_length(secret_hash) = 32", name="hashes"),
    CheckConstraint("char_length(ending) = 4", name="ending"),
    CheckConstraint("(blocked_at IS NULL) = (blocked_why IS NULL)", name="blocked"),
    CheckConstraint("blocked_why IN ('lost', 'replaced')", name="why"),
    CheckConstraint(f"tries BETWEEN 0 AND {TRIES_MAX}", name="tries"),
    Index("ix_member_cards_resident", "city", "resident", "issued_at"),
)
"""City is the resident's home, and stands in the number. `ending`: the last four characters, by which people tell cards apart.
`secret_hash`: of what is printed on the sheet beside the card and proves to hold it; `tries` counts wrong ones."""

card_uses = Table(
    "card_uses",
    metadata,
    city_column(),
    id_column("card", primary_key=True),
    id_column("stream", primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, nullable=False),
    Column("place", SmallInteger, nullable=False),
    UniqueConstraint("city", "card", "day", "place"),
    CheckConstraint(f"place BETWEEN 1 AND {USES_A_DAY_MAX}", name="place"),
)
"""The sales that a card was shown for, counted within the civil day of the sale; `seq` is that of the first part."""
