"""Suspensions of shops with due process, and official lists of enterprises.

A suspension is a row of its own for ever; what follows from it is written into it once, step by step. Listings are append-only:
a removal is another row, and the last one of a listing counts.
"""

from alembic import op

revision = "0048_sanctions"
down_revision = "0042_sealed_acts"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE store_suspensions (
  city TEXT NOT NULL,
  suspension UUID NOT NULL,
  store TEXT NOT NULL,
  basis TEXT NOT NULL,
  reason TEXT NOT NULL,
  noticed_by TEXT NOT NULL,
  noticed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reply_by_on DATE NOT NULL,
  reply TEXT,
  replied_at TIMESTAMP WITH TIME ZONE,
  proposal TEXT,
  proposed_reason TEXT,
  proposed_by TEXT,
  proposed_at TIMESTAMP WITH TIME ZONE,
  until_at TIMESTAMP WITH TIME ZONE,
  approved_by TEXT,
  approved_at TIMESTAMP WITH TIME ZONE,
  from_at TIMESTAMP WITH TIME ZONE,
  appeal TEXT,
  appealed_at TIMESTAMP WITH TIME ZONE,
  appeal_due_on DATE,
  appeal_outcome TEXT,
  appeal_reason TEXT,
  appeal_by TEXT,
  appeal_decided_at TIMESTAMP WITH TIME ZONE,
  lifted_at TIMESTAMP WITH TIME ZONE,
  lifted_by TEXT,
  lifted_reason TEXT,
  CONSTRAINT pk_store_suspensions PRIMARY KEY (city, suspension),
  CONSTRAINT ck_store_suspensions_texts CHECK (char_length(basis) BETWEEN 1 AND 200
    AND char_length(reason) BETWEEN 1 AND 500 AND char_length(reply) BETWEEN 1 AND 500
    AND char_length(proposed_reason) BETWEEN 1 AND 500 AND char_length(appeal) BETWEEN 1 AND 500
    AND char_length(appeal_reason) BETWEEN 1 AND 500 AND char_length(lifted_reason) BETWEEN 1 AND 500),
  CONSTRAINT ck_store_suspensions_proposal CHECK (proposal IN ('impose', 'drop')
    AND (proposal IS NULL) = (proposed_by IS NULL) AND (proposal IS NULL) = (proposed_at IS NULL)
    AND (proposal IS NULL) = (proposed_reason IS NULL)),
  CONSTRAINT ck_store_suspensions_two CHECK (approved_by <> proposed_by AND (approved_by IS NULL OR proposed_by IS NOT NULL)
    AND (approved_by IS NULL) = (approved_at IS NULL)),
  CONSTRAINT ck_store_suspensions_effect CHECK (from_at >= approved_at AND until_at > from_at
    AND (from_at IS NULL) = (approved_at IS NULL OR proposal = 'drop')
    AND (proposal IS DISTINCT FROM 'impose' OR until_at IS NOT NULL)),
  CONSTRAINT ck_store_suspensions_appeal CHECK (appeal_outcome IN ('upheld', 'rejected')
    AND (appeal IS NULL OR from_at IS NOT NULL) AND (appeal IS NULL) = (appealed_at IS NULL)
    AND (appeal_outcome IS NULL) = (appeal_by IS NULL) AND (appeal_outcome IS NULL OR appeal IS NOT NULL)
    AND appeal_by <> proposed_by AND appeal_by <> approved_by),
  CONSTRAINT ck_store_suspensions_lifted CHECK ((lifted_at IS NULL) = (lifted_by IS NULL)
    AND (lifted_at IS NULL OR from_at IS NOT NULL))
)""",
    """
CREATE TABLE enterprise_listings (
  id UUID NOT NULL,
  list TEXT NOT NULL,
  uscc TEXT NOT NULL,
  document TEXT NOT NULL,
  authority TEXT NOT NULL,
  listed_on DATE NOT NULL,
  removed_on DATE,
  removal_document TEXT,
  source TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_by TEXT NOT NULL,
  CONSTRAINT pk_enterprise_listings PRIMARY KEY (id),
  CONSTRAINT ck_enterprise_listings_list CHECK (list IN ('serious', 'abnormal')),
  CONSTRAINT ck_enterprise_listings_uscc CHECK (uscc ~ '^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$'),
  CONSTRAINT ck_enterprise_listings_texts CHECK (char_length(document) BETWEEN 1 AND 200
    AND char_length(authority) BETWEEN 1 AND 200 AND char_length(removal_document) BETWEEN 1 AND 200
    AND char_length(source) BETWEEN 1 AND 100),
  CONSTRAINT ck_enterprise_listings_period CHECK (removed_on >= listed_on)
)""",
)
INDEXES = (
    "CREATE INDEX ix_store_suspensions_store ON store_suspensions (city, store, from_at)",
    "CREATE INDEX ix_store_suspensions_noticed ON store_suspensions (city, noticed_at, suspension)",
    "CREATE INDEX ix_enterprise_listings_uscc ON enterprise_listings (uscc, list, document, listed_on, id)",
)
CHANGED = (
    "reply, replied_at, proposal, proposed_reason, proposed_by, proposed_at, until_at, approved_by, approved_at, from_at,"
    " appeal, appealed_at, appeal_due_on, appeal_outcome, appeal_reason, appeal_by, appeal_decided_at, lifted_at, lifted_by,"
    " lifted_reason"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGED}) ON store_suspensions TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT ON enterprise_listings TO greenpoints_engine")
    op.execute("GRANT SELECT ON store_suspensions, enterprise_listings TO greenpoints_console, greenpoints_auditor")
