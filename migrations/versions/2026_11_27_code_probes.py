"""Member codes are found by their handle alone, and change in place.

An index of (city, resident) serves any query that names a city: while a table is young and its statistics are missing, the
planner took every code of the city for the few of a batch (32 ms instead of 1). It is asked only where a resident is named
now. A page keeps room for a second version of each of its codes, since every code that is used changes once.
"""

from alembic import op

revision = "0071_code_probes"
down_revision = "0065_second_persons"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE member_codes SET (fillfactor = 45)")
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_member_codes_of ON member_codes (city, resident) WHERE resident IS NOT NULL"
        )
        op.execute("DROP INDEX CONCURRENTLY ix_member_codes_resident")
        op.execute("ALTER INDEX ix_member_codes_of RENAME TO ix_member_codes_resident")
