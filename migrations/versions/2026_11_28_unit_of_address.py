"""That an account's address ends in its unit is looked at twice for every award: spelled out it costs a fifth."""

from alembic import op

revision = "0075_unit_of_address"
down_revision = "0074_claimed_elsewhere"
branch_labels = None
depends_on = None

_UNITS = ("points", "fen", "gco2e", "evidence", "fee")


def upgrade() -> None:
    op.drop_constraint("ck_accounts_address", "accounts")
    op.drop_constraint("ck_accounts_unit", "accounts")
    spelled = " OR ".join(f"unit = '{unit}' AND account LIKE '%\\:{unit}'" for unit in _UNITS)
    op.create_check_constraint("address", "accounts", spelled)
