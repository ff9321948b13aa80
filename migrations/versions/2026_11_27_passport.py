"""The green-credit passport: statements that can only be positive, what they open, and the way to a city's platform.

New tables alone: the previous release neither reads nor writes them.
"""

from alembic import op

revision = "0038_passport"
down_revision = "0035_appeals"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE passport_statements (
  city TEXT NOT NULL,
  statement UUID NOT NULL,
  resident UUID NOT NULL,
  kind TEXT NOT NULL,
  at_least INTEGER NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  place INTEGER NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  revoked_why TEXT,
  CONSTRAINT pk_passport_statements PRIMARY KEY (city, statement),
  CONSTRAINT uq_passport_statements_city_place UNIQUE (city, place),
  CONSTRAINT ck_passport_statements_kind CHECK (kind = 'verified_green_purchases'),
  CONSTRAINT ck_passport_statements_positive CHECK (at_least >= 1),
  CONSTRAINT ck_passport_statements_ages_out CHECK (expires_at <= since + interval '24 months'),
  CONSTRAINT ck_passport_statements_place CHECK (place >= 0 AND place < 1048576),
  CONSTRAINT ck_passport_statements_revoked CHECK ((revoked_at IS NULL) = (revoked_why IS NULL)),
  CONSTRAINT ck_passport_statements_why CHECK (revoked_why IN ('resident', 'withdrawn', 'returned', 'closing'))
)"""

BENEFITS = """
CREATE TABLE passport_benefits (
  city TEXT NOT NULL,
  benefit TEXT NOT NULL,
  at_least INTEGER NOT NULL,
  title_zh TEXT NOT NULL,
  title_en TEXT NOT NULL,
  recipient TEXT NOT NULL,
  document_number TEXT NOT NULL,
  document_url TEXT NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_passport_benefits PRIMARY KEY (city, benefit),
  CONSTRAINT ck_passport_benefits_positive CHECK (at_least >= 1)
)"""

GROUNDS = """
CREATE TABLE passport_grounds (
  city TEXT NOT NULL,
  version INTEGER NOT NULL,
  platform TEXT NOT NULL,
  contact TEXT NOT NULL,
  document_number TEXT NOT NULL,
  issuer TEXT NOT NULL,
  published_on DATE NOT NULL,
  document_url TEXT NOT NULL,
  published_by TEXT NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_passport_grounds PRIMARY KEY (city, version),
  CONSTRAINT ck_passport_grounds_version CHECK (version >= 1),
  CONSTRAINT ck_passport_grounds_told CHECK (platform <> '' AND contact <> '' AND document_number <> '')
)"""

EXPORTS = """
CREATE TABLE credit_exports (
  city TEXT NOT NULL,
  export UUID NOT NULL,
  resident UUID NOT NULL,
  act TEXT NOT NULL,
  about UUID,
  statement UUID,
  subject BYTEA,
  at_least INTEGER,
  ground INTEGER NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts INTEGER NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  cancelled_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_credit_exports PRIMARY KEY (city, export),
  CONSTRAINT uq_credit_exports_city_about UNIQUE (city, about),
  CONSTRAINT ck_credit_exports_act CHECK (act IN ('state', 'erase')),
  CONSTRAINT ck_credit_exports_about CHECK ((act = 'erase') = (about IS NOT NULL)),
  CONSTRAINT ck_credit_exports_state CHECK ((act = 'state') = (at_least IS NOT NULL AND statement IS NOT NULL)),
  CONSTRAINT ck_credit_exports_positive CHECK (at_least >= 1),
  CONSTRAINT ck_credit_exports_erase_names_nobody CHECK (act = 'state' OR subject IS NULL),
  CONSTRAINT ck_credit_exports_ended CHECK (sent_at IS NULL OR cancelled_at IS NULL)
)"""

INDEXES = (
    "CREATE INDEX ix_passport_statements_resident ON passport_statements (city, resident)",
    "CREATE INDEX ix_credit_exports_due ON credit_exports (city, due_at) WHERE sent_at IS NULL AND cancelled_at IS NULL",
    "CREATE INDEX ix_credit_exports_resident ON credit_exports (city, resident)",
)

ENGINE_WRITES = {
    "passport_statements": "INSERT, UPDATE (revoked_at, revoked_why)",
    "passport_benefits": "INSERT",
    "passport_grounds": "INSERT",
    "credit_exports": "INSERT, UPDATE (subject, due_at, attempts, sent_at, cancelled_at)",
}


def upgrade() -> None:
    for statement in (STATEMENTS, BENEFITS, GROUNDS, EXPORTS, *INDEXES):
        op.execute(statement)
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
    # Whose statements they are is nobody's to browse: the console reads what is published alone.
    op.execute("GRANT SELECT ON passport_benefits, passport_grounds TO greenpoints_console, greenpoints_auditor")
