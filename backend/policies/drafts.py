"""Drafts, their previews, and the words of those who judged them. A change of a draft names the revision that it was made of."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.persons import identity
from backend.policies.lifecycle import Draft, DraftChanged, DraftState, DraftUnknown, KeptPreview
from backend.storage.transaction import hot

FIND = """
SELECT draft::text, policy, author, state, revision, text, sha256, preview_sha256 FROM policy_drafts
WHERE city = %(city)s AND draft = %(draft)s::uuid"""

OPEN = """
INSERT INTO policy_drafts (city, draft, policy, author, author_key, state, revision, text, sha256, preview_sha256,
                           opened_at, changed_at)
VALUES (%(city)s, %(draft)s, %(policy)s, %(author)s, %(author_key)s, %(state)s, %(revision)s, %(text)s, %(sha256)s,
        %(preview_sha256)s, %(now)s, %(now)s)"""

CHANGE = """
UPDATE policy_drafts SET policy = %(policy)s, state = %(state)s, revision = %(revision)s, text = %(text)s,
                         sha256 = %(sha256)s, preview_sha256 = %(preview_sha256)s, changed_at = %(now)s
WHERE city = %(city)s AND draft = %(draft)s AND revision = %(seen)s"""

JUDGE = """
INSERT INTO policy_approvals (city, draft, revision, verdict, policy, version_no, sha256, preview_sha256, author,
                              author_key, approver, approver_key, reason, judged_at)
SELECT %(city)s, d.draft, d.revision, %(verdict)s, d.policy, %(version_no)s, d.sha256, d.preview_sha256, d.author,
       d.author_key, %(approver)s, %(approver_key)s, %(reason)s, %(now)s
FROM policy_drafts d WHERE d.city = %(city)s AND d.draft = %(draft)s"""


KEEP_PREVIEW = """
INSERT INTO policy_previews (city, draft, preview_no, sha256, result, text_sha256, policy_revision, made_by, made_at)
SELECT %(city)s, %(draft)s, coalesce(max(preview_no), 0) + 1, %(sha256)s, %(result)s, %(text_sha256)s,
       %(policy_revision)s, %(made_by)s, %(made_at)s
FROM policy_previews WHERE city = %(city)s AND draft = %(draft)s"""

LAST_PREVIEW = """
SELECT sha256, result, text_sha256, policy_revision, made_by, made_at FROM policy_previews
WHERE city = %(city)s AND draft = %(draft)s::uuid ORDER BY preview_no DESC LIMIT 1"""


class Judgement(NamedTuple):
    """A second person's word: `version_no` of the version that an approval published, None for a rejection."""

    verdict: DraftState
    approver: str
    reason: str
    version_no: int | None


def find_draft(connection: Connection, city: str, draft: str, *, lock: bool = False) -> Draft:
    """Raises DraftUnknown. With `lock` nobody else may change it before the transaction ends."""
    row = hot(connection, FIND + (" FOR UPDATE" if lock else ""), {"city": city, "draft": draft}).fetchone()
    if row is None:
        raise DraftUnknown(draft=draft)
    name, policy, author, state, *rest = row
    return Draft(name, policy, author, DraftState(state), *rest)


def insert_draft(connection: Connection, city: str, draft: Draft, now: datetime) -> None:
    hot(connection, OPEN, {**_values(city, draft, now), "author": draft.author, "author_key": identity(draft.author)})


def save_draft(connection: Connection, city: str, draft: Draft, seen: int, now: datetime) -> None:
    """Writes `draft` over the revision `seen`. Raises DraftChanged when that is no longer the last."""
    if hot(connection, CHANGE, {**_values(city, draft, now), "seen": seen}).rowcount != 1:
        raise DraftChanged(revision=find_draft(connection, city, draft.draft).revision)


def insert_preview(connection: Connection, city: str, draft: str, preview: KeptPreview) -> None:
    """Of a draft whose row is locked, so that its previews are numbered one after the other."""
    values = {name: getattr(preview, name) for name in KeptPreview.__slots__}
    hot(connection, KEEP_PREVIEW, {"city": city, "draft": draft, **values})


def last_preview(connection: Connection, city: str, draft: str) -> KeptPreview | None:
    """The last preview that was kept of any text of `draft`, a UUID."""
    row = hot(connection, LAST_PREVIEW, {"city": city, "draft": draft}).fetchone()
    return KeptPreview(*row) if row else None


def insert_judgement(connection: Connection, city: str, draft: str, said: Judgement, now: datetime) -> None:
    """Of the draft's present revision; the author's name is taken from the draft itself."""
    values = {"verdict": said.verdict.value, "approver": said.approver, "approver_key": identity(said.approver)}
    hot(
        connection,
        JUDGE,
        {**values, "city": city, "draft": draft, "version_no": said.version_no, "reason": said.reason, "now": now},
    )


def _values(city: str, draft: Draft, now: datetime) -> dict[str, object]:
    return {
        "city": city,
        "draft": draft.draft,
        "policy": draft.policy,
        "state": draft.state.value,
        "revision": draft.revision,
        "text": draft.text,
        "sha256": draft.sha256,
        "preview_sha256": draft.preview_sha256,
        "now": now,
    }
