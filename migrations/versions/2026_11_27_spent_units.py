"""The console reads the labels of single pieces that its own city spent, whole, for the ripple of a false serial.

What was spent in another city only the engine may ask, which therefore decides held scans and appeals again; what that writes
is no longer the console's to write. The previous release asked for the keys of all cities, and had no page that needed more.
"""

from alembic import op

revision = "0043_spent_units"
down_revision = "0052_repeated_units"
branch_labels = None
depends_on = None

DECIDED_AGAIN = (
    "decisions, further_awards, cap_counters, unit_claims, pending_products, lease_promises, baskets, hold_rulings"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP POLICY spent_anywhere ON unit_claims")
    op.execute(f"REVOKE INSERT, UPDATE ON {DECIDED_AGAIN} FROM greenpoints_console")
    op.execute("GRANT SELECT ON unit_claims TO greenpoints_console")
