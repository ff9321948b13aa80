"""An official looks at a resident's account: nothing is read without its line in the log that the resident reads."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.ledger.queries import Holding, holdings
from backend.residents.access.log import Look, write
from backend.residents.standing import standing_of
from backend.usecases.change_consent import Who


def look_at_account(connection: Connection, who: Who, look: Look, now: datetime) -> list[Holding]:
    """What the resident holds at home; the line in the access log is written first, in the same transaction.

    Raises ResidentClosed.
    """
    standing_of(connection, *who)
    write(connection, *who, look, now)
    record(connection, Act(What.ACCOUNT_LOOKED_AT, who.city, "resident", who.resident, now, look.purpose, look.ticket))
    return holdings(connection, *who)
