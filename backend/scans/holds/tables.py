from sqlalchemy import CheckConstraint, Column, SmallInteger, Table

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

open_holds = Table(
    "open_holds",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
    Column("decision_no", SmallInteger, nullable=False),
)
"""Scans that wait for a person: a queue, written with the decision that holds them and emptied with the one that follows."""

hold_rulings = Table(
    "hold_rulings",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
    Column("decision_no", SmallInteger, primary_key=True, autoincrement=False),
    text_column("ruling"),
    text_column("reason"),
    text_column("ruled_by"),
    instant_column("ruled_at"),
    text_column("approved_by", nullable=True),
    CheckConstraint("ruling IN ('release', 'refuse')", name="ruling"),
    CheckConstraint("reason <> '' AND ruled_by <> ''", name="told"),
    CheckConstraint("approved_by <> ruled_by AND (approved_by IS NULL OR ruling = 'release')", name="two"),
)
"""What a person decided about a held scan, and why; `decision_no` is the held one. `approved_by`: the second person, where
much follows. Append-only by grant."""

hold_proposals = Table(
    "hold_proposals",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
    Column("decision_no", SmallInteger, primary_key=True, autoincrement=False),
    text_column("reason"),
    text_column("proposed_by"),
    text_column("proposed_name"),
    instant_column("proposed_at"),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason"),
)
"""What one official would release and may not alone: it waits for a second. Append-only by grant."""
