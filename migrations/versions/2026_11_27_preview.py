"""What a preview said of a draft, on record: an approval names it by its hash. A new table alone."""

import sqlalchemy as sa
from alembic import op

revision = "0020_preview"
down_revision = "0015_reinstated"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_previews",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("draft", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("preview_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("policy_revision", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("preview_no >= 1", name=op.f("ck_policy_previews_number")),
        sa.CheckConstraint("policy_revision >= 0", name=op.f("ck_policy_previews_revision")),
        # The database itself holds the hash against the bytes.
        sa.CheckConstraint(
            "sha256 = encode(sha256(convert_to(result, 'UTF8')), 'hex')", name=op.f("ck_policy_previews_digest")
        ),
        sa.CheckConstraint("text_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_policy_previews_text_digest")),
        sa.PrimaryKeyConstraint("city", "draft", "preview_no", name=op.f("pk_policy_previews")),
    )
    op.execute("GRANT SELECT, INSERT ON policy_previews TO greenpoints_engine")
    op.execute("GRANT SELECT ON policy_previews TO greenpoints_console, greenpoints_auditor")
