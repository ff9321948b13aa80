"""Staff of retailers sign in as officials do: each is of one retailer and holds one role there, none of the city's."""

from alembic import op

revision = "0056_staff"
down_revision = "0068_missing_proposals"
branch_labels = None
depends_on = None

STAFF = """
ALTER TABLE officials ADD CONSTRAINT ck_officials_staff CHECK (
  (retailer IS NULL AND NOT roles && ARRAY['shopkeeper', 'clerk'])
  OR (retailer IS NOT NULL AND roles <@ ARRAY['shopkeeper', 'clerk'] AND cardinality(roles) = 1
    AND district IS NULL AND sign_on_subject IS NULL))"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE officials ADD COLUMN retailer TEXT")
    op.execute(STAFF)
    op.execute("CREATE INDEX ix_officials_staff ON officials (city, retailer, login) WHERE retailer IS NOT NULL")
    op.execute("GRANT SELECT (retailer) ON officials TO greenpoints_console, greenpoints_auditor")
