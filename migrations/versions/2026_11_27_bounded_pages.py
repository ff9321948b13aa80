"""What pages read in place of a growing history: the queue of held scans, which statements each payment pays and which are
not paid yet, totals of the last days, each shop's account against its claims. And indexes for what is listed.

New tables, filled from what is there. The previous release neither reads nor writes them: what it decides or pays after this
migration is missing in them, so its processes are replaced before anybody relies on the pages.
"""

from alembic import op

from backend.storage.row_security import raise_wall

revision = "0062_bounded_pages"
down_revision = "0061_certificate_counts"
branch_labels = None
depends_on = None

OPEN_HOLDS = """
CREATE TABLE open_holds (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  CONSTRAINT pk_open_holds PRIMARY KEY (city, basket, line_no)
)"""
HELD_NOW = """
INSERT INTO open_holds (city, basket, line_no, decision_no)
SELECT d.city, d.basket, d.line_no, d.decision_no FROM decisions d
WHERE d.outcome = 'held' AND NOT EXISTS (
  SELECT FROM decisions later WHERE later.city = d.city AND later.basket = d.basket AND later.line_no = d.line_no
    AND later.decision_no > d.decision_no)"""

PAYMENT_STATEMENTS = """
CREATE TABLE settlement_payment_statements (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  payment UUID NOT NULL,
  lines INTEGER NOT NULL,
  amount_fen BIGINT NOT NULL,
  CONSTRAINT pk_settlement_payment_statements PRIMARY KEY (city, month, retailer, payment),
  CONSTRAINT ck_settlement_payment_statements_lines CHECK (lines >= 1)
)"""
PAID_UNTIL_NOW = """
INSERT INTO settlement_payment_statements (city, month, retailer, payment, lines, amount_fen)
SELECT x.city, x.month, x.retailer, x.payment, count(*), sum(l.amount) FROM settlement_payment_lines x
JOIN statement_lines l ON l.city = x.city AND l.month = x.month AND l.retailer = x.retailer AND l.line_no = x.line_no
GROUP BY x.city, x.month, x.retailer, x.payment"""

UNPAID_STATEMENTS = """
CREATE TABLE unpaid_statements (
  city TEXT NOT NULL,
  month TEXT NOT NULL,
  retailer TEXT NOT NULL,
  CONSTRAINT pk_unpaid_statements PRIMARY KEY (city, month, retailer)
)"""
UNPAID_NOW = """
INSERT INTO unpaid_statements (city, month, retailer)
SELECT s.city, s.month, s.retailer FROM statements s
WHERE s.lines > (SELECT coalesce(sum(x.lines), 0) FROM settlement_payment_statements x
                 JOIN settlement_payments p ON p.city = x.city AND p.payment = x.payment AND p.state = 'paid'
                 WHERE x.city = s.city AND x.month = s.month AND x.retailer = s.retailer)"""

SPAN_TOTALS = """
CREATE TABLE span_totals (
  city TEXT NOT NULL,
  days SMALLINT NOT NULL,
  facet TEXT NOT NULL,
  key TEXT NOT NULL,
  scans BIGINT NOT NULL,
  awarded BIGINT NOT NULL,
  points BIGINT NOT NULL,
  fen BIGINT NOT NULL,
  persons BIGINT NOT NULL,
  CONSTRAINT pk_span_totals PRIMARY KEY (city, days, facet, key),
  CONSTRAINT ck_span_totals_days CHECK (days > 0),
  CONSTRAINT ck_span_totals_facet CHECK (facet IN ('hour', 'scheme', 'district', 'store')),
  CONSTRAINT ck_span_totals_scans CHECK (awarded >= 0 AND awarded <= scans AND scans > 0),
  CONSTRAINT ck_span_totals_amounts CHECK (points >= 0 AND fen >= 0 AND persons >= 0)
)"""

RECONCILIATIONS = """
CREATE TABLE shop_reconciliations (
  city TEXT NOT NULL,
  store TEXT NOT NULL,
  unit TEXT NOT NULL,
  name_zh TEXT,
  retailer TEXT,
  balance BIGINT NOT NULL,
  unpaid BIGINT NOT NULL,
  waiting BIGINT NOT NULL,
  reckoned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_shop_reconciliations PRIMARY KEY (city, store, unit)
)"""

TABLES = {
    "open_holds": OPEN_HOLDS,
    "settlement_payment_statements": PAYMENT_STATEMENTS,
    "unpaid_statements": UNPAID_STATEMENTS,
    "span_totals": SPAN_TOTALS,
    "shop_reconciliations": RECONCILIATIONS,
}
WRITES = {
    "open_holds": "INSERT, DELETE",
    "settlement_payment_statements": "INSERT",
    "unpaid_statements": "INSERT, DELETE",
    "span_totals": "INSERT, DELETE",
    "shop_reconciliations": "INSERT, DELETE",
}
OFFICIALS_WRITE = ("open_holds", "settlement_payment_statements", "unpaid_statements")

OPEN = "ruling IS DISTINCT FROM 'stands' AND approved_at IS NULL"
INDEXES = {
    "ix_settlement_payments_prepared": "settlement_payments (city, prepared_at, payment)",
    "ix_statement_disputes_open": f"statement_disputes (city, month, retailer) WHERE {OPEN}",
    "ix_statement_disputes_oldest": f"statement_disputes (city, disputed_at, month, retailer, line_no) WHERE {OPEN}",
    "ix_policy_drafts_policy": "policy_drafts (city, policy, draft)",
    "ix_stores_district": "stores (city, district)",
    "ix_certified_products_category": "certified_products (category) WHERE category IS NOT NULL",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table, created in TABLES.items():
        op.execute(created)
        op.execute(f"GRANT SELECT, {WRITES[table]} ON {table} TO greenpoints_engine")
        written = f", {WRITES[table]}" if table in OFFICIALS_WRITE else ""
        op.execute(f"GRANT SELECT{written} ON {table} TO greenpoints_console")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_auditor")
    for filled in (HELD_NOW, PAID_UNTIL_NOW, UNPAID_NOW):
        op.execute(filled)
    for table in TABLES:
        raise_wall(op.get_bind(), table)
    with op.get_context().autocommit_block():
        for name, of in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {of}")
