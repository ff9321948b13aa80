"""A preview goes on record with its draft: what is then approved is exactly that text and that preview."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.policies.drafts import find_draft, insert_preview, save_draft
from backend.policies.lifecycle import Act, Draft, DraftChanged, KeptPreview, after
from backend.usecases.draft_acts import record_draft_act
from backend.usecases.preview_policy import Previewed


def keep_preview(
    connection: Connection, city: str, draft: str, previewed: Previewed, *, by: str, now: datetime
) -> Draft:
    """The draft with its preview; anybody may make one. `now` is when the preview was begun.

    Raises DraftUnknown, DraftNotAtThatPoint; DraftChanged where its text is no longer the one that was previewed.
    """
    known = find_draft(connection, city, draft, lock=True)
    after(known, Act.PREVIEW, by)
    if known.sha256 != previewed.text_sha256:
        raise DraftChanged(revision=known.revision)
    kept = KeptPreview(previewed.sha256, previewed.result, previewed.text_sha256, previewed.policy_revision, by, now)
    insert_preview(connection, city, draft, kept)
    # No new revision: neither its text nor its state has changed.
    changed = replace(known, preview_sha256=kept.sha256)
    save_draft(connection, city, changed, known.revision, now)
    record_draft_act(connection, city, What.POLICY_PREVIEWED, known, changed, now, by=by)
    return changed
