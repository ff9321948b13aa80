"""Numbers of tills' baskets that never came, as a job finds them: pages show them, and none counts for anything.

A new table; the previous release neither reads nor writes it.
"""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0070_basket_gaps"
down_revision = "0069_shop_tokens"
branch_labels = None
depends_on = None

BASKET_GAPS = """
CREATE TABLE basket_gaps (
  city TEXT NOT NULL,
  device TEXT NOT NULL,
  stream UUID NOT NULL,
  first_seq BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  found_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_basket_gaps PRIMARY KEY (city, device, stream, first_seq, last_seq),
  CONSTRAINT ck_basket_gaps_numbers CHECK (first_seq >= 1 AND last_seq >= first_seq)
)"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BASKET_GAPS)
    op.execute("CREATE INDEX ix_basket_gaps_found ON basket_gaps (city, found_at)")
    op.execute("GRANT SELECT, INSERT, DELETE ON basket_gaps TO greenpoints_engine")
    op.execute("GRANT SELECT ON basket_gaps TO greenpoints_console, greenpoints_auditor")
    raise_wall(op.get_bind(), "basket_gaps")
