"""Officials: who acts for a city, with which roles, and where they are signed in.

The console's own role sees no password and no second factor: it may set them, and read neither.
"""

from alembic import op

revision = "0041_officials"
down_revision = "0049_slip_numbers"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE officials (
  city TEXT NOT NULL,
  official UUID NOT NULL,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  district TEXT,
  roles TEXT[] NOT NULL,
  password_hash TEXT,
  password_change BOOLEAN NOT NULL,
  factor_sealed BYTEA,
  factor_step BIGINT,
  added_at TIMESTAMP WITH TIME ZONE NOT NULL,
  added_by TEXT NOT NULL,
  disabled_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_officials PRIMARY KEY (city, official),
  CONSTRAINT ck_officials_roles CHECK (cardinality(roles) BETWEEN 1 AND 8),
  CONSTRAINT ck_officials_auditor CHECK (NOT ('auditor' = ANY (roles)) OR cardinality(roles) = 1),
  CONSTRAINT ck_officials_province CHECK (('province' = ANY (roles)) = (city LIKE '%%0000')),
  CONSTRAINT ck_officials_apart CHECK (NOT ('city_administrator' = ANY (roles)) OR NOT roles && ARRAY['approver', 'finance']),
  CONSTRAINT ck_officials_login CHECK (char_length(login) BETWEEN 2 AND 64),
  CONSTRAINT ck_officials_name CHECK (char_length(name) BETWEEN 1 AND 40)
)""",
    """
CREATE TABLE official_directory (
  login TEXT NOT NULL,
  city TEXT NOT NULL,
  official UUID NOT NULL,
  CONSTRAINT pk_official_directory PRIMARY KEY (login)
)""",
    """
CREATE TABLE official_sessions (
  token_hash BYTEA NOT NULL,
  city TEXT NOT NULL,
  official UUID NOT NULL,
  session UUID NOT NULL,
  stage TEXT NOT NULL,
  at TEXT NOT NULL,
  device TEXT,
  address TEXT,
  offered_sealed BYTEA,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  proved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_official_sessions PRIMARY KEY (token_hash),
  CONSTRAINT ck_official_sessions_stage CHECK (stage IN ('password', 'factor', 'full')),
  CONSTRAINT ck_official_sessions_ends CHECK (expires_at <= ends_at),
  CONSTRAINT ck_official_sessions_device CHECK (char_length(device) BETWEEN 1 AND 80)
)""",
    """
CREATE TABLE official_devices (
  device_hash BYTEA NOT NULL,
  city TEXT NOT NULL,
  official UUID NOT NULL,
  known_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_official_devices PRIMARY KEY (device_hash)
)""",
    """
CREATE TABLE official_tries (
  key BYTEA NOT NULL,
  failures SMALLINT NOT NULL,
  failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_official_tries PRIMARY KEY (key),
  CONSTRAINT ck_official_tries_failures CHECK (failures BETWEEN 1 AND 1000)
)""",
)
INDEXES = (
    "CREATE UNIQUE INDEX ix_officials_login ON officials (city, login)",
    "CREATE INDEX ix_official_sessions_official ON official_sessions (city, official)",
    "CREATE INDEX ix_official_devices_official ON official_devices (city, official)",
)
SHOWN = "city, official, login, name, district, roles, password_change, added_at, added_by, disabled_at"
CHANGED = "name, district, roles, password_hash, password_change, factor_sealed, factor_step, disabled_at"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement.replace("%%", "%"))
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGED}) ON officials TO greenpoints_engine")
    op.execute(f"GRANT SELECT ({SHOWN}), INSERT, UPDATE ({CHANGED}) ON officials TO greenpoints_console")
    op.execute(f"GRANT SELECT ({SHOWN}) ON officials TO greenpoints_auditor")
    op.execute("GRANT SELECT, INSERT ON official_directory TO greenpoints_engine, greenpoints_console")
    op.execute("GRANT SELECT ON official_directory TO greenpoints_auditor")
    op.execute(
        "GRANT SELECT, INSERT, DELETE, UPDATE (stage, at, proved_at, expires_at, revoked_at) ON official_sessions"
        " TO greenpoints_engine"
    )
    op.execute(
        "GRANT SELECT (city, official, session, revoked_at), UPDATE (revoked_at) ON official_sessions TO greenpoints_console"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON official_devices TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, DELETE, UPDATE (failures, failed_at) ON official_tries TO greenpoints_engine")
