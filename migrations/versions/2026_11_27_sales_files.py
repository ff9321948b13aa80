"""Files of sales that shops with a mainframe upload, and what was answered of each of their lines.

The answers are served for a year and then deleted; of the file itself nothing is kept once it is recorded. The previous release
knows neither table.
"""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0058_sales_files"
down_revision = "0060_targets"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE sales_files (
  city TEXT NOT NULL,
  upload UUID NOT NULL,
  retailer TEXT NOT NULL,
  file_name TEXT NOT NULL,
  content BYTEA,
  size_bytes INTEGER NOT NULL,
  sha256 BYTEA NOT NULL,
  uploaded_by TEXT NOT NULL,
  uploaded_name TEXT NOT NULL,
  uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  rows INTEGER NOT NULL,
  done INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  repeated INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  points BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_sales_files PRIMARY KEY (city, upload),
  CONSTRAINT ck_sales_files_name CHECK (char_length(file_name) BETWEEN 1 AND 255),
  CONSTRAINT ck_sales_files_state CHECK (state IN ('waiting', 'recording', 'recorded')),
  CONSTRAINT ck_sales_files_content CHECK ((content IS NULL) = (state = 'recorded') AND octet_length(content) <= 10485760),
  CONSTRAINT ck_sales_files_sha256 CHECK (octet_length(sha256) = 32),
  CONSTRAINT ck_sales_files_progress CHECK (rows BETWEEN 0 AND 50000 AND done BETWEEN 0 AND rows),
  CONSTRAINT ck_sales_files_counts CHECK (accepted >= 0 AND repeated >= 0 AND refused >= 0 AND points >= 0
    AND subsidy_fen >= 0),
  CONSTRAINT ck_sales_files_answered CHECK (state <> 'recorded' OR accepted + repeated + refused = rows)
)""",
    """
CREATE TABLE sales_file_rows (
  city TEXT NOT NULL,
  upload UUID NOT NULL,
  file_line INTEGER NOT NULL,
  event TEXT NOT NULL,
  line_no INTEGER,
  state TEXT NOT NULL,
  code TEXT NOT NULL,
  zh TEXT NOT NULL,
  en TEXT NOT NULL,
  points BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  basket UUID,
  basket_line SMALLINT,
  CONSTRAINT pk_sales_file_rows PRIMARY KEY (city, upload, file_line),
  CONSTRAINT ck_sales_file_rows_line CHECK (file_line >= 1),
  CONSTRAINT ck_sales_file_rows_state CHECK (state IN ('accepted', 'repeated', 'refused')),
  CONSTRAINT ck_sales_file_rows_basket CHECK ((state = 'refused') = (basket IS NULL)
    AND (basket IS NULL) = (basket_line IS NULL)),
  CONSTRAINT ck_sales_file_rows_amounts CHECK (points >= 0 AND subsidy_fen >= 0)
)""",
)
INDEXES = (
    "CREATE INDEX ix_sales_files_at ON sales_files (city, retailer, uploaded_at, upload)",
    "CREATE INDEX ix_sales_files_waiting ON sales_files (city, upload) WHERE state <> 'recorded'",
    "CREATE INDEX ix_sales_file_rows_refused ON sales_file_rows (city, upload, file_line) WHERE state = 'refused'",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (content, state, done, accepted, repeated, refused, points, subsidy_fen, moved_at)"
        " ON sales_files TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON sales_file_rows TO greenpoints_engine")
    op.execute("GRANT SELECT ON sales_files, sales_file_rows TO greenpoints_console, greenpoints_auditor")
    for table in ("sales_files", "sales_file_rows"):
        raise_wall(op.get_bind(), table)
