"""What shops claim for some sales is not paid for now, whether it stands on a statement already or will."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.ids import new_id
from backend.settlements import store
from backend.settlements.model import Claim, Said
from backend.settlements.store import Held
from backend.usecases.dispute_statement import told
from backend.usecases.races import Writes

CLAIMS_MAX = 10_000
"""Sold lines in one act; who has more holds them in turn."""


def hold_claims(database: Writes, city: str, claims: Collection[Claim], said: Said, now: datetime) -> Held:
    """Holds all that shops claim for these sold lines, after COMMIT; what is held stays held, with its first reason.

    What was paid is not undone, and what stands in a payment file stays there: a file that was not released yet is not
    released any more. Raises ReasonMissing.
    """
    wanted = said._replace(reason=told(said.reason))
    holds = [new_id() for _ in set(claims)]
    if not 0 < len(holds) <= CLAIMS_MAX:
        raise ValueError(f"1 to {CLAIMS_MAX} sold lines are held at once")
    return database.write(lambda connection: held_claims(connection, city, claims, holds, wanted, now))


def held_claims(
    connection: Connection, city: str, claims: Collection[Claim], holds: Collection[str], said: Said, now: datetime
) -> Held:
    """As `hold_claims`, within the caller's transaction: `holds` are new ids, one for each different claim."""
    store.lock(connection, city, now)
    held = store.hold(connection, city, claims, holds, said, now)
    record(connection, _act(What.CLAIMS_HELD, city, claims, said, now, held._asdict()))
    return held


def release_claims(database: Writes, city: str, claims: Collection[Claim], said: Said, now: datetime) -> int:
    """How many of these sold lines are held no more, after COMMIT. Raises ReasonMissing."""
    wanted = said._replace(reason=told(said.reason))

    def work(connection: Connection) -> int:
        store.lock(connection, city, now)
        released = store.release(connection, city, claims, wanted, now)
        record(connection, _act(What.CLAIMS_RELEASED, city, claims, wanted, now, {"released": released}))
        return released

    return database.write(work)


def _act(
    what: What, city: str, claims: Collection[Claim], said: Said, now: datetime, told: Mapping[str, object]
) -> Act:
    named = sorted(f"{basket}/{line_no}" for basket, line_no in set(claims))
    facts = {"by": said.by, "claims": named, **told}
    return Act(what, city, "claims", named[0], now, reason=said.reason, after=facts)
