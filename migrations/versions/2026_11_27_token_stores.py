"""A shop's system acts for one retailer's shops of one city: no further token of it is entered without saying whose.

Tokens of before stay as they are, bound to nobody; what they may do is the web's to say. The release before could issue
such tokens only: from here on its command fails, and shops' systems get theirs from the new one.
"""

from alembic import op

revision = "0054_token_stores"
down_revision = "0043_spent_units"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE service_tokens ADD COLUMN of_before BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute("UPDATE service_tokens SET of_before = TRUE WHERE service = 'pos' AND retailer IS NULL")
    op.execute(
        "ALTER TABLE service_tokens ADD CONSTRAINT ck_service_tokens_bound"
        " CHECK (service <> 'pos' OR retailer IS NOT NULL OR of_before)"
    )
    op.execute("GRANT UPDATE (of_city, retailer) ON service_tokens TO greenpoints_engine")
