"""Enrolment by claim: claims, certificates, keys that end, alarms about devices.

Adds tables and a column that the previous release does not read: it goes on to believe a key that was superseded.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_enrolment"
down_revision = "0019_snapshots"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "device_claims",
        sa.Column("claim_hash", sa.LargeBinary(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keys_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("hw_serial", sa.Text(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "octet_length(claim_hash) = 32 AND octet_length(keys_sha256) = 32", name=op.f("ck_device_claims_sha256")
        ),
        sa.CheckConstraint("(used_at IS NULL) = (keys_sha256 IS NULL)", name=op.f("ck_device_claims_used")),
        sa.CheckConstraint("expires_at > issued_at", name=op.f("ck_device_claims_period")),
        sa.PrimaryKeyConstraint("claim_hash", name=op.f("pk_device_claims")),
    )
    op.create_table(
        "device_certificates",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("keys_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(keys_sha256) = 32", name=op.f("ck_device_certificates_sha256")),
        sa.PrimaryKeyConstraint("device", "keys_sha256", name=op.f("pk_device_certificates")),
    )
    op.create_table(
        "device_alarms",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('claim_reused', 'stream_conflict', 'stream_in_two_places')", name=op.f("ck_device_alarms_kind")
        ),
        sa.CheckConstraint("times >= 1", name=op.f("ck_device_alarms_times")),
        sa.PrimaryKeyConstraint("city", "device", "kind", "subject", name=op.f("pk_device_alarms")),
    )
    op.add_column("device_keys", sa.Column("retires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (superseded_at, keys_sha256, hw_serial, used_at) ON device_claims"
        " TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, INSERT ON device_certificates TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, UPDATE (times, last_at) ON device_alarms TO greenpoints_engine")
    op.execute("GRANT UPDATE (retires_at) ON device_keys TO greenpoints_engine")
    op.execute("GRANT SELECT ON device_certificates, device_alarms TO greenpoints_console, greenpoints_auditor")
    op.execute(
        "GRANT SELECT (city, store, device, replaces, issued_at, expires_at, superseded_at, hw_serial, used_at)"
        " ON device_claims TO greenpoints_console, greenpoints_auditor"
    )
