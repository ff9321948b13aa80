"""What residents agree to, word for word and for ever; how old they are, in three bands; guardians of children.

The previous release neither reads nor writes any of it: its residents have no band and wait for nobody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036_consents"
down_revision = "0022_boots"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE residents
          ADD COLUMN age_band text,
          ADD COLUMN age_basis text,
          ADD COLUMN waits_for_guardian boolean NOT NULL DEFAULT false,
          ADD CONSTRAINT ck_residents_age_band CHECK (age_band IN ('under_14', '14_to_17', 'adult')),
          ADD CONSTRAINT ck_residents_age_basis CHECK (age_basis IN ('declared', 'verified')),
          ADD CONSTRAINT ck_residents_age CHECK ((age_band IS NULL) = (age_basis IS NULL)),
          ADD CONSTRAINT ck_residents_guardian CHECK (NOT waits_for_guardian OR age_band = 'under_14')""")
    op.execute("GRANT UPDATE (age_band, age_basis, waits_for_guardian) ON residents TO greenpoints_engine")
    op.create_table(
        "consent_texts",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_consent_texts_sha256")),
        sa.PrimaryKeyConstraint("city", "sha256", name=op.f("pk_consent_texts")),
    )
    op.create_table(
        "consent_history",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_consent_history_number")),
        sa.CheckConstraint(
            "purpose IN ('notices', 'statistics', 'credit_passport', 'credit_export')",
            name=op.f("ck_consent_history_purpose"),
        ),
        sa.CheckConstraint(
            "given_by IN ('resident', 'age', 'guardian', 'closing')", name=op.f("ck_consent_history_given_by")
        ),
        sa.CheckConstraint("octet_length(text_sha256) = 32", name=op.f("ck_consent_history_sha256")),
        sa.PrimaryKeyConstraint("city", "resident", "number", name=op.f("pk_consent_history")),
    )
    _guardians()
    op.execute("GRANT SELECT, INSERT ON consent_texts, consent_history TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, UPDATE (withdrawn_at) ON guardian_consents TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, DELETE ON counter_codes TO greenpoints_engine")
    op.execute(
        "GRANT SELECT ON consent_texts, consent_history, guardian_consents TO greenpoints_console, greenpoints_auditor"
    )


def _guardians() -> None:
    op.create_table(
        "guardian_consents",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("ward", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("guardian_city", sa.Text(), nullable=False),
        sa.Column("guardian", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("text_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("octet_length(text_sha256) = 32", name=op.f("ck_guardian_consents_sha256")),
        sa.PrimaryKeyConstraint("city", "ward", name=op.f("pk_guardian_consents")),
    )
    op.create_index("ix_guardian_consents_resident", "guardian_consents", ["city", "resident"])
    op.create_index("ix_guardian_consents_guardian", "guardian_consents", ["city", "guardian"])
    op.create_table(
        "counter_codes",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('guardian', 'age')", name=op.f("ck_counter_codes_kind")),
        sa.CheckConstraint("octet_length(code_hash) = 32", name=op.f("ck_counter_codes_sha256")),
        sa.PrimaryKeyConstraint("city", "code_hash", name=op.f("pk_counter_codes")),
    )
    op.create_index("ix_counter_codes_resident", "counter_codes", ["city", "resident"])
