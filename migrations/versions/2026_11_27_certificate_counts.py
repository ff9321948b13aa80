"""Counts of valid certificates by county, scheme and month, and what each budget was used for by month.

Both are made from what is there: the hourly jobs fill them, certificates version by version. That scans were counted is
forgotten, so that budgets' past months are made too. Indexes are built while the registry is written. The previous release uses
none of it.
"""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0061_certificate_counts"
down_revision = "0066_wards_follow"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE certificate_months (
  region VARCHAR(6) NOT NULL,
  scheme TEXT NOT NULL,
  month DATE NOT NULL,
  delta BIGINT NOT NULL,
  added BIGINT NOT NULL,
  withdrawn BIGINT NOT NULL,
  expired BIGINT NOT NULL,
  CONSTRAINT pk_certificate_months PRIMARY KEY (region, scheme, month),
  CONSTRAINT ck_certificate_months_region CHECK (region ~ '^[0-9]{6}$'),
  CONSTRAINT ck_certificate_months_month CHECK (extract(day FROM month) = 1),
  CONSTRAINT ck_certificate_months_moves CHECK (added >= 0 AND withdrawn >= 0 AND expired >= 0)
)""",
    """
CREATE TABLE certificates_counted (
  one BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  after UUID,
  CONSTRAINT pk_certificates_counted PRIMARY KEY (one),
  CONSTRAINT ck_certificates_counted_one CHECK (one),
  CONSTRAINT ck_certificates_counted_version CHECK (version >= 0)
)""",
    """
CREATE TABLE budget_uses (
  city TEXT NOT NULL,
  policy TEXT NOT NULL,
  unit TEXT NOT NULL,
  month DATE NOT NULL,
  facet TEXT NOT NULL,
  key TEXT NOT NULL,
  awards BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  CONSTRAINT pk_budget_uses PRIMARY KEY (city, policy, unit, month, facet, key),
  CONSTRAINT ck_budget_uses_facet CHECK (facet IN ('scheme', 'district', 'retailer')),
  CONSTRAINT ck_budget_uses_month CHECK (extract(day FROM month) = 1),
  CONSTRAINT ck_budget_uses_amounts CHECK (awards > 0 AND amount > 0)
)""",
    "CREATE INDEX ix_budget_uses_month ON budget_uses (city, month)",
    "INSERT INTO certificates_counted (one, version) VALUES (true, 0)",
)
READERS = "greenpoints_console, greenpoints_auditor"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in TABLES:
        op.execute(statement)
    raise_wall(op.get_bind(), "budget_uses")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (delta, added, withdrawn, expired) ON certificate_months TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, UPDATE (version, after) ON certificates_counted TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, DELETE ON budget_uses TO greenpoints_engine")
    op.execute(f"GRANT SELECT ON certificate_months, certificates_counted, budget_uses TO {READERS}")
    op.execute("DELETE FROM counted_until")
    with op.get_context().autocommit_block():
        for table in ("certificate_terms", "certificate_states"):
            op.create_index(
                f"ix_{table}_version",
                table,
                ["recorded_version", "certificate"],
                if_not_exists=True,
                postgresql_concurrently=True,
            )
