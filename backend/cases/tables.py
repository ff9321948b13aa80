from sqlalchemy import CheckConstraint, Column, Date, DateTime, Index, Integer, LargeBinary, SmallInteger, Table, Text

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

label_reports = Table(
    "label_reports",
    metadata,
    city_column(),
    id_column("report", primary_key=True),
    id_column("resident"),
    Column("store", Text),
    id_column("basket", nullable=True),
    Column("line_no", SmallInteger),
    Column("label", Text),
    text_column("text"),
    instant_column("filed_at"),
    Column("due_on", Date),
    text_column("state"),
    Column("outcome", Text),
    Column("reason", Text),
    instant_column("decided_at", nullable=True),
    Column("decided_by", Text),
    CheckConstraint("char_length(text) BETWEEN 1 AND 500", name="text"),
    CheckConstraint("char_length(label) BETWEEN 1 AND 300", name="label"),
    CheckConstraint("(basket IS NULL) = (line_no IS NULL)", name="scan"),
    CheckConstraint("store IS NOT NULL OR basket IS NOT NULL", name="about"),
    CheckConstraint("state IN ('filed', 'accepted', 'sampling', 'decided', 'closed')", name="state"),
    CheckConstraint("outcome IN ('confirmed', 'not_proven', 'declined')", name="outcome"),
    CheckConstraint(
        "(state IN ('decided', 'closed')) = (decided_at IS NOT NULL) AND (decided_at IS NULL) = (outcome IS NULL)"
        " AND (decided_at IS NULL) = (reason IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)",
        name="decided",
    ),
    CheckConstraint("(state IN ('filed', 'accepted', 'sampling')) = (due_on IS NOT NULL)", name="due"),
    Index("ix_label_reports_resident", "city", "resident", "filed_at", "report"),
    Index("ix_label_reports_due", "city", "due_on", "report", postgresql_where="due_on IS NOT NULL"),
    Index("ix_label_reports_decided", "city", "decided_at", "report", postgresql_where="decided_at IS NOT NULL"),
)
"""`due_on`: by the end of which civil day it is to be accepted, then decided."""

report_steps = Table(
    "report_steps",
    metadata,
    city_column(),
    id_column("report", primary_key=True),
    Column("step_no", SmallInteger, primary_key=True, autoincrement=False),
    text_column("kind"),
    text_column("text"),
    text_column("taken_by"),
    instant_column("taken_at"),
    CheckConstraint("step_no BETWEEN 1 AND 200", name="number"),
    CheckConstraint("kind IN ('accept', 'sample', 'evidence', 'decide', 'close')", name="kind"),
    CheckConstraint("char_length(text) BETWEEN 1 AND 500", name="text"),
)
"""Append-only by grant."""

case_terms = Table(
    "case_terms",
    metadata,
    city_column(),
    Column("since", DateTime(timezone=True), primary_key=True),
    Column("accept_days", SmallInteger, nullable=False),
    Column("decide_days", SmallInteger, nullable=False),
    Column("sample_bp", Integer, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    text_column("set_by"),
    text_column("reason"),
    CheckConstraint("accept_days BETWEEN 1 AND 120 AND decide_days BETWEEN 1 AND 120", name="days"),
    CheckConstraint("sample_bp BETWEEN 0 AND 10000", name="sample_bp"),
    CheckConstraint("octet_length(salt) = 16", name="salt"),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason"),
)
"""What a city has set: working days of the clocks, the share of awards that is drawn, and what makes the draw unforeseeable.
Append-only by grant."""

sample_draws = Table("sample_draws", metadata, city_column(), instant_column("through"))
"""Up to which moment of deciding awards were drawn."""

audit_samples = Table(
    "audit_samples",
    metadata,
    city_column(),
    id_column("basket", primary_key=True),
    Column("line_no", SmallInteger, primary_key=True, autoincrement=False),
    Column("decision_no", SmallInteger, primary_key=True, autoincrement=False),
    instant_column("drawn_at"),
    Column("finding", Text),
    Column("reason", Text),
    Column("reviewed_by", Text),
    instant_column("reviewed_at", nullable=True),
    CheckConstraint("finding IN ('right', 'wrong')", name="finding"),
    CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason"),
    CheckConstraint(
        "(finding IS NULL) = (reason IS NULL) AND (finding IS NULL) = (reviewed_by IS NULL)"
        " AND (finding IS NULL) = (reviewed_at IS NULL)",
        name="reviewed",
    ),
    Index("ix_audit_samples_open", "city", "drawn_at", "basket", "line_no", postgresql_where="finding IS NULL"),
)
"""Awards that a person looks at whatever the flags say, and what was found."""


store_suspensions = Table(
    "store_suspensions",
    metadata,
    city_column(),
    id_column("suspension", primary_key=True),
    text_column("store"),
    text_column("basis"),
    text_column("reason"),
    text_column("noticed_by"),
    instant_column("noticed_at"),
    Column("reply_by_on", Date, nullable=False),
    text_column("reply", nullable=True),
    instant_column("replied_at", nullable=True),
    text_column("proposal", nullable=True),
    text_column("proposed_reason", nullable=True),
    text_column("proposed_by", nullable=True),
    instant_column("proposed_at", nullable=True),
    instant_column("until_at", nullable=True),
    text_column("approved_by", nullable=True),
    instant_column("approved_at", nullable=True),
    instant_column("from_at", nullable=True),
    text_column("appeal", nullable=True),
    instant_column("appealed_at", nullable=True),
    Column("appeal_due_on", Date),
    text_column("appeal_outcome", nullable=True),
    text_column("appeal_reason", nullable=True),
    text_column("appeal_by", nullable=True),
    instant_column("appeal_decided_at", nullable=True),
    instant_column("lifted_at", nullable=True),
    text_column("lifted_by", nullable=True),
    text_column("lifted_reason", nullable=True),
    CheckConstraint(
        "char_length(basis) BETWEEN 1 AND 200 AND char_length(reason) BETWEEN 1 AND 500"
        " AND char_length(reply) BETWEEN 1 AND 500 AND char_length(proposed_reason) BETWEEN 1 AND 500"
        " AND char_length(appeal) BETWEEN 1 AND 500 AND char_length(appeal_reason) BETWEEN 1 AND 500"
        " AND char_length(lifted_reason) BETWEEN 1 AND 500",
        name="texts",
    ),
    CheckConstraint(
        "proposal IN ('impose', 'drop') AND (proposal IS NULL) = (proposed_by IS NULL)"
        " AND (proposal IS NULL) = (proposed_at IS NULL) AND (proposal IS NULL) = (proposed_reason IS NULL)",
        name="proposal",
    ),
    CheckConstraint(
        "approved_by <> proposed_by AND (approved_by IS NULL OR proposed_by IS NOT NULL)"
        " AND (approved_by IS NULL) = (approved_at IS NULL)",
        name="two",
    ),
    CheckConstraint(
        "from_at >= approved_at AND until_at > from_at"
        " AND (from_at IS NULL) = (approved_at IS NULL OR proposal = 'drop')"
        " AND (proposal IS DISTINCT FROM 'impose' OR until_at IS NOT NULL)",
        name="effect",
    ),
    CheckConstraint(
        "appeal_outcome IN ('upheld', 'rejected') AND (appeal IS NULL OR from_at IS NOT NULL)"
        " AND (appeal IS NULL) = (appealed_at IS NULL) AND (appeal_outcome IS NULL) = (appeal_by IS NULL)"
        " AND (appeal_outcome IS NULL OR appeal IS NOT NULL) AND appeal_by <> proposed_by"
        " AND appeal_by <> approved_by",
        name="appeal",
    ),
    CheckConstraint(
        "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL OR from_at IS NOT NULL)",
        name="lifted",
    ),
    Index("ix_store_suspensions_store", "city", "store", "from_at"),
    Index("ix_store_suspensions_noticed", "city", "noticed_at", "suspension"),
)
"""One notice to one shop and all that followed; `from_at`, `until_at`: baskets sold meanwhile are held."""
