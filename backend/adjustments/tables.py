from sqlalchemy import CheckConstraint, Index, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

adjustments = Table(
    "adjustments",
    metadata,
    city_column(),
    id_column("adjustment", primary_key=True),
    id_column("resident", nullable=True),
    text_column("store", nullable=True),
    text_column("unit"),
    amount_column("amount"),
    text_column("cause"),
    text_column("ticket"),
    text_column("explanation"),
    text_column("state"),
    amount_column("alone_max"),
    text_column("proposed_by"),
    instant_column("proposed_at"),
    text_column("judged_by", nullable=True),
    instant_column("judged_at", nullable=True),
    instant_column("posted_at", nullable=True),
    CheckConstraint("(resident IS NULL) <> (store IS NULL)", name="whose"),
    CheckConstraint(
        "CASE WHEN store IS NULL THEN unit IN ('points', 'fen') ELSE unit IN ('fee', 'fen') END", name="unit"
    ),
    CheckConstraint("amount <> 0 AND alone_max >= 0", name="amount"),
    CheckConstraint("cause IN ('goodwill', 'missed', 'mistake', 'test')", name="cause"),
    CheckConstraint("char_length(ticket) BETWEEN 1 AND 64 AND char_length(explanation) BETWEEN 1 AND 500", name="told"),
    CheckConstraint("state IN ('proposed', 'posted', 'refused')", name="state"),
    CheckConstraint(
        "judged_by <> proposed_by AND (judged_by IS NULL) = (judged_at IS NULL)"
        " AND (state <> 'proposed' OR judged_by IS NULL) AND (state <> 'refused' OR judged_by IS NOT NULL)",
        name="judged",
    ),
    CheckConstraint(
        "(state = 'posted') = (posted_at IS NOT NULL) AND (state <> 'posted' OR judged_by IS NOT NULL"
        " OR abs(amount) <= alone_max)",
        name="two",
    ),
    Index("ix_adjustments_resident", "city", "resident", "proposed_at", postgresql_where="resident IS NOT NULL"),
    Index("ix_adjustments_proposed", "city", "proposed_at", "adjustment"),
)
"""`amount` below zero is taken. `alone_max`: what the role of who proposed it may adjust alone, when it was proposed; in points
or fen."""
