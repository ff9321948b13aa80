"""Official lists of enterprises are proposed by one and taken over by another; days of payment lie between release and booking;
what officials wrote about a resident can be taken out when the account is closed.

The check of `paid_on` holds for what is booked from now on. Where a row of before says otherwise it stays as it was booked, and
the check is left unvalidated.
"""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0067_lists_by_two"
down_revision = "0071_code_probes"
branch_labels = None
depends_on = None

LISTING_FILES = """
CREATE TABLE listing_files (
  city TEXT NOT NULL,
  file UUID NOT NULL,
  file_name TEXT NOT NULL,
  source TEXT NOT NULL,
  content BYTEA,
  sha256 BYTEA NOT NULL,
  digest BYTEA NOT NULL,
  report TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_name TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  judged_by TEXT,
  judged_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_listing_files PRIMARY KEY (city, file),
  CONSTRAINT ck_listing_files_names CHECK (char_length(file_name) BETWEEN 1 AND 255 AND char_length(source) BETWEEN 1 AND 100),
  CONSTRAINT ck_listing_files_state CHECK (state IN ('proposed', 'imported', 'refused')),
  CONSTRAINT ck_listing_files_content CHECK ((content IS NULL) = (state <> 'proposed') AND octet_length(content) <= 52428800),
  CONSTRAINT ck_listing_files_digests CHECK (octet_length(sha256) = 32 AND octet_length(digest) = 32),
  CONSTRAINT ck_listing_files_judged CHECK ((judged_by IS NULL) = (state = 'proposed')
    AND (judged_by IS NULL) = (judged_at IS NULL)),
  CONSTRAINT ck_listing_files_two CHECK (state <> 'imported' OR judged_by <> proposed_by)
)"""


PAID_ON = """paid_on BETWEEN (released_at AT TIME ZONE 'Asia/Shanghai')::date AND (paid_at AT TIME ZONE 'Asia/Shanghai')::date"""
VALIDATE_PAID_ON = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM settlement_payments WHERE NOT ({PAID_ON})) THEN
    ALTER TABLE settlement_payments VALIDATE CONSTRAINT ck_settlement_payments_paid_on;
  END IF;
END $$"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(LISTING_FILES)
    op.execute("CREATE UNIQUE INDEX ix_listing_files_once ON listing_files (city, sha256) WHERE state = 'proposed'")
    op.execute("CREATE INDEX ix_listing_files_open ON listing_files (city, proposed_at, file) WHERE state = 'proposed'")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (content, state, judged_by, judged_at) ON listing_files TO greenpoints_engine"
    )
    op.execute("GRANT SELECT ON listing_files TO greenpoints_console, greenpoints_auditor")
    raise_wall(op.get_bind(), "listing_files")

    op.execute("ALTER TABLE enterprise_listings ADD COLUMN approved_by TEXT")
    op.execute(
        "ALTER TABLE enterprise_listings ADD CONSTRAINT ck_enterprise_listings_two CHECK (approved_by <> recorded_by)"
        " NOT VALID"
    )
    op.execute("ALTER TABLE enterprise_listings VALIDATE CONSTRAINT ck_enterprise_listings_two")

    op.execute(
        f"ALTER TABLE settlement_payments ADD CONSTRAINT ck_settlement_payments_paid_on CHECK ({PAID_ON}) NOT VALID"
    )
    op.execute(VALIDATE_PAID_ON)

    op.execute("GRANT UPDATE (explanation) ON adjustments, appeal_proposals, missing_proposals TO greenpoints_engine")
