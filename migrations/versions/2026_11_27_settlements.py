"""Settlement with shops: statements, disputes, payments; the ledger's reasons and accounts for them.

The previous release posts none of the new reasons and knows no value of a voucher to a shop.
"""

from alembic import op

revision = "0044_settlements"
down_revision = "0042_acts"
branch_labels = None
depends_on = None

REASONS = (
    "'grant', 'award', 'reversal', 'release', 'collect', 'lapse', 'expiry', 'repay', 'redemption', 'hold', 'donation', "
    "'return', 'reclaim', 'reserve', 'unreserve', 'reinstate', 'merge', 'forfeit', 'prepaid', 'reimburse', 'payment', 'adjust'"
)

SETTLEMENT_TERMS = """
CREATE TABLE settlement_terms (
  city TEXT NOT NULL,
  dispute_days INTEGER NOT NULL,
  accept_days INTEGER NOT NULL,
  review_days INTEGER NOT NULL,
  pay_days INTEGER NOT NULL,
  closed_through TEXT,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_settlement_terms PRIMARY KEY (city),
  CONSTRAINT ck_settlement_terms_days CHECK (dispute_days >= 1 AND accept_days >= 1 AND review_days > accept_days
    AND pay_days > review_days)
)"""

SETTLEMENT_MONTHS = """
CREATE TABLE settlement_months (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  closed_by TEXT NOT NULL,
  dispute_until TIMESTAMP WITH TIME ZONE NOT NULL,
  accept_by TIMESTAMP WITH TIME ZONE NOT NULL,
  review_by TIMESTAMP WITH TIME ZONE NOT NULL,
  pay_by TIMESTAMP WITH TIME ZONE NOT NULL,
  statements INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  CONSTRAINT pk_settlement_months PRIMARY KEY (city, month),
  CONSTRAINT ck_settlement_months_month CHECK (month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
  CONSTRAINT ck_settlement_months_times CHECK (closed_at >= ended_at AND dispute_until > closed_at),
  CONSTRAINT ck_settlement_months_clocks CHECK (review_by > accept_by AND pay_by > review_by),
  CONSTRAINT ck_settlement_months_counts CHECK (statements >= 0 AND lines >= statements)
)"""

STATEMENTS = """
CREATE TABLE statements (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  lines INTEGER NOT NULL,
  fee_fen BIGINT NOT NULL,
  subsidy_fen BIGINT NOT NULL,
  CONSTRAINT pk_statements PRIMARY KEY (city, month, retailer),
  CONSTRAINT ck_statements_lines CHECK (lines >= 1)
)"""

STATEMENT_LINES = """
CREATE TABLE statement_lines (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  line_no INTEGER NOT NULL,
  store TEXT NOT NULL,
  unit TEXT NOT NULL,
  cause TEXT NOT NULL,
  amount BIGINT NOT NULL,
  reference UUID NOT NULL,
  step SMALLINT NOT NULL,
  claim INTEGER NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  basket UUID,
  sale_line SMALLINT,
  CONSTRAINT pk_statement_lines PRIMARY KEY (city, month, retailer, line_no),
  CONSTRAINT uq_statement_lines_city_reference_step_claim UNIQUE (city, reference, step, claim),
  CONSTRAINT ck_statement_lines_amount CHECK (line_no >= 1 AND amount <> 0),
  CONSTRAINT ck_statement_lines_unit CHECK (unit IN ('fee', 'fen')),
  CONSTRAINT ck_statement_lines_cause CHECK (cause IN ('fee', 'prepaid', 'voucher', 'service', 'undone', 'return',
    'correction', 'adjustment')),
  CONSTRAINT ck_statement_lines_sale CHECK ((basket IS NULL) = (sale_line IS NULL))
)"""

STATEMENT_CONFIRMATIONS = """
CREATE TABLE statement_confirmations (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_statement_confirmations PRIMARY KEY (city, month, retailer)
)"""

STATEMENT_DISPUTES = """
CREATE TABLE statement_disputes (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  line_no INTEGER NOT NULL,
  reason TEXT NOT NULL,
  disputed_by TEXT NOT NULL,
  disputed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ruling TEXT,
  correction BIGINT,
  correction_reference UUID,
  explanation TEXT,
  ruled_by TEXT,
  ruled_at TIMESTAMP WITH TIME ZONE,
  approved_by TEXT,
  approved_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_statement_disputes PRIMARY KEY (city, month, retailer, line_no),
  CONSTRAINT ck_statement_disputes_reason CHECK (char_length(reason) BETWEEN 1 AND 500),
  CONSTRAINT ck_statement_disputes_ruling CHECK (ruling IN ('stands', 'correct')),
  CONSTRAINT ck_statement_disputes_ruled CHECK ((ruling IS NULL) = (ruled_by IS NULL)
    AND (ruling IS NULL) = (ruled_at IS NULL) AND (ruling IS NULL) = (explanation IS NULL)),
  CONSTRAINT ck_statement_disputes_correction CHECK ((ruling IS NOT DISTINCT FROM 'correct') = (correction IS NOT NULL)
    AND correction <> 0),
  CONSTRAINT ck_statement_disputes_two CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND approved_by <> ruled_by
    AND (approved_by IS NOT NULL) = (correction_reference IS NOT NULL) AND (approved_by IS NULL OR ruling = 'correct'))
)"""

CLAIM_HOLDS = """
CREATE TABLE claim_holds (
  city TEXT NOT NULL,
  hold UUID NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  held_by TEXT NOT NULL,
  held_at TIMESTAMP WITH TIME ZONE NOT NULL,
  release_reason TEXT,
  released_by TEXT,
  released_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_claim_holds PRIMARY KEY (city, hold),
  CONSTRAINT ck_claim_holds_reason CHECK (char_length(reason) BETWEEN 1 AND 500),
  CONSTRAINT ck_claim_holds_released CHECK ((released_at IS NULL) = (released_by IS NULL)
    AND (released_at IS NULL) = (release_reason IS NULL))
)"""

SETTLEMENT_PAYMENTS = """
CREATE TABLE settlement_payments (
  city TEXT NOT NULL,
  payment UUID NOT NULL,
  state TEXT NOT NULL,
  lines INTEGER NOT NULL,
  amount_fen BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  prepared_by TEXT NOT NULL,
  prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
  released_by TEXT,
  released_at TIMESTAMP WITH TIME ZONE,
  refused_by TEXT,
  refused_at TIMESTAMP WITH TIME ZONE,
  refusal TEXT,
  paid_by TEXT,
  paid_at TIMESTAMP WITH TIME ZONE,
  paid_on DATE,
  bank_reference TEXT,
  CONSTRAINT pk_settlement_payments PRIMARY KEY (city, payment),
  CONSTRAINT ck_settlement_payments_state CHECK (state IN ('prepared', 'released', 'refused', 'paid')),
  CONSTRAINT ck_settlement_payments_amount CHECK (lines >= 1 AND amount_fen >= 1),
  CONSTRAINT ck_settlement_payments_sha256 CHECK (octet_length(sha256) = 32),
  CONSTRAINT ck_settlement_payments_two CHECK (released_by <> prepared_by),
  CONSTRAINT ck_settlement_payments_released CHECK ((released_by IS NULL) = (released_at IS NULL)
    AND (state <> 'released' OR released_by IS NOT NULL) AND (state <> 'paid' OR released_by IS NOT NULL)
    AND (state <> 'prepared' OR released_by IS NULL)),
  CONSTRAINT ck_settlement_payments_refused CHECK ((state = 'refused') = (refused_by IS NOT NULL)
    AND (refused_by IS NULL) = (refused_at IS NULL) AND (refused_by IS NULL) = (refusal IS NULL)),
  CONSTRAINT ck_settlement_payments_paid CHECK ((state = 'paid') = (paid_by IS NOT NULL)
    AND (paid_by IS NULL) = (paid_at IS NULL) AND (paid_by IS NULL) = (paid_on IS NULL)
    AND (paid_by IS NULL) = (bank_reference IS NULL))
)"""

SETTLEMENT_PAYEES = """
CREATE TABLE settlement_payees (
  city TEXT NOT NULL,
  payment UUID NOT NULL,
  retailer TEXT NOT NULL,
  unit TEXT NOT NULL,
  lines INTEGER NOT NULL,
  amount_fen BIGINT NOT NULL,
  CONSTRAINT pk_settlement_payees PRIMARY KEY (city, payment, retailer, unit),
  CONSTRAINT ck_settlement_payees_amount CHECK (lines >= 1 AND amount_fen >= 1),
  CONSTRAINT ck_settlement_payees_unit CHECK (unit IN ('fee', 'fen'))
)"""

SETTLEMENT_PAYMENT_LINES = """
CREATE TABLE settlement_payment_lines (
  city TEXT NOT NULL,
  payment UUID NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  line_no INTEGER NOT NULL,
  refused BOOLEAN NOT NULL,
  CONSTRAINT pk_settlement_payment_lines PRIMARY KEY (city, payment, month, retailer, line_no)
)"""

PREPAID_AWARDS = """
CREATE TABLE prepaid_awards (
  city TEXT NOT NULL,
  prepayment UUID NOT NULL,
  place SMALLINT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  award_no SMALLINT NOT NULL,
  store TEXT NOT NULL,
  amount BIGINT NOT NULL,
  caller TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  sha256 BYTEA NOT NULL,
  CONSTRAINT pk_prepaid_awards PRIMARY KEY (city, prepayment, place),
  CONSTRAINT uq_prepaid_awards_city_basket_line_no_decision_no_award_no UNIQUE (city, basket, line_no, decision_no,
    award_no),
  CONSTRAINT ck_prepaid_awards_amount CHECK (amount >= 1 AND place >= 0 AND award_no >= 1),
  CONSTRAINT ck_prepaid_awards_sha256 CHECK (octet_length(sha256) = 32)
)"""

INDEXES = (
    "CREATE INDEX ix_statement_lines_sale ON statement_lines (city, basket, sale_line) WHERE basket IS NOT NULL",
    "CREATE UNIQUE INDEX ix_claim_holds_open ON claim_holds (city, basket, line_no) WHERE released_at IS NULL",
    """CREATE UNIQUE INDEX ix_settlement_payment_lines_once
  ON settlement_payment_lines (city, month, retailer, line_no) WHERE NOT refused""",
)

WRITES = {
    "settlement_terms": "INSERT, UPDATE (dispute_days, accept_days, review_days, pay_days, closed_through, set_by, "
    "set_at)",
    "settlement_months": "INSERT",
    "statements": "INSERT",
    "statement_lines": "INSERT",
    "statement_confirmations": "INSERT",
    "statement_disputes": "INSERT, UPDATE (ruling, correction, correction_reference, explanation, ruled_by, ruled_at, "
    "approved_by, approved_at)",
    "claim_holds": "INSERT, UPDATE (release_reason, released_by, released_at)",
    "settlement_payments": "INSERT, UPDATE (state, released_by, released_at, refused_by, refused_at, refusal, paid_by, "
    "paid_at, paid_on, bank_reference)",
    "settlement_payees": "INSERT",
    "settlement_payment_lines": "INSERT, UPDATE (refused)",
    "prepaid_awards": "INSERT",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (
        SETTLEMENT_TERMS,
        SETTLEMENT_MONTHS,
        STATEMENTS,
        STATEMENT_LINES,
        STATEMENT_CONFIRMATIONS,
        STATEMENT_DISPUTES,
        CLAIM_HOLDS,
        SETTLEMENT_PAYMENTS,
        SETTLEMENT_PAYEES,
        SETTLEMENT_PAYMENT_LINES,
        PREPAID_AWARDS,
        *INDEXES,
    ):
        op.execute(statement)
    for table, writes in WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
    # What a shop gets for each piece; empty: nothing, as before.
    op.execute(
        "ALTER TABLE catalogue_versions ADD COLUMN shop_fen BIGINT"
        " CONSTRAINT ck_catalogue_versions_shop_fen CHECK (shop_fen >= 1)"
    )
    op.execute("ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_reason")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason CHECK (reason IN ({REASONS})) NOT VALID")
    # It may be long: it is read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")
