from sqlalchemy import Connection

from backend.audit.acting import actor
from backend.audit.model import Act, recorded
from backend.kernel.ids import new_id
from backend.storage.transaction import hot

INSERT = """
INSERT INTO acts (city, act, at, who, role, what, kind, key, reason, ticket, before, after, request)
VALUES (%(city)s, %(act)s, %(at)s, %(who)s, %(role)s, %(what)s, %(kind)s, %(key)s, %(reason)s, %(ticket)s, %(before)s,
        %(after)s, %(request)s)"""


def record(connection: Connection, act: Act) -> str:
    """Writes `act` into the transaction that does it, in the name of whoever acts; the row's id.

    Where it cannot be written, nothing is done. Raises NobodyActsError where the entry said of nobody who acts.
    """
    row = recorded(new_id(), act, actor())
    hot(connection, INSERT, {"city": act.city, **row._asdict()})
    return row.act
