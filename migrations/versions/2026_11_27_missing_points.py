"""Claims of missing points by the shop's slip: what was asked, what became of it, by when and by whom."""

from alembic import op

revision = "0049_missing_points"
down_revision = "0044_settlements"
branch_labels = None
depends_on = None

MISSING_POINTS = """
CREATE TABLE missing_points (
  city TEXT NOT NULL,
  claim UUID NOT NULL,
  resident UUID NOT NULL,
  home TEXT NOT NULL,
  store TEXT NOT NULL,
  bought_on DATE NOT NULL,
  slip_no TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_on DATE NOT NULL,
  state TEXT NOT NULL,
  round_no SMALLINT NOT NULL,
  text TEXT,
  first_by TEXT,
  basket UUID,
  decided_at TIMESTAMP WITH TIME ZONE,
  decided_by TEXT,
  approved_by TEXT,
  explanation TEXT,
  filer UUID NOT NULL,
  filed_on DATE NOT NULL,
  day_no SMALLINT NOT NULL,
  CONSTRAINT pk_missing_points PRIMARY KEY (city, claim),
  CONSTRAINT uq_missing_points_city_filer_filed_on_day_no UNIQUE (city, filer, filed_on, day_no),
  CONSTRAINT ck_missing_points_tries CHECK (day_no BETWEEN 1 AND 5),
  CONSTRAINT ck_missing_points_amount CHECK (amount_fen BETWEEN 1 AND 10000000000),
  CONSTRAINT ck_missing_points_state CHECK (state IN ('found', 'open', 'granted', 'rejected')),
  CONSTRAINT ck_missing_points_given CHECK ((state IN ('found', 'granted')) = (basket IS NOT NULL)),
  CONSTRAINT ck_missing_points_decided CHECK ((state IN ('granted', 'rejected')) = (decided_at IS NOT NULL)
    AND (decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (explanation IS NULL)),
  CONSTRAINT ck_missing_points_round CHECK (round_no BETWEEN 1 AND 2 AND (round_no = 2) = (text IS NOT NULL)
    AND (round_no = 2) = (first_by IS NOT NULL)),
  CONSTRAINT ck_missing_points_two CHECK (approved_by <> decided_by AND decided_by <> first_by AND approved_by <> first_by
    AND (approved_by IS NULL OR decided_by IS NOT NULL)),
  CONSTRAINT ck_missing_points_text CHECK (char_length(text) BETWEEN 1 AND 500)
)"""

INDEXES = (
    "CREATE INDEX ix_missing_points_resident ON missing_points (city, resident, filed_at, claim)",
    "CREATE INDEX ix_missing_points_open ON missing_points (city, due_on, claim) WHERE state = 'open'",
)

CHANGED = (
    "resident, home, slip_no, due_on, state, round_no, text, first_by, basket, decided_at, decided_by, approved_by,"
    " explanation"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (MISSING_POINTS, *INDEXES):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGED}) ON missing_points TO greenpoints_engine")
    op.execute("GRANT SELECT ON missing_points TO greenpoints_console, greenpoints_auditor")
