"""Cases: reports of false labels, samples of awards that are looked at whatever the flags say, and what a lost certificate cost.

The index finds the awards of a certificate without reading every decision; a decision without an award is not in it.
"""

from alembic import op

revision = "0047_cases"
down_revision = "0041_officials"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE label_reports (
  city TEXT NOT NULL,
  report UUID NOT NULL,
  resident UUID NOT NULL,
  store TEXT,
  basket UUID,
  line_no SMALLINT,
  label TEXT,
  text TEXT NOT NULL,
  filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_on DATE,
  state TEXT NOT NULL,
  outcome TEXT,
  reason TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  decided_by TEXT,
  CONSTRAINT pk_label_reports PRIMARY KEY (city, report),
  CONSTRAINT ck_label_reports_text CHECK (char_length(text) BETWEEN 1 AND 500),
  CONSTRAINT ck_label_reports_label CHECK (char_length(label) BETWEEN 1 AND 300),
  CONSTRAINT ck_label_reports_scan CHECK ((basket IS NULL) = (line_no IS NULL)),
  CONSTRAINT ck_label_reports_about CHECK (store IS NOT NULL OR basket IS NOT NULL),
  CONSTRAINT ck_label_reports_state CHECK (state IN ('filed', 'accepted', 'sampling', 'decided', 'closed')),
  CONSTRAINT ck_label_reports_outcome CHECK (outcome IN ('confirmed', 'not_proven', 'declined')),
  CONSTRAINT ck_label_reports_decided CHECK ((state IN ('decided', 'closed')) = (decided_at IS NOT NULL)
    AND (decided_at IS NULL) = (outcome IS NULL) AND (decided_at IS NULL) = (reason IS NULL)
    AND (decided_at IS NULL) = (decided_by IS NULL)),
  CONSTRAINT ck_label_reports_due CHECK ((state IN ('filed', 'accepted', 'sampling')) = (due_on IS NOT NULL))
)""",
    """
CREATE TABLE report_steps (
  city TEXT NOT NULL,
  report UUID NOT NULL,
  step_no SMALLINT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  taken_by TEXT NOT NULL,
  taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_report_steps PRIMARY KEY (city, report, step_no),
  CONSTRAINT ck_report_steps_number CHECK (step_no BETWEEN 1 AND 200),
  CONSTRAINT ck_report_steps_kind CHECK (kind IN ('accept', 'sample', 'evidence', 'decide', 'close')),
  CONSTRAINT ck_report_steps_text CHECK (char_length(text) BETWEEN 1 AND 500)
)""",
    """
CREATE TABLE case_terms (
  city TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  accept_days SMALLINT NOT NULL,
  decide_days SMALLINT NOT NULL,
  sample_bp INTEGER NOT NULL,
  salt BYTEA NOT NULL,
  set_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_case_terms PRIMARY KEY (city, since),
  CONSTRAINT ck_case_terms_days CHECK (accept_days BETWEEN 1 AND 120 AND decide_days BETWEEN 1 AND 120),
  CONSTRAINT ck_case_terms_sample_bp CHECK (sample_bp BETWEEN 0 AND 10000),
  CONSTRAINT ck_case_terms_salt CHECK (octet_length(salt) = 16),
  CONSTRAINT ck_case_terms_reason CHECK (char_length(reason) BETWEEN 1 AND 500)
)""",
    """
CREATE TABLE sample_draws (
  city TEXT NOT NULL,
  through TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_sample_draws PRIMARY KEY (city)
)""",
    """
CREATE TABLE audit_samples (
  city TEXT NOT NULL,
  basket UUID NOT NULL,
  line_no SMALLINT NOT NULL,
  decision_no SMALLINT NOT NULL,
  drawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finding TEXT,
  reason TEXT,
  reviewed_by TEXT,
  reviewed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_audit_samples PRIMARY KEY (city, basket, line_no, decision_no),
  CONSTRAINT ck_audit_samples_finding CHECK (finding IN ('right', 'wrong')),
  CONSTRAINT ck_audit_samples_reason CHECK (char_length(reason) BETWEEN 1 AND 500),
  CONSTRAINT ck_audit_samples_reviewed CHECK ((finding IS NULL) = (reason IS NULL)
    AND (finding IS NULL) = (reviewed_by IS NULL) AND (finding IS NULL) = (reviewed_at IS NULL))
)""",
)
INDEXES = (
    "CREATE INDEX ix_label_reports_resident ON label_reports (city, resident, filed_at, report)",
    "CREATE INDEX ix_label_reports_due ON label_reports (city, due_on, report) WHERE due_on IS NOT NULL",
    "CREATE INDEX ix_label_reports_decided ON label_reports (city, decided_at, report) WHERE decided_at IS NOT NULL",
    "CREATE INDEX ix_audit_samples_open ON audit_samples (city, drawn_at, basket, line_no) WHERE finding IS NULL",
    "CREATE INDEX ix_decisions_certificate ON decisions (city, certificate_row) WHERE award > 0",
)
GRANTS = {
    "label_reports": "SELECT, INSERT, UPDATE (resident, text, label, due_on, state, outcome, reason, decided_at, decided_by)",
    "report_steps": "SELECT, INSERT",
    "case_terms": "SELECT, INSERT",
    "sample_draws": "SELECT, INSERT, UPDATE (through)",
    "audit_samples": "SELECT, INSERT, UPDATE (finding, reason, reviewed_by, reviewed_at)",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, privileges in GRANTS.items():
        op.execute(f"GRANT {privileges} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")
