"""Who did what, when and why: a row for each act, written in its transaction and never changed.

A new table alone: the previous release neither reads nor writes it, and what it does meanwhile is not recorded there.
"""

from alembic import op

revision = "0042_acts"
down_revision = "0047_cases"
branch_labels = None
depends_on = None

ACTS = """
CREATE TABLE acts (
  city TEXT NOT NULL,
  act UUID NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  who TEXT NOT NULL,
  role TEXT NOT NULL,
  what TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  reason TEXT,
  ticket TEXT,
  before TEXT,
  after TEXT,
  request TEXT,
  CONSTRAINT pk_acts PRIMARY KEY (city, act),
  CONSTRAINT ck_acts_who CHECK (char_length(who) BETWEEN 1 AND 200 AND char_length(role) BETWEEN 1 AND 200),
  CONSTRAINT ck_acts_what CHECK (what ~ '^[a-z][a-z-]{1,60}$'),
  CONSTRAINT ck_acts_object CHECK (kind ~ '^[a-z][a-z-]{1,40}$' AND char_length(key) BETWEEN 1 AND 200),
  CONSTRAINT ck_acts_told CHECK (char_length(reason) <= 500 AND char_length(ticket) <= 500),
  CONSTRAINT ck_acts_snapshots CHECK (octet_length(before) <= 4000 AND octet_length(after) <= 4000)
)"""

INDEXES = (
    "CREATE INDEX ix_acts_at ON acts (city, at, act)",
    "CREATE INDEX ix_acts_who ON acts (city, who, at)",
    "CREATE INDEX ix_acts_what ON acts (city, what, at)",
    "CREATE INDEX ix_acts_object ON acts (city, kind, key, at)",
)


def upgrade() -> None:
    for statement in (ACTS, *INDEXES):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT ON acts TO greenpoints_engine, greenpoints_console")
    op.execute("GRANT SELECT ON acts TO greenpoints_auditor")
