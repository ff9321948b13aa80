"""What the pages of officials list: policies with their state, versions, drafts; each a bounded number of rows, by keyset."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.policies.lifecycle import DraftState
from backend.policies.queries import ListedDraft
from backend.storage.transaction import hot

FIRST_DRAFT = "ffffffff-ffff-ffff-ffff-ffffffffffff"

# Of each policy the version that is in force now; where none is, the last that was, else the first that will be.
LISTED = """
SELECT v.policy, v.version_no, v.text, v.document_number, v.valid_from, v.valid_until, t.turn, t.from_at
FROM (SELECT DISTINCT policy FROM policy_versions
      WHERE city = %(city)s AND policy > %(after)s AND (%(policy)s::text IS NULL OR policy = %(policy)s)
      ORDER BY policy LIMIT %(limit)s) p
CROSS JOIN LATERAL (
  SELECT * FROM policy_versions o WHERE o.city = %(city)s AND o.policy = p.policy
  ORDER BY o.valid_from <= %(now)s DESC, CASE WHEN o.valid_from <= %(now)s THEN o.valid_from END DESC, o.valid_from LIMIT 1) v
LEFT JOIN LATERAL (
  SELECT s.turn, s.from_at FROM policy_suspensions s WHERE s.city = %(city)s AND s.policy = p.policy
  ORDER BY s.turn_no DESC LIMIT 1) t ON true
ORDER BY v.policy"""

VERSIONS = """
SELECT policy, version_no, version::text, sha256, document_number, valid_from, valid_until, published_at, published_by,
       (SELECT a.approver FROM policy_approvals a WHERE a.city = %(city)s AND a.policy = v.policy
          AND a.version_no = v.version_no AND a.verdict = 'approved' LIMIT 1)
FROM policy_versions v WHERE v.city = %(city)s AND v.policy = %(policy)s AND v.version_no < %(before)s
ORDER BY v.version_no DESC LIMIT %(limit)s"""

DRAFTS = """
SELECT d.draft::text, d.policy, d.author, d.state, d.revision, d.sha256, d.preview_sha256, d.changed_at, a.verdict,
       a.approver, a.reason, a.version_no, d.text
FROM policy_drafts d
LEFT JOIN LATERAL (SELECT p.verdict, p.approver, p.reason, p.version_no FROM policy_approvals p
                   WHERE p.city = %(city)s AND p.draft = d.draft ORDER BY p.revision DESC LIMIT 1) a ON true
WHERE d.city = %(city)s AND d.draft < %(before)s::uuid AND (%(draft)s::uuid IS NULL OR d.draft = %(draft)s::uuid)
  AND (%(policy)s::text IS NULL OR d.policy = %(policy)s) AND d.state = ANY(%(states)s::text[])
ORDER BY d.draft DESC LIMIT %(limit)s"""


class State(StrEnum):
    """Of a policy at a moment, by its version of then and its last turn."""

    AHEAD = "ahead"
    RUNNING = "running"
    SUSPENDED = "suspended"
    ENDED = "ended"
    OVER = "over"


class ListedPolicy(NamedTuple):
    """`turn` is the last that was taken (suspend, resume, end), from `turned_at` on."""

    policy: str
    version_no: int
    text: str
    document_number: str
    valid_from: datetime
    valid_until: datetime
    turn: str | None
    turned_at: datetime | None

    def state(self, now: datetime) -> State:
        turned = self.turn if self.turned_at is not None and self.turned_at <= now else None
        if turned == "end":
            return State.ENDED
        if now >= self.valid_until:
            return State.OVER
        if turned == "suspend":
            return State.SUSPENDED
        return State.AHEAD if now < self.valid_from else State.RUNNING


class ListedVersion(NamedTuple):
    policy: str
    version_no: int
    version: str
    sha256: str
    document_number: str
    valid_from: datetime
    valid_until: datetime
    published_at: datetime
    published_by: str
    approver: str | None


class DraftPage(NamedTuple):
    """A draft with its text, and the last word that a second person said on it."""

    listed: ListedDraft
    text: str


def listed_policies(connection: Connection, city: str, after: str, limit: int, now: datetime) -> list[ListedPolicy]:
    given = {"city": city, "after": after, "limit": limit, "now": now, "policy": None}
    return [ListedPolicy(*row) for row in hot(connection, LISTED, given)]


def listed_policy(connection: Connection, city: str, policy: str, now: datetime) -> ListedPolicy | None:
    given = {"city": city, "after": "", "limit": 1, "now": now, "policy": policy}
    row = hot(connection, LISTED, given).fetchone()
    return ListedPolicy(*row) if row else None


def versions_of(connection: Connection, city: str, policy: str, before: int, limit: int) -> list[ListedVersion]:
    """The newest first."""
    given = {"city": city, "policy": policy, "before": before, "limit": limit}
    return [ListedVersion(*row) for row in hot(connection, VERSIONS, given)]


def drafts_before(
    connection: Connection, city: str, before: str, states: tuple[str, ...], limit: int
) -> list[DraftPage]:
    """The newest first; `before` is the last draft of the page before, or FIRST_DRAFT."""
    return _drafts(connection, city, before=before, states=list(states), limit=limit)


def drafts_of_policy(connection: Connection, city: str, policy: str, limit: int) -> list[DraftPage]:
    return _drafts(connection, city, policy=policy, limit=limit)


def draft_page(connection: Connection, city: str, draft: str) -> DraftPage | None:
    return next(iter(_drafts(connection, city, draft=draft, limit=1)), None)


def _drafts(connection: Connection, city: str, **given: object) -> list[DraftPage]:
    every = {"before": FIRST_DRAFT, "draft": None, "policy": None, "states": [state.value for state in DraftState]}
    return [_page(row) for row in hot(connection, DRAFTS, {**every, **given, "city": city})]


def _page(row: tuple[object, ...]) -> DraftPage:
    *listed, text = row
    return DraftPage(ListedDraft(*listed), str(text))  # type: ignore[arg-type]  # the columns of its own statement
