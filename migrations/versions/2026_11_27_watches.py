"""What watches look up: held quotes by person, recent sales without reading all of the past, and weeks that were reckoned.

Block-range indexes cost next to nothing where rows come in the order of time, as these do. The previous release uses none of
it; medians that it reckons still stand, and its weeks are taken over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026_watches"
down_revision = "0025_handling"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "price_weeks",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("codes", sa.BigInteger(), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("codes >= 0", name=op.f("ck_price_weeks_codes")),
        sa.CheckConstraint("extract(isodow FROM week) = 1", name=op.f("ck_price_weeks_monday")),
        sa.PrimaryKeyConstraint("city", "week", name=op.f("pk_price_weeks")),
    )
    op.execute("GRANT SELECT, INSERT ON price_weeks TO greenpoints_engine")
    op.execute("GRANT SELECT ON price_weeks TO greenpoints_console, greenpoints_auditor")
    op.execute(
        "INSERT INTO price_weeks (city, week, codes, learned_at)"
        " SELECT city, week, count(*), min(learned_at) FROM price_medians GROUP BY city, week"
    )
    # Writers go on meanwhile: the tables may be long.
    with op.get_context().autocommit_block():
        for name, table, columns, more in (
            ("ix_quotes_resident", "quotes", ["city", "resident", "sold_at"], {"postgresql_where": sa.text(_HELD)}),
            ("ix_baskets_sold", "baskets", ["city", "sold_at"], {"postgresql_using": "brin"}),
            ("ix_decisions_decided", "decisions", ["city", "decided_at"], {"postgresql_using": "brin"}),
        ):
            op.create_index(name, table, columns, if_not_exists=True, postgresql_concurrently=True, **more)


_HELD = "state = 'held' AND resident IS NOT NULL"
