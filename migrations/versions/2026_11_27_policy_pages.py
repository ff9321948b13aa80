"""Previews that officials asked for: made by a job, with how far it is.

A new table alone: the previous release neither reads nor writes it.
"""

from alembic import op

revision = "0046_policy_pages"
down_revision = "0049_label_sellers"
branch_labels = None
depends_on = None

RUNS = """
CREATE TABLE policy_preview_runs (
  city TEXT NOT NULL,
  run UUID NOT NULL,
  draft UUID NOT NULL,
  state TEXT NOT NULL,
  sales_done BIGINT NOT NULL,
  sales_total BIGINT NOT NULL,
  problem TEXT,
  asked_by TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_policy_preview_runs PRIMARY KEY (city, run),
  CONSTRAINT ck_policy_preview_runs_state CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  CONSTRAINT ck_policy_preview_runs_progress CHECK (sales_done >= 0 AND sales_total >= 0),
  CONSTRAINT ck_policy_preview_runs_problem CHECK ((problem IS NOT NULL) = (state = 'failed')),
  CONSTRAINT ck_policy_preview_runs_asked_by CHECK (asked_by <> ''),
  CONSTRAINT ck_policy_preview_runs_heard_at CHECK (heard_at >= asked_at)
)"""

TOLD = "state, sales_done, sales_total, problem, heard_at"
INDEXES = (
    "CREATE INDEX ix_policy_preview_runs_draft ON policy_preview_runs (city, draft, run)",
    "CREATE INDEX ix_policy_preview_runs_open ON policy_preview_runs (city, run) WHERE state IN ('waiting', 'running')",
)


def upgrade() -> None:
    for statement in (RUNS, *INDEXES):
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT ON policy_preview_runs TO greenpoints_engine")
    op.execute(f"GRANT UPDATE ({TOLD}) ON policy_preview_runs TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT ON policy_preview_runs TO greenpoints_console")
    op.execute("GRANT SELECT ON policy_preview_runs TO greenpoints_auditor")
