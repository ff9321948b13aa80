from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, Integer, Table

from backend.storage.base import metadata
from backend.storage.columns import amount_column, city_column, id_column, instant_column, text_column

policy_targets = Table(
    "policy_targets",
    metadata,
    city_column(),
    id_column("target", primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    text_column("measure"),
    text_column("scheme", nullable=True),
    text_column("unit", nullable=True),
    Column("begins_on", Date, nullable=False),
    amount_column("start"),
    id_column("follows", nullable=True),
    text_column("title_zh"),
    amount_column("value"),
    Column("due_on", Date, nullable=False),
    text_column("document"),
    text_column("clause", nullable=True),
    text_column("link", nullable=True),
    Column("withdrawn", Boolean, nullable=False),
    text_column("reason", nullable=True),
    text_column("entered_by"),
    instant_column("entered_at"),
    CheckConstraint("revision BETWEEN 1 AND 50", name="revision"),
    CheckConstraint(
        "measure IN ('certified_units', 'certified_fen', 'participants', 'points_granted', 'subsidy_granted',"
        " 'active_stores', 'districts_reached', 'valid_certificates', 'by_hand')",
        name="measure",
    ),
    CheckConstraint(
        "scheme IS NULL OR measure IN ('certified_units', 'certified_fen', 'valid_certificates')", name="scheme"
    ),
    CheckConstraint("(measure = 'by_hand') = (unit IS NOT NULL)", name="unit"),
    CheckConstraint("start >= 0 AND value > start AND value <= 1000000000000000", name="value"),
    CheckConstraint("due_on > begins_on", name="period"),
    CheckConstraint("follows <> target", name="follows"),
    CheckConstraint(
        "char_length(title_zh) BETWEEN 1 AND 100 AND char_length(document) BETWEEN 1 AND 100"
        " AND char_length(clause) BETWEEN 1 AND 100 AND char_length(link) BETWEEN 1 AND 300"
        " AND char_length(unit) BETWEEN 1 AND 12 AND char_length(reason) BETWEEN 1 AND 500",
        name="texts",
    ),
    CheckConstraint("(revision = 1) = (reason IS NULL)", name="reason"),
)
"""The last revision of a target is in force; none is changed."""

target_readings = Table(
    "target_readings",
    metadata,
    city_column(),
    id_column("target", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("on_day", Date, nullable=False),
    amount_column("value"),
    text_column("source"),
    text_column("link", nullable=True),
    text_column("entered_by"),
    instant_column("entered_at"),
    CheckConstraint("number BETWEEN 1 AND 400", name="number"),
    CheckConstraint("value >= 0 AND value <= 1000000000000000", name="value"),
    CheckConstraint(
        "char_length(source) BETWEEN 1 AND 100 AND char_length(link) BETWEEN 1 AND 300",
        name="texts",
    ),
)
"""Progress that was entered by hand: of one day the last number counts."""

target_progress = Table(
    "target_progress",
    metadata,
    city_column(),
    id_column("target", primary_key=True),
    Column("on_day", Date, primary_key=True),
    Column("value", BigInteger, nullable=False),
    instant_column("reckoned_at"),
    CheckConstraint("value >= 0", name="value"),
)
"""Progress that the system measured, at the end of `on_day`; reckoned again while late sales may come in."""
