"""A second person approves exactly what was submitted: it is published and the approval recorded, together or not at all."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.policies.drafts import Judgement, find_draft, insert_judgement, last_preview, save_draft
from backend.policies.lifecycle import Act, DraftState, after, check_approval, check_ground, check_preview
from backend.policies.store import policy_revision
from backend.usecases.draft_acts import record_draft_act
from backend.usecases.publish_policy import PublishedVersion, publish_policy
from backend.usecases.submit_policy import checked


def approve_policy(
    connection: Connection,
    city: str,
    draft: str,
    *,
    sha256: str,
    preview_sha256: str | None,
    by: str,
    reason: str,
    now: datetime,
) -> PublishedVersion:
    """`sha256` and `preview_sha256` name the text and the preview that the approver has seen, by 12 digits or more.

    The linter is asked again, since other policies may have been published meanwhile; then the preview is void as well.
    Raises DraftUnknown, DraftNotAtThatPoint, ApproverIsAuthor, PreviewMissing, PreviewStale, ApprovalOfAnotherText,
    PolicyBlocked, and what `publish_policy` raises.
    """
    known = find_draft(connection, city, draft, lock=True)
    state = after(known, Act.APPROVE, by)
    preview = check_preview(known, last_preview(connection, city, draft), now)
    check_approval(known, sha256, preview_sha256)
    checked(connection, city, known)

    published = publish_policy(connection, city, known.text, by=known.author, now=now)
    # Looked at now that the city's revision is ours until COMMIT: nobody publishes between the look and the publication.
    check_ground(preview, policy_revision(connection, city) - published.new)
    insert_judgement(connection, city, draft, Judgement(DraftState.APPROVED, by, reason, published.version_no), now)
    approved = replace(known, state=state, revision=known.revision + 1)
    save_draft(connection, city, approved, known.revision, now)
    record_draft_act(connection, city, What.POLICY_APPROVED, known, approved, now, by=by, reason=reason)
    return published
