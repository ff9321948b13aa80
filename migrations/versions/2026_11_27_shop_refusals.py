"""What shops' customers were refused, counted with the totals of each day; what a shop prepaid, found by its shop.

Nothing is filled in here: the hourly count does it for the last three months. The previous release uses neither table.
"""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0059_shop_refusals"
down_revision = "0058_sales_files"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE refusal_totals (
  city TEXT NOT NULL,
  day DATE NOT NULL,
  retailer TEXT NOT NULL,
  store TEXT NOT NULL,
  reason TEXT NOT NULL,
  lines BIGINT NOT NULL,
  CONSTRAINT pk_refusal_totals PRIMARY KEY (city, day, retailer, store, reason),
  CONSTRAINT ck_refusal_totals_lines CHECK (lines > 0)
)""",
    """
CREATE TABLE refused_lines (
  city TEXT NOT NULL,
  sold_at TIMESTAMP WITH TIME ZONE NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  retailer TEXT NOT NULL,
  store TEXT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_refused_lines PRIMARY KEY (city, sold_at, basket, line_no)
)""",
    "CREATE INDEX ix_refusal_totals_retailer ON refusal_totals (city, retailer, store, day)",
    "CREATE INDEX ix_refused_lines_retailer ON refused_lines (city, retailer, sold_at, basket, line_no)",
    "CREATE INDEX ix_refused_lines_reason ON refused_lines (city, retailer, reason, sold_at, basket, line_no)",
    "CREATE INDEX ix_prepaid_awards_store ON prepaid_awards (city, store, recorded_at, prepayment, place)",
    "GRANT SELECT, INSERT, DELETE ON refusal_totals, refused_lines TO greenpoints_engine",
    "GRANT SELECT ON refusal_totals, refused_lines TO greenpoints_console, greenpoints_auditor",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("refusal_totals", "refused_lines"):
        raise_wall(op.get_bind(), table)
