from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    LargeBinary,
    SmallInteger,
    Table,
    UniqueConstraint,
    false,
)

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

log_entries = Table(
    "log_entries",
    metadata,
    city_column(),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    id_column("reference"),
    Column("step", SmallInteger, nullable=False),
    Column("line", SmallInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("act", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("city", "reference", "step", "line"),
    CheckConstraint("entry >= 0", name="entry"),
    CheckConstraint("length(leaf) = 32 AND length(chain) = 32", name="hashes"),
)
"""The transfers and acts of a city in the order in which they were sealed, counted from 0. `act` says which it is: then
`reference` is the act."""

log_subtrees = Table(
    "log_subtrees",
    metadata,
    city_column(),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("level >= 1 AND number >= 0", name="place"),
    CheckConstraint("length(hash) = 32", name="hashes"),
)
"""Roots of each 256, 65,536 … entries, so that a proof reads a few hundred rows whatever the size of the log."""

log_heads = Table(
    "log_heads",
    metadata,
    city_column(),
    amount_column("size"),
    Column("frontier", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    instant_column("sealed_until", nullable=True),
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("length(frontier) % 32 = 0 AND length(chain) = 32", name="hashes"),
)
"""Where the next entry goes. Its row is the lock of whoever seals."""

checkpoints = Table(
    "checkpoints",
    metadata,
    city_column(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    text_column("note"),
    instant_column("made_at"),
    CheckConstraint("size > 0", name="size"),
    CheckConstraint("length(root) = 32", name="hashes"),
)
