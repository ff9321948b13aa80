"""Offline leases of budget: terms, grants, what tills promised out of them, and the last message to each till.

Adds tables alone. The previous release decides a basket that names a lease from the budget, as any other; its own verification
does not know the leases' accounts, so no terms are set before it is gone.
"""

from alembic import op

revision = "0027_leases"
down_revision = "0028_fleet"
branch_labels = None
depends_on = None

TERMS = """
CREATE TABLE lease_terms (
  city TEXT NOT NULL,
  policy TEXT NOT NULL,
  unit TEXT NOT NULL,
  amount BIGINT NOT NULL,
  awards SMALLINT NOT NULL,
  hours SMALLINT NOT NULL,
  grace_hours SMALLINT NOT NULL,
  share_bp SMALLINT NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_lease_terms PRIMARY KEY (city, policy, unit),
  CONSTRAINT ck_lease_terms_unit CHECK (unit IN ('points', 'fen')),
  CONSTRAINT ck_lease_terms_bounds CHECK (amount >= 0 AND awards >= 1 AND hours >= 1 AND grace_hours >= 1),
  CONSTRAINT ck_lease_terms_share CHECK (share_bp >= 1 AND share_bp <= 5000),
  CONSTRAINT ck_lease_terms_told CHECK (set_by <> '')
)"""

LEASES = """
CREATE TABLE leases (
  city TEXT NOT NULL,
  lease UUID NOT NULL,
  device TEXT NOT NULL,
  stream UUID NOT NULL,
  policy TEXT NOT NULL,
  unit TEXT NOT NULL,
  amount BIGINT NOT NULL,
  awards SMALLINT NOT NULL,
  granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  ended_why TEXT,
  settles_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  drawn BIGINT NOT NULL,
  returned BIGINT NOT NULL,
  promises INTEGER NOT NULL,
  postings INTEGER NOT NULL,
  CONSTRAINT pk_leases PRIMARY KEY (city, lease),
  CONSTRAINT ck_leases_amounts CHECK (amount > 0 AND drawn >= 0 AND returned >= 0 AND drawn + returned <= amount),
  CONSTRAINT ck_leases_awards CHECK (promises >= 0 AND promises <= awards),
  CONSTRAINT ck_leases_period CHECK (expires_at > granted_at),
  CONSTRAINT ck_leases_ended CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
  CONSTRAINT ck_leases_why CHECK (ended_why IN ('policy', 'revoked', 'official')),
  CONSTRAINT ck_leases_closed CHECK (closed_at IS NULL OR drawn + returned = amount)
)"""

PROMISES = """
CREATE TABLE lease_promises (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  lease UUID NOT NULL,
  amount BIGINT NOT NULL,
  fault TEXT,
  drawn BIGINT NOT NULL,
  decision_no SMALLINT,
  CONSTRAINT pk_lease_promises PRIMARY KEY (city, basket, line_no, lease),
  CONSTRAINT ck_lease_promises_amounts CHECK (amount > 0 AND drawn >= 0 AND drawn <= amount),
  CONSTRAINT ck_lease_promises_drawn CHECK (drawn = 0 OR (fault IS NULL AND decision_no IS NOT NULL)),
  CONSTRAINT ck_lease_promises_fault CHECK (fault IN ('unknown', 'another_till', 'out_of_time', 'late', 'used_up'))
)"""

TILLS = """
CREATE TABLE lease_tills (
  city TEXT NOT NULL,
  device TEXT NOT NULL,
  version BIGINT NOT NULL,
  CONSTRAINT pk_lease_tills PRIMARY KEY (city, device),
  CONSTRAINT ck_lease_tills_version CHECK (version >= 1)
)"""

ENGINE_WRITES = {
    "lease_terms": "INSERT, UPDATE (amount, awards, hours, grace_hours, share_bp, set_by, set_at)",
    "leases": "INSERT,"
    " UPDATE (ended_at, ended_why, settles_at, due_at, closed_at, drawn, returned, promises, postings)",
    "lease_promises": "INSERT, UPDATE (drawn, decision_no)",
    "lease_tills": "INSERT, UPDATE (version)",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (TERMS, LEASES, PROMISES, TILLS):
        op.execute(statement)
    op.execute("CREATE INDEX ix_leases_open ON leases (city, policy, unit, device) WHERE closed_at IS NULL")
    op.execute("CREATE INDEX ix_leases_due ON leases (city, due_at) WHERE closed_at IS NULL")
    op.execute("CREATE INDEX ix_lease_promises_lease ON lease_promises (city, lease)")
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
