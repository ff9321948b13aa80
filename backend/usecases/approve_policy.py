"""A second person approves exactly what was submitted: it is published and the approval recorded, together or not at all."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from backend.policies.drafts import Judgement, find_draft, insert_judgement, save_draft
from backend.policies.lifecycle import Act, DraftState, after, check_approval
from backend.usecases.publish_policy import PublishedVersion, publish_policy
from backend.usecases.submit_policy import checked


def approve_policy(
    connection: Connection,
    city: str,
    draft: str,
    *,
    sha256: str,
    by: str,
    reason: str,
    now: datetime,
    preview_sha256: str | None = None,
) -> PublishedVersion:
    """`sha256` and `preview_sha256` name the text and the preview that the approver has seen, by 12 digits or more.

    The linter is asked again, since other policies may have been published meanwhile. Raises DraftUnknown,
    DraftNotAtThatPoint, ApproverIsAuthor, ApprovalOfAnotherText, PolicyBlocked, and what `publish_policy` raises.
    """
    known = find_draft(connection, city, draft, lock=True)
    state = after(known, Act.APPROVE, by)
    check_approval(known, sha256, preview_sha256)
    checked(connection, city, known)

    published = publish_policy(connection, city, known.text, by=known.author, now=now)
    insert_judgement(connection, city, draft, Judgement(DraftState.APPROVED, by, reason, published.version_no), now)
    save_draft(connection, city, replace(known, state=state, revision=known.revision + 1), known.revision, now)
    return published
