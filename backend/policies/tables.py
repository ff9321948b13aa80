from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from backend.storage.base import metadata
from backend.storage.columns import city_column, id_column, instant_column, text_column

policy_versions = Table(
    "policy_versions",
    metadata,
    city_column(),
    text_column("policy", primary_key=True),
    Column("version_no", Integer, primary_key=True, autoincrement=False),
    id_column("version"),
    text_column("text"),
    Column("sha256", String(64), nullable=False),
    text_column("document_number"),
    instant_column("valid_from"),
    instant_column("valid_until"),
    instant_column("published_at"),
    text_column("published_by"),
    UniqueConstraint("city", "version"),
    UniqueConstraint("city", "policy", "valid_from"),
    CheckConstraint("version_no >= 1", name="number"),
    CheckConstraint("valid_until > valid_from", name="period"),
    CheckConstraint("document_number <> ''", name="document"),
)
"""Immutable by grant: INSERT and SELECT, no more. The stored text is the document as it was published, to the byte."""

policy_revisions = Table(
    "policy_revisions",
    metadata,
    city_column(),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint("revision >= 1", name="revision"),
)
"""Counts a city's publications, so that a process knows with one look whether its compiled policies are current."""

policy_drafts = Table(
    "policy_drafts",
    metadata,
    city_column(),
    id_column("draft", primary_key=True),
    text_column("policy"),
    text_column("author"),
    text_column("author_key"),
    text_column("state"),
    Column("revision", Integer, nullable=False),
    text_column("text"),
    Column("sha256", String(64), nullable=False),
    Column("preview_sha256", String(64)),
    instant_column("opened_at"),
    instant_column("changed_at"),
    CheckConstraint("state IN ('draft', 'submitted', 'approved', 'rejected', 'withdrawn')", name="state"),
    CheckConstraint("revision >= 1", name="revision"),
    CheckConstraint("author_key <> ''", name="author"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$' AND preview_sha256 ~ '^[0-9a-f]{64}$'", name="digests"),
    CheckConstraint("changed_at >= opened_at", name="changed_at"),
    Index("ix_policy_drafts_policy", "city", "policy", "draft"),
)
"""A document on its way. `revision` counts its changes: who acts on one names the revision that they have seen."""

policy_previews = Table(
    "policy_previews",
    metadata,
    city_column(),
    id_column("draft", primary_key=True),
    Column("preview_no", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    text_column("result"),
    Column("text_sha256", String(64), nullable=False),
    Column("policy_revision", BigInteger, nullable=False),
    text_column("made_by"),
    instant_column("made_at"),
    CheckConstraint("preview_no >= 1", name="number"),
    CheckConstraint("policy_revision >= 0", name="revision"),
    CheckConstraint("sha256 = encode(sha256(convert_to(result, 'UTF8')), 'hex')", name="digest"),
    CheckConstraint("text_sha256 ~ '^[0-9a-f]{64}$'", name="text_digest"),
)
"""Append-only by grant: what was shown to those who judged a draft, to the byte."""

policy_preview_runs = Table(
    "policy_preview_runs",
    metadata,
    city_column(),
    id_column("run", primary_key=True),
    id_column("draft"),
    text_column("state"),
    Column("sales_done", BigInteger, nullable=False),
    Column("sales_total", BigInteger, nullable=False),
    Column("problem", Text),
    text_column("asked_by"),
    instant_column("asked_at"),
    instant_column("heard_at"),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
    CheckConstraint("sales_done >= 0 AND sales_total >= 0", name="progress"),
    CheckConstraint("(problem IS NOT NULL) = (state = 'failed')", name="problem"),
    CheckConstraint("asked_by <> ''", name="asked_by"),
    CheckConstraint("heard_at >= asked_at", name="heard_at"),
    Index("ix_policy_preview_runs_draft", "city", "draft", "run"),
    Index("ix_policy_preview_runs_open", "city", "run", postgresql_where=text("state IN ('waiting', 'running')")),
)
"""Previews that were asked for and are made by a job. What a preview says stands in `policy_previews`, once it is made."""

policy_approvals = Table(
    "policy_approvals",
    metadata,
    city_column(),
    id_column("draft", primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    text_column("verdict"),
    text_column("policy"),
    Column("version_no", Integer),
    Column("sha256", String(64), nullable=False),
    Column("preview_sha256", String(64)),
    text_column("author"),
    text_column("author_key"),
    text_column("approver"),
    text_column("approver_key"),
    text_column("reason"),
    instant_column("judged_at"),
    CheckConstraint("verdict IN ('approved', 'rejected')", name="verdict"),
    CheckConstraint("(version_no IS NOT NULL) = (verdict = 'approved')", name="version"),
    CheckConstraint("author_key <> approver_key AND author_key <> '' AND approver_key <> ''", name="two_keys"),
    # As the database itself understands sameness, whatever the code made of the names.
    CheckConstraint(
        "lower(regexp_replace(normalize(author, NFKC), '[[:space:]]', '', 'g')) <>"
        " lower(regexp_replace(normalize(approver, NFKC), '[[:space:]]', '', 'g'))",
        name="two_people",
    ),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$' AND preview_sha256 ~ '^[0-9a-f]{64}$'", name="digests"),
)
"""Append-only by grant: a second person's word on one revision of a draft, bound to its text and preview by their hashes."""

policy_suspensions = Table(
    "policy_suspensions",
    metadata,
    city_column(),
    text_column("policy", primary_key=True),
    Column("turn_no", Integer, primary_key=True, autoincrement=False),
    text_column("turn"),
    instant_column("from_at"),
    text_column("notice_zh"),
    text_column("reason"),
    text_column("taken_by"),
    instant_column("recorded_at"),
    CheckConstraint("turn_no >= 1", name="number"),
    CheckConstraint("turn IN ('suspend', 'resume', 'end')", name="turn"),
    CheckConstraint("from_at >= recorded_at", name="ahead"),
    CheckConstraint("notice_zh <> '' AND reason <> '' AND taken_by <> ''", name="said"),
)
"""Append-only by grant. A turn is never retroactive: what was sold before it stays as it was decided."""
