"""Vouchers that redemptions issue: known by the hash of their code, used once."""

from alembic import op

revision = "0034_vouchers"
down_revision = "0033_redemptions"
branch_labels = None
depends_on = None

VOUCHERS = """
CREATE TABLE vouchers (
  city TEXT NOT NULL,
  redemption UUID NOT NULL,
  code_hash BYTEA NOT NULL,
  state TEXT NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  service TEXT,
  store TEXT,
  use_key TEXT,
  CONSTRAINT pk_vouchers PRIMARY KEY (city, redemption),
  CONSTRAINT ck_vouchers_state CHECK (state IN ('issued', 'used', 'expired', 'void')),
  CONSTRAINT ck_vouchers_ended CHECK ((state = 'issued') = (ended_at IS NULL)),
  CONSTRAINT ck_vouchers_used CHECK ((state = 'used') = (store IS NOT NULL) AND (store IS NULL) = (service IS NULL)
    AND (store IS NULL) = (use_key IS NULL)),
  CONSTRAINT ck_vouchers_time CHECK (expires_at > issued_at),
  CONSTRAINT ck_vouchers_sha256 CHECK (octet_length(code_hash) = 32)
) WITH (fillfactor = 70)"""

INDEXES = (
    "CREATE UNIQUE INDEX ix_vouchers_code ON vouchers (city, code_hash)",
    "CREATE INDEX ix_vouchers_issued ON vouchers (city, expires_at) WHERE state = 'issued'",
    "CREATE UNIQUE INDEX ix_vouchers_use ON vouchers (city, service, use_key) WHERE use_key IS NOT NULL",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (VOUCHERS, *INDEXES):
        op.execute(statement)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (state, ended_at, service, store, use_key) ON vouchers TO greenpoints_engine"
    )
    op.execute("GRANT SELECT ON vouchers TO greenpoints_console, greenpoints_auditor")
