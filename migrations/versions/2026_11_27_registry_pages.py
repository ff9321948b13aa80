"""What the registry's pages need: searches by name, files that wait to be imported, and appeals that wait for a second person."""

from alembic import op

revision = "0052_registry"
down_revision = "0031_cards"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE registry_uploads (
  city TEXT NOT NULL,
  upload UUID NOT NULL,
  file_name TEXT NOT NULL,
  source TEXT NOT NULL,
  content BYTEA,
  size_bytes INTEGER NOT NULL,
  uploaded_by TEXT NOT NULL,
  uploaded_name TEXT NOT NULL,
  uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  stage TEXT,
  done INTEGER NOT NULL,
  total INTEGER NOT NULL,
  moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  report TEXT,
  CONSTRAINT pk_registry_uploads PRIMARY KEY (city, upload),
  CONSTRAINT ck_registry_uploads_names CHECK (char_length(file_name) BETWEEN 1 AND 255
    AND char_length(source) BETWEEN 1 AND 100),
  CONSTRAINT ck_registry_uploads_state CHECK (state IN ('to_check', 'checking', 'checked', 'to_import', 'importing', 'imported',
    'refused')),
  CONSTRAINT ck_registry_uploads_content CHECK ((content IS NULL) = (state IN ('imported', 'refused'))
    AND octet_length(content) <= 52428800),
  CONSTRAINT ck_registry_uploads_progress CHECK (done >= 0 AND total >= 0)
)""",
    """
CREATE TABLE appeal_proposals (
  city TEXT NOT NULL,
  appeal UUID NOT NULL,
  explanation TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_name TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_appeal_proposals PRIMARY KEY (city, appeal),
  CONSTRAINT ck_appeal_proposals_explanation CHECK (char_length(explanation) BETWEEN 1 AND 500)
)""",
)
INDEXES = (
    "CREATE INDEX ix_registry_uploads_at ON registry_uploads (city, uploaded_at, upload)",
    """CREATE INDEX ix_registry_uploads_waiting ON registry_uploads (city, upload)
WHERE state IN ('to_check', 'checking', 'to_import', 'importing')""",
    "CREATE INDEX ix_enterprises_name ON enterprises (name)",
    "CREATE INDEX ix_certified_products_product ON certified_products (product)",
    "CREATE INDEX ix_certificate_terms_enterprise ON certificate_terms (enterprise) WHERE enterprise IS NOT NULL",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (content, state, stage, done, total, moved_at, report) ON registry_uploads"
        " TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, INSERT ON appeal_proposals TO greenpoints_engine")
    op.execute("GRANT SELECT ON registry_uploads, appeal_proposals TO greenpoints_console, greenpoints_auditor")
