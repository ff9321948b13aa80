"""Changes to officials that wait for a second person: who may approve or pay is not made by one administrator alone."""

from alembic import op

revision = "0051_official_changes"
down_revision = "0049_missing_points"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE official_changes (
  city TEXT NOT NULL,
  change UUID NOT NULL,
  kind TEXT NOT NULL,
  official UUID NOT NULL,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  district TEXT,
  roles TEXT[] NOT NULL,
  reason TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  approved BOOLEAN,
  CONSTRAINT pk_official_changes PRIMARY KEY (city, change),
  CONSTRAINT ck_official_changes_kind CHECK (kind IN ('add', 'roles', 'enable', 'reset')),
  CONSTRAINT ck_official_changes_two CHECK (decided_by <> asked_by),
  CONSTRAINT ck_official_changes_decided CHECK (num_nulls(decided_by, decided_at, approved) IN (0, 3)),
  CONSTRAINT ck_official_changes_reason CHECK (char_length(reason) BETWEEN 1 AND 300)
)"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(CHANGES)
    op.execute("CREATE INDEX ix_official_changes_waiting ON official_changes (city, asked_at) WHERE decided_at IS NULL")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (decided_by, decided_at, approved) ON official_changes"
        " TO greenpoints_engine, greenpoints_console"
    )
    op.execute("GRANT SELECT ON official_changes TO greenpoints_auditor")
    op.execute("GRANT SELECT, DELETE ON official_devices TO greenpoints_console")
