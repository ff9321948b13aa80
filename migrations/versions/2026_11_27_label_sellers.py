"""Where certified goods were sold lately, for anyone who asks."""

from alembic import op

revision = "0049_label_sellers"
down_revision = "0045_adjustments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE TABLE label_sellers (city TEXT NOT NULL, label_key TEXT NOT NULL, store TEXT NOT NULL,"
        " CONSTRAINT pk_label_sellers PRIMARY KEY (city, label_key, store))"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON label_sellers TO greenpoints_engine")
    op.execute("GRANT SELECT ON label_sellers TO greenpoints_console, greenpoints_auditor")
