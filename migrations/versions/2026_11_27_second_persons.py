"""Held scans whose release one official proposes and may not grant alone, and who approved it."""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0065_second_persons"
down_revision = "0062_bounded_pages"
branch_labels = None
depends_on = None

HOLD_PROPOSALS = """
CREATE TABLE hold_proposals (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_name TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_hold_proposals PRIMARY KEY (city, basket, line_no, decision_no),
  CONSTRAINT ck_hold_proposals_reason CHECK (char_length(reason) BETWEEN 1 AND 500)
)"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE hold_rulings ADD COLUMN approved_by TEXT")
    op.execute(
        "ALTER TABLE hold_rulings ADD CONSTRAINT ck_hold_rulings_two"
        " CHECK (approved_by <> ruled_by AND (approved_by IS NULL OR ruling = 'release')) NOT VALID"
    )
    op.execute("ALTER TABLE hold_rulings VALIDATE CONSTRAINT ck_hold_rulings_two")
    op.execute(HOLD_PROPOSALS)
    op.execute("GRANT SELECT, INSERT ON hold_proposals TO greenpoints_engine, greenpoints_console")
    op.execute("GRANT SELECT ON hold_proposals TO greenpoints_auditor")
    raise_wall(op.get_bind(), "hold_proposals")
