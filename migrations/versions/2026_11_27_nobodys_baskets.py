"""What a shop sold and nobody has yet is found by its day: a slip that is shown later is looked for among it.

Baskets of somebody, most of them, are not in the index, and cost nothing more.
"""

from alembic import op

revision = "0072_nobodys_baskets"
down_revision = "0070_basket_gaps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_baskets_nobodys ON baskets (city, store, sold_at) WHERE resident IS NULL"
        )
