"""Sessions that end when unused, are listed and ended one by one; codes sent to phones."""

import sqlalchemy as sa
from alembic import op

revision = "0021_sign_in"
down_revision = "0016_enrolment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The previous release writes sessions without the new columns while this one starts: its own expiry ends those.
    op.execute("""
        ALTER TABLE resident_sessions
          ADD COLUMN session uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
          ADD COLUMN way text NOT NULL DEFAULT 'development',
          ADD COLUMN device text,
          ADD COLUMN ends_at timestamptz NOT NULL DEFAULT '9999-12-31T00:00:00Z',
          ADD CONSTRAINT ck_resident_sessions_way CHECK (way IN ('wechat', 'phone', 'development')),
          ADD CONSTRAINT ck_resident_sessions_ends CHECK (expires_at <= ends_at),
          ADD CONSTRAINT ck_resident_sessions_device CHECK (char_length(device) BETWEEN 1 AND 40)""")
    op.execute("UPDATE resident_sessions SET ends_at = expires_at")
    op.create_index("ix_resident_sessions_resident", "resident_sessions", ["city", "resident"])
    op.execute("GRANT UPDATE (expires_at) ON resident_sessions TO greenpoints_engine")
    op.create_table(
        "phone_codes",
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sent", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_phone_codes_tries")),
        sa.CheckConstraint("sent BETWEEN 1 AND 5", name=op.f("ck_phone_codes_sent")),
        sa.PrimaryKeyConstraint("phone_hash", name=op.f("pk_phone_codes")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON phone_codes TO greenpoints_engine")
