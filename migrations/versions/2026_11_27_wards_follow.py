"""A guardian's two accounts become one: the children are the survivor's.

The previous release leaves them with the account that was absorbed.
"""

from alembic import op

revision = "0066_wards_follow"
down_revision = "0057_shop_pages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("GRANT UPDATE (guardian_city, guardian) ON guardian_consents TO greenpoints_engine")
