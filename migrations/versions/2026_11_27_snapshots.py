"""What a till may say of a label at once: each city's newest snapshot, and the lines that its versions differ by.

Nothing of it is a record: it is made again from certificates and policies, and lines that are over are deleted.
"""

from alembic import op

revision = "0019_snapshots"
down_revision = "0017_twins"
branch_labels = None
depends_on = None

SNAPSHOTS = """
CREATE TABLE snapshots (
  city TEXT NOT NULL,
  version BIGINT NOT NULL,
  oldest BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_of TEXT NOT NULL,
  lines INTEGER NOT NULL,
  sha256 BYTEA NOT NULL,
  body BYTEA NOT NULL,
  CONSTRAINT pk_snapshots PRIMARY KEY (city),
  CONSTRAINT ck_snapshots_versions CHECK (version >= oldest AND oldest >= 0),
  CONSTRAINT ck_snapshots_checked_at CHECK (checked_at >= made_at),
  CONSTRAINT ck_snapshots_content CHECK (octet_length(sha256) = 32 AND lines >= 0)
)"""

LINES = """
CREATE TABLE snapshot_lines (
  city TEXT NOT NULL,
  key TEXT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT,
  line TEXT NOT NULL,
  CONSTRAINT pk_snapshot_lines PRIMARY KEY (city, key, since),
  CONSTRAINT ck_snapshot_lines_period CHECK (until > since)
)"""

CHANGED = "version, oldest, made_at, checked_at, made_of, lines, sha256, body"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(SNAPSHOTS)
    op.execute(LINES)
    op.execute("CREATE INDEX ix_snapshot_lines_since ON snapshot_lines (city, since)")
    op.execute("CREATE INDEX ix_snapshot_lines_until ON snapshot_lines (city, until) WHERE until IS NOT NULL")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGED}) ON snapshots TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, UPDATE (until), DELETE ON snapshot_lines TO greenpoints_engine")
    op.execute("GRANT SELECT ON snapshots, snapshot_lines TO greenpoints_console, greenpoints_auditor")
