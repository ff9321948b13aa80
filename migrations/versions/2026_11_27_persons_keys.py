"""Leaving: a key of each person's own to destroy, sealed notes of used limits, and who saw a resident's data.

The previous release reads and writes none of it; what it decides meanwhile for an account that was closed is ended by the
job that settles closed accounts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037_persons_keys"
down_revision = "0032_notices"
branch_labels = None
depends_on = None

ADD_REASON = """
DO $$ DECLARE known text; BEGIN
  SELECT pg_get_constraintdef(oid) INTO known FROM pg_constraint
  WHERE conrelid = 'transfers'::regclass AND conname = 'ck_transfers_reason';
  ALTER TABLE transfers DROP CONSTRAINT ck_transfers_reason;
  EXECUTE 'ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason '
    || replace(replace(known, '''grant''::text', '''grant''::text, ''forfeit''::text'), ' NOT VALID', '') || ' NOT VALID';
END $$"""
"""Whatever reasons there are by then, and one more."""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _leaving()
    op.create_table(
        "access_log",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("entry", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text()),
        sa.CheckConstraint(
            "role IN ('self', 'official', 'support', 'shop', 'verifier', 'platform')", name=op.f("ck_access_log_role")
        ),
        sa.CheckConstraint("char_length(who) BETWEEN 1 AND 100", name=op.f("ck_access_log_who")),
        sa.CheckConstraint("ticket ~ '^[A-Za-z0-9-]{1,40}$'", name=op.f("ck_access_log_ticket")),
        sa.PrimaryKeyConstraint("city", "resident", "entry", name=op.f("pk_access_log")),
    )
    op.execute("GRANT SELECT, INSERT ON access_log TO greenpoints_engine")
    op.execute("GRANT SELECT ON access_log TO greenpoints_auditor")
    op.execute("GRANT DELETE ON person_directory TO greenpoints_engine")
    op.execute("GRANT UPDATE (state) ON residents TO greenpoints_engine")
    op.execute("GRANT UPDATE (line, claim_sha256) ON baskets TO greenpoints_engine")
    op.execute(ADD_REASON)
    # The ledger may be long: it is read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")


def _leaving() -> None:
    op.create_table(
        "person_keys",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(key) = 32", name=op.f("ck_person_keys_length")),
        sa.PrimaryKeyConstraint("city", "resident", name=op.f("pk_person_keys")),
    )
    op.create_table(
        "departure_notes",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("departure", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(name) = 32", name=op.f("ck_departure_notes_name")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_departure_notes")),
    )
    op.create_index("ix_departure_notes_ends_at", "departure_notes", ["ends_at"])
    op.create_table(
        "carried_caps",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("person", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("cap", sa.Text(), nullable=False),
        sa.Column("departure", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used > 0", name=op.f("ck_carried_caps_used")),
        sa.PrimaryKeyConstraint("city", "person", "period", "cap", "departure", name=op.f("pk_carried_caps")),
    )
    op.create_table(
        "closed_residents",
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("resident", name=op.f("pk_closed_residents")),
    )
    op.create_index(
        "ix_closed_residents_open", "closed_residents", ["closed_at"], postgresql_where="settled_at IS NULL"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON person_keys TO greenpoints_engine")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (sealed, departure, ends_at), DELETE ON departure_notes TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, INSERT ON carried_caps TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, UPDATE (settled_at) ON closed_residents TO greenpoints_engine")
    op.execute("GRANT SELECT ON carried_caps, closed_residents TO greenpoints_console, greenpoints_auditor")
