from datetime import datetime

from sqlalchemy import Connection

from backend.appeals.model import Appeal, AppealState, AppealUnknown, Proposed, ProposedBefore, Verdict
from backend.appeals.queries import COLUMNS, appeal_of
from backend.storage.transaction import hot

FILE = """
INSERT INTO appeals (city, appeal, resident, basket, line_no, decision_no, text, filed_at, due_on, state)
VALUES (%(city)s, %(appeal)s, %(resident)s, %(basket)s, %(line_no)s, %(decision_no)s, %(text)s, %(filed_at)s, %(due_on)s,
        'open')
ON CONFLICT DO NOTHING"""

LOCK = f"SELECT {COLUMNS} FROM appeals WHERE city = %(city)s AND appeal = %(appeal)s FOR UPDATE"

DECIDE = """
UPDATE appeals SET state = %(state)s, decided_at = %(now)s, decided_by = %(by)s, approved_by = %(approved_by)s,
                   explanation = %(explanation)s, new_decision_no = %(new_decision_no)s
WHERE city = %(city)s AND appeal = %(appeal)s AND state = 'open'"""


# What a person wrote may name them: nothing of it stays behind a closed account.
FORGET = """
UPDATE appeals SET text = '—', state = CASE state WHEN 'open' THEN 'rejected' ELSE state END,
                   decided_at = coalesce(decided_at, %(now)s), decided_by = coalesce(decided_by, 'account closed'),
                   explanation = '账户已注销 / account closed'
WHERE city = %(city)s AND resident = %(resident)s"""

FORGET_PROPOSED = """
UPDATE appeal_proposals p SET explanation = '账户已注销 / account closed' FROM appeals a
WHERE p.city = %(city)s AND a.city = %(city)s AND a.appeal = p.appeal AND a.resident = %(resident)s"""

PROPOSE = """
INSERT INTO appeal_proposals (city, appeal, explanation, proposed_by, proposed_name, proposed_at)
VALUES (%(city)s, %(appeal)s, %(explanation)s, %(by)s, %(name)s, %(at)s)
ON CONFLICT DO NOTHING"""

GIVE = "UPDATE appeals SET resident = %(to)s WHERE city = %(city)s AND resident = %(resident)s"


def file(connection: Connection, city: str, appeal: Appeal) -> bool:
    """False where this appeal is there, or another against the same decision."""
    return hot(connection, FILE, {"city": city, **appeal._asdict()}).rowcount == 1


def locked(connection: Connection, city: str, appeal: str) -> Appeal:
    """Nobody else decides it before COMMIT. Raises AppealUnknown."""
    row = hot(connection, LOCK, {"city": city, "appeal": appeal}).fetchone()
    if row is None:
        raise AppealUnknown
    return appeal_of(row)


def propose(connection: Connection, city: str, appeal: str, proposed: Proposed) -> None:
    """Raises ProposedBefore."""
    if hot(connection, PROPOSE, {"city": city, "appeal": appeal, **proposed._asdict()}).rowcount == 0:
        raise ProposedBefore


def decide(
    connection: Connection,
    city: str,
    appeal: str,
    state: AppealState,
    verdict: Verdict,
    now: datetime,
    new_decision_no: int | None = None,
) -> None:
    """The caller has locked it and seen that it is open."""
    given = {"city": city, "appeal": appeal, "state": state.value, "now": now, "new_decision_no": new_decision_no}
    if hot(connection, DECIDE, {**given, **verdict._asdict()}).rowcount != 1:
        raise ValueError("only what is open is decided")


def forget_texts(connection: Connection, city: str, resident: str, now: datetime) -> None:
    """The account is closed: open appeals end, and no word of the resident or to them is kept."""
    hot(connection, FORGET, {"city": city, "resident": resident, "now": now})
    hot(connection, FORGET_PROPOSED, {"city": city, "resident": resident})


def give_appeals(connection: Connection, city: str, resident: str, to: str) -> None:
    """Two accounts become one: appeals of `resident` are those of `to`."""
    hot(connection, GIVE, {"city": city, "resident": resident, "to": to})
