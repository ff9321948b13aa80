"""Appeals: what residents say against a decision, by when it is answered, and by whom."""

from alembic import op

revision = "0035_appeals"
down_revision = "0037_persons_keys"
branch_labels = None
depends_on = None

APPEALS = """
CREATE TABLE appeals (
  city TEXT NOT NULL,
  appeal UUID NOT NULL,
  resident UUID NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  text TEXT NOT NULL,
  filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_on DATE NOT NULL,
  state TEXT NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE,
  decided_by TEXT,
  approved_by TEXT,
  explanation TEXT,
  new_decision_no SMALLINT,
  CONSTRAINT pk_appeals PRIMARY KEY (city, appeal),
  CONSTRAINT uq_appeals_city_basket_line_no_decision_no UNIQUE (city, basket, line_no, decision_no),
  CONSTRAINT ck_appeals_text CHECK (char_length(text) BETWEEN 1 AND 500),
  CONSTRAINT ck_appeals_state CHECK (state IN ('open', 'upheld', 'rejected')),
  CONSTRAINT ck_appeals_decided CHECK ((state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL)
    AND (state = 'open') = (explanation IS NULL) AND (state = 'upheld') = (new_decision_no IS NOT NULL)),
  CONSTRAINT ck_appeals_two CHECK (approved_by <> decided_by AND (approved_by IS NULL OR decided_by IS NOT NULL)),
  CONSTRAINT ck_appeals_follows CHECK (new_decision_no > decision_no)
)"""

INDEXES = (
    "CREATE INDEX ix_appeals_resident ON appeals (city, resident, filed_at, appeal)",
    "CREATE INDEX ix_appeals_open ON appeals (city, due_on, appeal) WHERE state = 'open'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (APPEALS, *INDEXES):
        op.execute(statement)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (resident, text, state, decided_at, decided_by, approved_by, explanation, new_decision_no)"
        " ON appeals TO greenpoints_engine"
    )
    op.execute("GRANT SELECT ON appeals TO greenpoints_console, greenpoints_auditor")
