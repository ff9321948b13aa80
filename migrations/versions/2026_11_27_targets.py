"""Targets of a city or province, and how they fare; totals of scans say how much certified goods were sold.

Totals counted before say 0 of that: what was counted up to is forgotten, so that the hourly job counts every day anew, a day a
transaction. The previous release writes totals without the new columns, which then say 0 until the day is counted again.
"""

import sqlalchemy as sa
from alembic import op

from backend.storage.row_security import raise_wall

revision = "0060_targets"
down_revision = "0056_staff"
branch_labels = None
depends_on = None

TABLES = (
    """
CREATE TABLE policy_targets (
  city TEXT NOT NULL,
  target UUID NOT NULL,
  revision INTEGER NOT NULL,
  measure TEXT NOT NULL,
  scheme TEXT,
  unit TEXT,
  begins_on DATE NOT NULL,
  start BIGINT NOT NULL,
  follows UUID,
  title_zh TEXT NOT NULL,
  value BIGINT NOT NULL,
  due_on DATE NOT NULL,
  document TEXT NOT NULL,
  clause TEXT,
  link TEXT,
  withdrawn BOOLEAN NOT NULL,
  reason TEXT,
  entered_by TEXT NOT NULL,
  entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_policy_targets PRIMARY KEY (city, target, revision),
  CONSTRAINT ck_policy_targets_revision CHECK (revision BETWEEN 1 AND 50),
  CONSTRAINT ck_policy_targets_measure CHECK (measure IN ('certified_units', 'certified_fen', 'participants',
    'points_granted', 'subsidy_granted', 'active_stores', 'districts_reached', 'valid_certificates', 'by_hand')),
  CONSTRAINT ck_policy_targets_scheme CHECK (scheme IS NULL
    OR measure IN ('certified_units', 'certified_fen', 'valid_certificates')),
  CONSTRAINT ck_policy_targets_unit CHECK ((measure = 'by_hand') = (unit IS NOT NULL)),
  CONSTRAINT ck_policy_targets_value CHECK (start >= 0 AND value > start AND value <= 1000000000000000),
  CONSTRAINT ck_policy_targets_period CHECK (due_on > begins_on),
  CONSTRAINT ck_policy_targets_follows CHECK (follows <> target),
  CONSTRAINT ck_policy_targets_texts CHECK (char_length(title_zh) BETWEEN 1 AND 100
    AND char_length(document) BETWEEN 1 AND 100 AND char_length(clause) BETWEEN 1 AND 100
    AND char_length(link) BETWEEN 1 AND 300 AND char_length(unit) BETWEEN 1 AND 12
    AND char_length(reason) BETWEEN 1 AND 500),
  CONSTRAINT ck_policy_targets_reason CHECK ((revision = 1) = (reason IS NULL))
)""",
    """
CREATE TABLE target_readings (
  city TEXT NOT NULL,
  target UUID NOT NULL,
  number INTEGER NOT NULL,
  on_day DATE NOT NULL,
  value BIGINT NOT NULL,
  source TEXT NOT NULL,
  link TEXT,
  entered_by TEXT NOT NULL,
  entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_target_readings PRIMARY KEY (city, target, number),
  CONSTRAINT ck_target_readings_number CHECK (number BETWEEN 1 AND 400),
  CONSTRAINT ck_target_readings_value CHECK (value >= 0 AND value <= 1000000000000000),
  CONSTRAINT ck_target_readings_texts CHECK (char_length(source) BETWEEN 1 AND 100
    AND char_length(link) BETWEEN 1 AND 300)
)""",
    """
CREATE TABLE target_progress (
  city TEXT NOT NULL,
  target UUID NOT NULL,
  on_day DATE NOT NULL,
  value BIGINT NOT NULL,
  reckoned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_target_progress PRIMARY KEY (city, target, on_day),
  CONSTRAINT ck_target_progress_value CHECK (value >= 0)
)""",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in TABLES:
        op.execute(statement)
    for table in ("policy_targets", "target_readings", "target_progress"):
        raise_wall(op.get_bind(), table)
    op.execute("GRANT SELECT, INSERT ON policy_targets, target_readings TO greenpoints_engine, greenpoints_console")
    op.execute("GRANT SELECT, INSERT, UPDATE (value, reckoned_at) ON target_progress TO greenpoints_engine")
    op.execute("GRANT SELECT ON target_progress TO greenpoints_console")
    op.execute("GRANT SELECT ON policy_targets, target_readings, target_progress TO greenpoints_auditor")
    for name in ("certified_units", "certified_fen"):
        op.add_column("scan_totals", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("ck_scan_totals_certified"), "scan_totals", "certified_units >= 0 AND certified_fen >= 0"
    )
    op.execute("DELETE FROM counted_until")
