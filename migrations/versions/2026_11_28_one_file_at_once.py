"""A retailer's files of sales are recorded one after another: two at once could each bring the goods of one slip.

What is being recorded while this runs goes back to those that wait; recording it again changes nothing.
"""

from alembic import op

revision = "0073_one_file_at_once"
down_revision = "0072_nobodys_baskets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE sales_files SET state = 'waiting' WHERE state = 'recording'")
    op.execute("CREATE UNIQUE INDEX ix_sales_files_recording ON sales_files (city, retailer) WHERE state = 'recording'")
