"""A document becomes a draft, or the next revision of one."""

import hashlib
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.kernel.ids import new_id
from backend.policies.document import load_policy
from backend.policies.drafts import find_draft, insert_draft, save_draft
from backend.policies.lifecycle import Act, Draft, DraftState, after
from backend.usecases.draft_acts import record_draft_act


def draft_policy(connection: Connection, city: str, text: str, *, by: str, now: datetime) -> Draft:
    """A new draft of `text`, written by `by`. Raises PolicyRefused where it is no policy at all."""
    policy = load_policy(text)
    draft = Draft(new_id(), policy.policy, by, DraftState.DRAFT, 1, text, digest_of(text), None)
    insert_draft(connection, city, draft, now)
    record_draft_act(connection, city, What.POLICY_DRAFTED, None, draft, now, by=by)
    return draft


def redraft_policy(
    connection: Connection, city: str, draft: str, text: str, *, revision: int, by: str, now: datetime
) -> Draft:
    """`text` in place of what stands in revision `revision`: a submission of it is void, and so is its preview.

    Raises PolicyRefused, DraftUnknown, DraftChanged, DraftNotAtThatPoint, NotTheAuthor.
    """
    policy = load_policy(text)
    known = find_draft(connection, city, draft, lock=True)
    state = after(known, Act.EDIT, by, revision)
    changed = replace(
        known,
        policy=policy.policy,
        state=state,
        revision=known.revision + 1,
        text=text,
        sha256=digest_of(text),
        preview_sha256=None,
    )
    save_draft(connection, city, changed, known.revision, now)
    record_draft_act(connection, city, What.POLICY_REDRAFTED, known, changed, now, by=by)
    return changed


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
