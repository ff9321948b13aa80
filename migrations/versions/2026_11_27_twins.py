"""Presence of tills by session, and what is desired of each.

Adds tables alone. The previous release goes on writing births to device_reports; every till tells its birth anew to
each bridge that comes up, so nothing is carried over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017_twins"
down_revision = "0020_preview"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "device_presence",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("session", sa.BigInteger(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("session >= 0", name=op.f("ck_device_presence_session")),
        sa.PrimaryKeyConstraint("city", "device", name=op.f("pk_device_presence")),
    )
    op.create_table(
        "twin_versions",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_twin_versions_version")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_twin_versions_sha256")),
        sa.CheckConstraint("octet_length(document) <= 4096", name=op.f("ck_twin_versions_document")),
        sa.PrimaryKeyConstraint("city", "device", "version", name=op.f("pk_twin_versions")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (session, online, report, since) ON device_presence TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT ON twin_versions TO greenpoints_engine")
    op.execute("GRANT SELECT ON device_presence, twin_versions TO greenpoints_console, greenpoints_auditor")
