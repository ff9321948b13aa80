"""Drafts, the second person's word on them, and the turns of published policies.

Approvals and suspensions are append-only by grant. That author and approver are two people is a CHECK twice: on the keys that
the code makes of their names, and on the names as the database itself folds them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_policy_lifecycle"
down_revision = "0009_policy_language"
branch_labels = None
depends_on = None

ENGINE_WRITES = {
    "policy_drafts": "INSERT, UPDATE (policy, state, revision, text, sha256, preview_sha256, changed_at)",
    "policy_approvals": "INSERT",
    "policy_suspensions": "INSERT",
}
DIGESTS = "sha256 ~ '^[0-9a-f]{64}$' AND preview_sha256 ~ '^[0-9a-f]{64}$'"
FOLDED = "lower(regexp_replace(normalize({name}, NFKC), '[[:space:]]', '', 'g'))"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _digests() -> tuple[sa.Column[str], sa.Column[str]]:
    return sa.Column("sha256", sa.String(64), nullable=False), sa.Column("preview_sha256", sa.String(64))


def upgrade() -> None:
    _drafts()
    _approvals()
    _suspensions()
    for table, writes in ENGINE_WRITES.items():
        op.execute(f"GRANT SELECT, {writes} ON {table} TO greenpoints_engine")
        op.execute(f"GRANT SELECT ON {table} TO greenpoints_console, greenpoints_auditor")


def _drafts() -> None:
    op.create_table(
        "policy_drafts",
        _text("city"),
        sa.Column("draft", sa.Uuid(as_uuid=False), nullable=False),
        _text("policy"),
        _text("author"),
        _text("author_key"),
        _text("state"),
        sa.Column("revision", sa.Integer(), nullable=False),
        _text("text"),
        *_digests(),
        _instant("opened_at"),
        _instant("changed_at"),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'rejected', 'withdrawn')", name=op.f("ck_policy_drafts_state")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_policy_drafts_revision")),
        sa.CheckConstraint("author_key <> ''", name=op.f("ck_policy_drafts_author")),
        sa.CheckConstraint(DIGESTS, name=op.f("ck_policy_drafts_digests")),
        sa.CheckConstraint("changed_at >= opened_at", name=op.f("ck_policy_drafts_changed_at")),
        sa.PrimaryKeyConstraint("city", "draft", name=op.f("pk_policy_drafts")),
    )


def _approvals() -> None:
    op.create_table(
        "policy_approvals",
        _text("city"),
        sa.Column("draft", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        _text("verdict"),
        _text("policy"),
        sa.Column("version_no", sa.Integer()),
        *_digests(),
        _text("author"),
        _text("author_key"),
        _text("approver"),
        _text("approver_key"),
        _text("reason"),
        _instant("judged_at"),
        sa.CheckConstraint("verdict IN ('approved', 'rejected')", name=op.f("ck_policy_approvals_verdict")),
        sa.CheckConstraint(
            "(version_no IS NOT NULL) = (verdict = 'approved')", name=op.f("ck_policy_approvals_version")
        ),
        sa.CheckConstraint(
            "author_key <> approver_key AND author_key <> '' AND approver_key <> ''",
            name=op.f("ck_policy_approvals_two_keys"),
        ),
        sa.CheckConstraint(
            f"{FOLDED.format(name='author')} <> {FOLDED.format(name='approver')}",
            name=op.f("ck_policy_approvals_two_people"),
        ),
        sa.CheckConstraint(DIGESTS, name=op.f("ck_policy_approvals_digests")),
        sa.PrimaryKeyConstraint("city", "draft", "revision", name=op.f("pk_policy_approvals")),
    )


def _suspensions() -> None:
    op.create_table(
        "policy_suspensions",
        _text("city"),
        _text("policy"),
        sa.Column("turn_no", sa.Integer(), autoincrement=False, nullable=False),
        _text("turn"),
        _instant("from_at"),
        _text("notice_zh"),
        _text("reason"),
        _text("taken_by"),
        _instant("recorded_at"),
        sa.CheckConstraint("turn_no >= 1", name=op.f("ck_policy_suspensions_number")),
        sa.CheckConstraint("turn IN ('suspend', 'resume', 'end')", name=op.f("ck_policy_suspensions_turn")),
        sa.CheckConstraint("from_at >= recorded_at", name=op.f("ck_policy_suspensions_ahead")),
        sa.CheckConstraint(
            "notice_zh <> '' AND reason <> '' AND taken_by <> ''", name=op.f("ck_policy_suspensions_said")
        ),
        sa.PrimaryKeyConstraint("city", "policy", "turn_no", name=op.f("pk_policy_suspensions")),
    )
