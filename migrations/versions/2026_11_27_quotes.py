"""What a shop's system is promised before a basket is paid: quotes, their decisions, and what they hold.

A unit label that a quote claimed and that was not sold after all may earn again: the engine may delete a claim for that.
"""

from alembic import op

revision = "0013_quotes"
down_revision = "0014_rulings"
branch_labels = None
depends_on = None

REASONS = (
    "'grant', 'award', 'reversal', 'release', 'collect', 'lapse', 'expiry', 'repay', 'redemption', 'return', 'reclaim',"
    " 'reserve', 'unreserve'"
)

QUOTES = """
CREATE TABLE quotes (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  device TEXT NOT NULL,
  stream UUID NOT NULL,
  service TEXT NOT NULL,
  request_sha256 BYTEA NOT NULL,
  line BYTEA,
  channel TEXT NOT NULL,
  store TEXT NOT NULL,
  district TEXT NOT NULL,
  resident UUID,
  cashier TEXT,
  versions TEXT NOT NULL,
  sold_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  settled_at TIMESTAMP WITH TIME ZONE,
  capture_sha256 BYTEA,
  CONSTRAINT pk_quotes PRIMARY KEY (city, basket),
  CONSTRAINT ck_quotes_state CHECK (state IN ('held', 'captured', 'voided', 'expired')),
  CONSTRAINT ck_quotes_settled CHECK ((state = 'held') = (settled_at IS NULL)),
  CONSTRAINT ck_quotes_captured CHECK ((state = 'captured') = (capture_sha256 IS NOT NULL)),
  CONSTRAINT ck_quotes_period CHECK (expires_at > sold_at),
  CONSTRAINT ck_quotes_sha256 CHECK (octet_length(request_sha256) = 32 AND octet_length(capture_sha256) = 32)
)"""

QUOTED_DECISIONS = """
CREATE TABLE quoted_decisions (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  label_key TEXT,
  scheme TEXT NOT NULL,
  code BYTEA,
  code_text TEXT,
  symbology TEXT,
  quantity SMALLINT NOT NULL,
  price_fen BIGINT,
  serial TEXT,
  evidence TEXT,
  resident UUID,
  certificate TEXT,
  certificate_row UUID,
  certificate_scheme TEXT,
  category TEXT,
  grade SMALLINT,
  tier SMALLINT,
  level VARCHAR(1),
  proof VARCHAR(2) NOT NULL,
  policy_version UUID,
  rule TEXT,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  missing TEXT,
  unit TEXT,
  gross BIGINT NOT NULL,
  award BIGINT NOT NULL,
  limit_name TEXT,
  limit_left BIGINT,
  decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_quoted_decisions PRIMARY KEY (city, basket, line_no, decision_no),
  CONSTRAINT ck_quoted_decisions_number CHECK (decision_no >= 1),
  CONSTRAINT ck_quoted_decisions_line CHECK (line_no >= 0 AND line_no < 50),
  CONSTRAINT ck_quoted_decisions_award CHECK (award >= 0 AND award <= gross),
  CONSTRAINT ck_quoted_decisions_outcome_award CHECK ((outcome = 'awarded') = (award > 0)),
  CONSTRAINT ck_quoted_decisions_award_has_owner CHECK (award = 0 OR (resident IS NOT NULL AND policy_version IS NOT NULL)),
  CONSTRAINT ck_quoted_decisions_outcome CHECK (outcome IN ('awarded', 'none', 'pending_product', 'unclaimed', 'held')),
  CONSTRAINT ck_quoted_decisions_quantity CHECK (quantity >= 1),
  CONSTRAINT ck_quoted_decisions_price CHECK (price_fen >= 0)
)"""

QUOTED_AWARDS = """
CREATE TABLE quoted_awards (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  award_no SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  policy_version UUID NOT NULL,
  rule TEXT NOT NULL,
  unit TEXT NOT NULL,
  gross BIGINT NOT NULL,
  award BIGINT NOT NULL,
  limit_name TEXT,
  limit_left BIGINT,
  CONSTRAINT pk_quoted_awards PRIMARY KEY (city, basket, line_no, decision_no, award_no),
  CONSTRAINT ck_quoted_awards_number CHECK (award_no >= 2 AND award_no <= 100),
  CONSTRAINT ck_quoted_awards_award CHECK (award >= 0 AND award <= gross AND gross > 0),
  CONSTRAINT ck_quoted_awards_reason_award CHECK ((reason IN ('awarded', 'awarded_in_part')) = (award > 0))
)"""

QUOTE_COUNTERS = """
CREATE TABLE quote_counters (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  person UUID NOT NULL,
  period TEXT NOT NULL,
  cap TEXT NOT NULL,
  used_before BIGINT NOT NULL,
  taken BIGINT NOT NULL,
  CONSTRAINT pk_quote_counters PRIMARY KEY (city, basket, person, period, cap),
  CONSTRAINT ck_quote_counters_amounts CHECK (used_before >= 0 AND taken >= 0)
)"""

ENGINE_WRITES = {
    "quotes": "INSERT, UPDATE (state, settled_at, capture_sha256)",
    "quoted_decisions": "INSERT",
    "quoted_awards": "INSERT",
    "quote_counters": "INSERT",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (QUOTES, QUOTED_DECISIONS, QUOTED_AWARDS, QUOTE_COUNTERS):
        op.execute(statement)
    op.execute("CREATE INDEX ix_quotes_held ON quotes (city, expires_at) WHERE state = 'held'")
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
    op.execute("GRANT DELETE ON unit_claims TO greenpoints_engine")
    op.execute("ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_reason")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason CHECK (reason IN ({REASONS})) NOT VALID")
    # The ledger may be long: it is read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")
