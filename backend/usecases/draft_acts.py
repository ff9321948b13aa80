"""What is kept of an act upon a policy's draft: the facts that changed, never the text itself, which stands with the draft."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.policies.lifecycle import Draft


def record_draft_act(
    connection: Connection,
    city: str,
    what: What,
    before: Draft | None,
    after: Draft,
    now: datetime,
    *,
    by: str,
    reason: str | None = None,
) -> None:
    """`by`: the name under which the draft keeps it, which a command may choose."""
    told = {**_facts(after), "by": by}
    earlier = None if before is None else _facts(before)
    record(connection, Act(what, city, "draft", after.draft, now, reason, before=earlier, after=told))


def _facts(draft: Draft) -> dict[str, object]:
    return {
        "policy": draft.policy,
        "author": draft.author,
        "state": draft.state.value,
        "revision": draft.revision,
        "sha256": draft.sha256,
        "preview_sha256": draft.preview_sha256,
    }
