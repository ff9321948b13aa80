"""Claims of missing points whose sale one official would give and may not alone."""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0068_missing_proposals"
down_revision = "0054_token_stores"
branch_labels = None
depends_on = None

MISSING_PROPOSALS = """
CREATE TABLE missing_proposals (
  city TEXT NOT NULL,
  claim UUID NOT NULL,
  round_no SMALLINT NOT NULL,
  basket UUID NOT NULL,
  explanation TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_name TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_missing_proposals PRIMARY KEY (city, claim, round_no),
  CONSTRAINT ck_missing_proposals_round CHECK (round_no BETWEEN 1 AND 2),
  CONSTRAINT ck_missing_proposals_explanation CHECK (char_length(explanation) BETWEEN 1 AND 500)
)"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(MISSING_PROPOSALS)
    op.execute("GRANT SELECT, INSERT ON missing_proposals TO greenpoints_engine, greenpoints_console")
    op.execute("GRANT SELECT ON missing_proposals TO greenpoints_auditor")
    raise_wall(op.get_bind(), "missing_proposals")
