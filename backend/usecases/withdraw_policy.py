"""An author takes a draft back before it is judged."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.policies.drafts import find_draft, save_draft
from backend.policies.lifecycle import Act, Draft, after
from backend.usecases.draft_acts import record_draft_act


def withdraw_policy(connection: Connection, city: str, draft: str, *, by: str, now: datetime) -> Draft:
    """Raises DraftUnknown, DraftNotAtThatPoint, NotTheAuthor."""
    known = find_draft(connection, city, draft, lock=True)
    changed = replace(known, state=after(known, Act.WITHDRAW, by), revision=known.revision + 1)
    save_draft(connection, city, changed, known.revision, now)
    record_draft_act(connection, city, What.POLICY_WITHDRAWN, known, changed, now, by=by)
    return changed
