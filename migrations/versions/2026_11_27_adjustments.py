"""Adjustments by hand, the liability of each day, files for officials, and tokens that are bound to one retailer."""

from alembic import op

revision = "0045_adjustments"
down_revision = "0052_registry"
branch_labels = None
depends_on = None

ADJUSTMENTS = """
CREATE TABLE adjustments (
  city TEXT NOT NULL,
  adjustment UUID NOT NULL,
  resident UUID,
  store TEXT,
  unit TEXT NOT NULL,
  amount BIGINT NOT NULL,
  cause TEXT NOT NULL,
  ticket TEXT NOT NULL,
  explanation TEXT NOT NULL,
  state TEXT NOT NULL,
  alone_max BIGINT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  judged_by TEXT,
  judged_at TIMESTAMP WITH TIME ZONE,
  posted_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_adjustments PRIMARY KEY (city, adjustment),
  CONSTRAINT ck_adjustments_whose CHECK ((resident IS NULL) <> (store IS NULL)),
  CONSTRAINT ck_adjustments_unit CHECK (CASE WHEN store IS NULL THEN unit IN ('points', 'fen') ELSE unit IN ('fee', 'fen')
    END),
  CONSTRAINT ck_adjustments_amount CHECK (amount <> 0 AND alone_max >= 0),
  CONSTRAINT ck_adjustments_cause CHECK (cause IN ('goodwill', 'missed', 'mistake', 'test')),
  CONSTRAINT ck_adjustments_told CHECK (char_length(ticket) BETWEEN 1 AND 64 AND char_length(explanation) BETWEEN 1 AND 500),
  CONSTRAINT ck_adjustments_state CHECK (state IN ('proposed', 'posted', 'refused')),
  CONSTRAINT ck_adjustments_judged CHECK (judged_by <> proposed_by AND (judged_by IS NULL) = (judged_at IS NULL)
    AND (state <> 'proposed' OR judged_by IS NULL) AND (state <> 'refused' OR judged_by IS NOT NULL)),
  CONSTRAINT ck_adjustments_two CHECK ((state = 'posted') = (posted_at IS NOT NULL)
    AND (state <> 'posted' OR judged_by IS NOT NULL OR abs(amount) <= alone_max))
)"""

EXPORTS = """
CREATE TABLE exports (
  city TEXT NOT NULL,
  export UUID NOT NULL,
  kind TEXT NOT NULL,
  wanted TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  rows_written BIGINT NOT NULL,
  rows_all BIGINT,
  size_bytes BIGINT,
  sha256 BYTEA,
  ends_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_exports PRIMARY KEY (city, export),
  CONSTRAINT ck_exports_state CHECK (state IN ('waiting', 'running', 'ready', 'failed', 'ended')),
  CONSTRAINT ck_exports_rows CHECK (rows_written >= 0),
  CONSTRAINT ck_exports_ready CHECK ((state IN ('ready', 'ended')) = (sha256 IS NOT NULL)
    AND (sha256 IS NULL) = (size_bytes IS NULL) AND (sha256 IS NULL) = (ends_at IS NULL) AND octet_length(sha256) = 32)
)"""

EXPORT_PIECES = """
CREATE TABLE export_pieces (
  city TEXT NOT NULL,
  export UUID NOT NULL,
  piece INTEGER NOT NULL,
  content BYTEA NOT NULL,
  CONSTRAINT pk_export_pieces PRIMARY KEY (city, export, piece),
  CONSTRAINT ck_export_pieces_piece CHECK (piece >= 0 AND octet_length(content) BETWEEN 1 AND 1048576)
)"""

LIABILITY_DAYS = """
CREATE TABLE liability_days (
  city TEXT NOT NULL,
  day DATE NOT NULL,
  unit TEXT NOT NULL,
  issued BIGINT NOT NULL,
  adjusted BIGINT NOT NULL,
  used BIGINT NOT NULL,
  expired BIGINT NOT NULL,
  returned BIGINT NOT NULL,
  outstanding BIGINT NOT NULL,
  CONSTRAINT pk_liability_days PRIMARY KEY (city, day, unit)
)"""

INDEXES = (
    """CREATE INDEX ix_adjustments_proposed ON adjustments (city, proposed_at, adjustment)""",
    """CREATE INDEX ix_adjustments_resident ON adjustments (city, resident, proposed_at) WHERE resident IS NOT NULL""",
    """CREATE INDEX ix_exports_asked ON exports (city, asked_by, asked_at, export)""",
    """CREATE INDEX ix_exports_open ON exports (city, moved_at) WHERE state IN ('waiting', 'running', 'ready')""",
)

WRITES = {
    "adjustments": "INSERT, UPDATE (state, judged_by, judged_at, posted_at)",
    "exports": "INSERT, UPDATE (state, moved_at, rows_written, rows_all, size_bytes, sha256, ends_at)",
    "export_pieces": "INSERT, DELETE",
    "liability_days": "INSERT",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (ADJUSTMENTS, EXPORTS, EXPORT_PIECES, LIABILITY_DAYS, *INDEXES):
        op.execute(statement)
    for table, writes in WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
    # Whose statements a shop's system may see; empty, as all were before: nobody's.
    op.execute("ALTER TABLE service_tokens ADD COLUMN of_city TEXT, ADD COLUMN retailer TEXT")
    op.execute(
        "ALTER TABLE service_tokens ADD CONSTRAINT ck_service_tokens_retailer"
        " CHECK ((of_city IS NULL) = (retailer IS NULL) AND (retailer IS NULL OR service = 'pos'))"
    )
