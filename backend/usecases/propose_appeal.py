"""What one official would uphold and may not grant alone: it is kept until a second approves it, word for word."""

from datetime import datetime

from sqlalchemy import Connection

from backend.appeals import store
from backend.appeals.model import AppealDecided, AppealState, Proposed
from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record


def propose_appeal(connection: Connection, city: str, appeal: str, proposed: Proposed, now: datetime) -> None:
    """Raises AppealUnknown, AppealDecided, ProposedBefore."""
    found = store.locked(connection, city, appeal)
    if found.state is not AppealState.OPEN:
        raise AppealDecided
    store.propose(connection, city, appeal, proposed)
    facts = {"by": proposed.by}
    record(connection, Act(What.APPEAL_PROPOSED, city, "appeal", appeal, now, proposed.explanation, after=facts))
