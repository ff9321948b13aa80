from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection

from backend.policies.document import load_policy
from backend.policies.model import Policy
from backend.storage.transaction import hot

PUBLISHED = """
SELECT policy, version_no, version::text, sha256, document_number, valid_from, valid_until, published_at, published_by
FROM policy_versions WHERE city = %(city)s ORDER BY policy, version_no"""

TEXTS = """
SELECT policy, valid_from, text FROM policy_versions WHERE city = %(city)s ORDER BY policy, valid_from"""

TEXT = """
SELECT text FROM policy_versions
WHERE city = %(city)s AND policy = %(policy)s AND (%(version_no)s::int IS NULL OR version_no = %(version_no)s)
ORDER BY version_no DESC LIMIT 1"""


DRAFTS = """
SELECT d.draft::text, d.policy, d.author, d.state, d.revision, d.sha256, d.preview_sha256, d.changed_at, a.verdict,
       a.approver, a.reason, a.version_no
FROM policy_drafts d
LEFT JOIN LATERAL (SELECT p.verdict, p.approver, p.reason, p.version_no FROM policy_approvals p
                   WHERE p.city = %(city)s AND p.draft = d.draft ORDER BY p.revision DESC LIMIT 1) a ON true
WHERE d.city = %(city)s AND (%(policy)s::text IS NULL OR d.policy = %(policy)s)
ORDER BY d.draft"""

DRAFT_TEXT = """
SELECT text FROM policy_drafts WHERE city = %(city)s AND draft = %(draft)s::uuid"""

TURNS = """
SELECT policy, turn_no, turn, from_at, notice_zh, reason, taken_by, recorded_at FROM policy_suspensions
WHERE city = %(city)s AND (%(policy)s::text IS NULL OR policy = %(policy)s) ORDER BY policy, turn_no"""


class ListedDraft(NamedTuple):
    """A draft and the last word that a second person said on it, where one did."""

    draft: str
    policy: str
    author: str
    state: str
    revision: int
    sha256: str
    preview_sha256: str | None
    changed_at: datetime
    verdict: str | None
    approver: str | None
    reason: str | None
    version_no: int | None


class ListedTurn(NamedTuple):
    """`turn` is suspend, resume or end; it holds for what is sold from `from_at` on."""

    policy: str
    turn_no: int
    turn: str
    from_at: datetime
    notice_zh: str
    reason: str
    taken_by: str
    recorded_at: datetime


class PublishedPolicy(NamedTuple):
    """One immutable version: which text (by SHA-256), bound to which paper, valid in [from, until)."""

    policy: str
    version_no: int
    version: str
    sha256: str
    document_number: str
    valid_from: datetime
    valid_until: datetime
    published_at: datetime
    published_by: str


def published(connection: Connection, city: str) -> list[PublishedPolicy]:
    """Every version ever published in `city`."""
    return [PublishedPolicy(*row) for row in hot(connection, PUBLISHED, {"city": city})]


def text_of(connection: Connection, city: str, policy: str, version_no: int | None) -> str | None:
    """The document to the byte; the last version where no number is given. None where there is none."""
    row = hot(connection, TEXT, {"city": city, "policy": policy, "version_no": version_no}).fetchone()
    return row[0] if row else None


def policies_of(connection: Connection, city: str) -> list[Policy]:
    """Every version ever published in `city`; each ends where its successor starts, if that is earlier."""
    rows = hot(connection, TEXTS, {"city": city}).fetchall()
    found = []
    for _name, versions in groupby(rows, key=lambda row: row[0]):
        policies = [load_policy(text, published=True) for _, _, text in versions]
        ends = [policy.from_ms for policy in policies[1:]] + [policies[-1].until_ms]
        found += [
            replace(policy, until_ms=min(policy.until_ms, end)) for policy, end in zip(policies, ends, strict=True)
        ]
    return found


def drafts_of(connection: Connection, city: str, policy: str | None = None) -> list[ListedDraft]:
    """Every draft of `city`, or of one policy, in the order in which they were opened."""
    return [ListedDraft(*row) for row in hot(connection, DRAFTS, {"city": city, "policy": policy})]


def draft_text(connection: Connection, city: str, draft: str) -> str | None:
    """The text of a draft as it stands now; None where there is no such draft. `draft` is a UUID."""
    row = hot(connection, DRAFT_TEXT, {"city": city, "draft": draft}).fetchone()
    return row[0] if row else None


def listed_turns(connection: Connection, city: str, policy: str | None = None) -> list[ListedTurn]:
    return [ListedTurn(*row) for row in hot(connection, TURNS, {"city": city, "policy": policy})]
