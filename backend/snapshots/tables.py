from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Table, text

from backend.storage.base import metadata
from backend.storage.columns import city_column, instant_column, text_column

snapshots = Table(
    "snapshots",
    metadata,
    city_column(),
    Column("version", BigInteger, nullable=False),
    Column("oldest", BigInteger, nullable=False),
    instant_column("made_at"),
    instant_column("checked_at"),
    text_column("made_of"),
    Column("lines", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    text_column("spent_out", server_default=""),
    CheckConstraint("version >= oldest AND oldest >= 0", name="versions"),
    CheckConstraint("checked_at >= made_at", name="checked_at"),
    CheckConstraint("octet_length(sha256) = 32 AND lines >= 0", name="content"),
)
"""A city's newest snapshot. `made_of` names what it was made of: the same again makes no version. `body`: all of its lines,
compressed, ready to be signed; `spent_out`: budgets, parted by spaces, that it tells as spent. A difference can be given to
whoever holds `oldest` or later.
"""

snapshot_lines = Table(
    "snapshot_lines",
    metadata,
    city_column(),
    text_column("key", primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger),
    text_column("line"),
    CheckConstraint("until > since", name="period"),
    Index("ix_snapshot_lines_since", "city", "since"),
    Index("ix_snapshot_lines_until", "city", "until", postgresql_where=text("until IS NOT NULL")),
)
"""A line stood in the versions from `since` up to, not including, `until`; NULL: it still stands."""
