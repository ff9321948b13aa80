"""A second person sends a submitted draft back to its author, with the reason."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.policies.drafts import Judgement, find_draft, insert_judgement, save_draft
from backend.policies.lifecycle import Act, Draft, DraftState, after
from backend.usecases.draft_acts import record_draft_act


def reject_policy(connection: Connection, city: str, draft: str, *, by: str, reason: str, now: datetime) -> Draft:
    """Raises DraftUnknown, DraftNotAtThatPoint, ApproverIsAuthor."""
    known = find_draft(connection, city, draft, lock=True)
    changed = replace(known, state=after(known, Act.REJECT, by), revision=known.revision + 1)
    insert_judgement(connection, city, draft, Judgement(DraftState.REJECTED, by, reason, None), now)
    save_draft(connection, city, changed, known.revision, now)
    record_draft_act(connection, city, What.POLICY_REJECTED, known, changed, now, by=by, reason=reason)
    return changed
