from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, SmallInteger, Table, Text, UniqueConstraint

from backend.missing_points.model import AMOUNT_FEN_MAX, ROUNDS_MAX, TEXT_MAX, TRIES_A_DAY_MAX
from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

missing_points = Table(
    "missing_points",
    metadata,
    city_column(),
    id_column("claim", primary_key=True),
    id_column("resident"),
    text_column("home"),
    text_column("store"),
    Column("bought_on", Date, nullable=False),
    text_column("slip_no"),
    Column("amount_fen", BigInteger, nullable=False),
    instant_column("filed_at"),
    Column("due_on", Date, nullable=False),
    text_column("state"),
    Column("round_no", SmallInteger, nullable=False),
    Column("text", Text),
    Column("first_by", Text),
    id_column("basket", nullable=True),
    instant_column("decided_at", nullable=True),
    Column("decided_by", Text),
    Column("approved_by", Text),
    Column("explanation", Text),
    id_column("filer"),
    Column("filed_on", Date, nullable=False),
    Column("day_no", SmallInteger, nullable=False),
    UniqueConstraint("city", "filer", "filed_on", "day_no"),
    CheckConstraint(f"day_no BETWEEN 1 AND {TRIES_A_DAY_MAX}", name="tries"),
    CheckConstraint(f"amount_fen BETWEEN 1 AND {AMOUNT_FEN_MAX}", name="amount"),
    CheckConstraint("state IN ('found', 'open', 'granted', 'rejected')", name="state"),
    CheckConstraint("(state IN ('found', 'granted')) = (basket IS NOT NULL)", name="given"),
    CheckConstraint(
        "(state IN ('granted', 'rejected')) = (decided_at IS NOT NULL)"
        " AND (decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (explanation IS NULL)",
        name="decided",
    ),
    CheckConstraint(
        f"round_no BETWEEN 1 AND {ROUNDS_MAX} AND (round_no = 2) = (text IS NOT NULL)"
        " AND (round_no = 2) = (first_by IS NOT NULL)",
        name="round",
    ),
    CheckConstraint(
        "approved_by <> decided_by AND decided_by <> first_by AND approved_by <> first_by"
        " AND (approved_by IS NULL OR decided_by IS NOT NULL)",
        name="two",
    ),
    CheckConstraint(f"char_length(text) BETWEEN 1 AND {TEXT_MAX}", name="text"),
    Index("ix_missing_points_resident", "city", "resident", "filed_at", "claim"),
    Index("ix_missing_points_open", "city", "due_on", "claim", postgresql_where="state = 'open'"),
)
"""`filer`, `filed_on` and `day_no` count what one account claimed in a day (China); they stay when two accounts become one."""

missing_proposals = Table(
    "missing_proposals",
    metadata,
    city_column(),
    id_column("claim", primary_key=True),
    Column("round_no", SmallInteger, primary_key=True),
    id_column("basket"),
    text_column("explanation"),
    text_column("proposed_by"),
    text_column("proposed_name"),
    instant_column("proposed_at"),
    CheckConstraint(f"round_no BETWEEN 1 AND {ROUNDS_MAX}", name="round"),
    CheckConstraint(f"char_length(explanation) BETWEEN 1 AND {TEXT_MAX}", name="explanation"),
)
"""The sale that one official would give and may not alone: it waits for a second. Append-only by grant, but for the
explanation, which goes with the resident's account."""
