from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

person_keys = Table(
    "person_keys",
    metadata,
    city_column(),
    id_column("resident", primary_key=True),
    Column("key", LargeBinary, nullable=False),
    CheckConstraint("octet_length(key) = 32", name="length"),
)
"""A random key of each person's own, from which everything is made by which others know them; destroyed when they leave, so
that what others hold leads nowhere any more."""

departure_notes = Table(
    "departure_notes",
    metadata,
    Column("name", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    id_column("departure"),
    instant_column("ends_at"),
    CheckConstraint("octet_length(name) = 32", name="name"),
    Index("ix_departure_notes_ends_at", "ends_at"),
)
"""Limits used by someone who left, found and opened by nothing but the identity that they come back with. `departure` is
random, alike on the notes of all identities of one person, so that it counts once. An identity names no city."""

carried_caps = Table(
    "carried_caps",
    metadata,
    city_column(),
    id_column("person", primary_key=True),
    text_column("period", primary_key=True),
    text_column("cap", primary_key=True),
    id_column("departure", primary_key=True),
    amount_column("used"),
    CheckConstraint("used > 0", name="used"),
)
"""What a person who came back had used of a limit before; a counter is the sum of this and of its awards. Of one departure
the largest counts, whichever of the person's accounts carried it."""

closed_residents = Table(
    "closed_residents",
    metadata,
    id_column("resident", primary_key=True),
    text_column("home"),
    instant_column("closed_at"),
    instant_column("settled_at", nullable=True),
    Index("ix_closed_residents_open", "closed_at", postgresql_where="settled_at IS NULL"),
)
"""Accounts of nobody, in whatever city they hold something; `settled_at`: when the last city had ended what it held."""
