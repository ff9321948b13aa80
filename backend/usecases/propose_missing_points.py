"""The sale that one official would give and may not alone: it is kept until a second approves it, word for word."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.missing_points import store
from backend.missing_points.model import MissingDecided, MissingProposed, MissingState


def propose_missing_points(
    connection: Connection, city: str, claim: str, proposed: MissingProposed, now: datetime
) -> None:
    """Raises MissingUnknown, MissingDecided, MissingProposedBefore."""
    found = store.locked(connection, city, claim)
    if found.state is not MissingState.OPEN:
        raise MissingDecided
    store.propose(connection, city, found, proposed)
    facts = {"basket": proposed.basket, "by": proposed.by}
    record(
        connection,
        Act(What.MISSING_POINTS_PROPOSED, city, "missing-points", claim, now, proposed.explanation, after=facts),
    )
