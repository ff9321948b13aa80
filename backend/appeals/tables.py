from sqlalchemy import CheckConstraint, Column, Date, Index, SmallInteger, Table, Text, UniqueConstraint

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

appeals = Table(
    "appeals",
    metadata,
    city_column(),
    id_column("appeal", primary_key=True),
    id_column("resident"),
    id_column("basket"),
    Column("line_no", SmallInteger, nullable=False),
    Column("decision_no", SmallInteger, nullable=False),
    text_column("text"),
    instant_column("filed_at"),
    Column("due_on", Date, nullable=False),
    text_column("state"),
    instant_column("decided_at", nullable=True),
    Column("decided_by", Text),
    Column("approved_by", Text),
    Column("explanation", Text),
    Column("new_decision_no", SmallInteger),
    UniqueConstraint("city", "basket", "line_no", "decision_no"),
    CheckConstraint("char_length(text) BETWEEN 1 AND 500", name="text"),
    CheckConstraint("state IN ('open', 'upheld', 'rejected')", name="state"),
    CheckConstraint(
        "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL)"
        " AND (state = 'open') = (explanation IS NULL) AND (state = 'upheld') = (new_decision_no IS NOT NULL)",
        name="decided",
    ),
    CheckConstraint("approved_by <> decided_by AND (approved_by IS NULL OR decided_by IS NOT NULL)", name="two"),
    CheckConstraint("new_decision_no > decision_no", name="follows"),
    Index("ix_appeals_resident", "city", "resident", "filed_at", "appeal"),
    Index("ix_appeals_open", "city", "due_on", "appeal", postgresql_where="state = 'open'"),
)
"""`due_on`: by the end of which civil day it is to be answered."""

appeal_proposals = Table(
    "appeal_proposals",
    metadata,
    city_column(),
    id_column("appeal", primary_key=True),
    text_column("explanation"),
    text_column("proposed_by"),
    text_column("proposed_name"),
    instant_column("proposed_at"),
    CheckConstraint("char_length(explanation) BETWEEN 1 AND 500", name="explanation"),
)
"""What one official would uphold and may not alone: it waits for a second. Append-only by grant, but for the
explanation, which goes with the resident's account."""
