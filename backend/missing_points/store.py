from datetime import date, datetime

from sqlalchemy import Connection

from backend.missing_points.model import (
    MissingClaim,
    MissingProposed,
    MissingProposedBefore,
    MissingState,
    MissingUnknown,
    MissingVerdict,
)
from backend.missing_points.queries import COLUMNS, claim_of
from backend.storage.transaction import hot

FILE = """
INSERT INTO missing_points (city, claim, resident, home, store, bought_on, slip_no, amount_fen, filed_at, due_on, state, round_no,
                            basket, filer, filed_on, day_no)
VALUES (%(city)s, %(claim)s, %(resident)s, %(home)s, %(store)s, %(bought_on)s, %(slip_no)s, %(amount_fen)s, %(filed_at)s,
        %(due_on)s, %(state)s, 1, %(basket)s, %(resident)s, %(day)s, %(day_no)s)
ON CONFLICT DO NOTHING"""

LOCK = f"SELECT {COLUMNS} FROM missing_points WHERE city = %(city)s AND claim = %(claim)s FOR UPDATE"

FIND = """
UPDATE missing_points SET state = 'found', basket = %(basket)s
WHERE city = %(city)s AND claim = %(claim)s AND state = 'open'"""

FIND_OTHERS = """
UPDATE missing_points SET state = 'found', basket = %(basket)s
WHERE city = %(city)s AND resident = %(resident)s AND store = %(store)s AND bought_on = %(bought_on)s
  AND slip_no = %(slip_no)s AND state = 'open'"""

DECIDE = """
UPDATE missing_points SET state = %(state)s, basket = %(basket)s, decided_at = %(now)s, decided_by = %(by)s,
                          approved_by = %(approved_by)s, explanation = %(explanation)s
WHERE city = %(city)s AND claim = %(claim)s AND state = 'open'"""

PROPOSE = """
INSERT INTO missing_proposals (city, claim, round_no, basket, explanation, proposed_by, proposed_name, proposed_at)
VALUES (%(city)s, %(claim)s, %(round_no)s, %(basket)s, %(explanation)s, %(by)s, %(name)s, %(at)s)
ON CONFLICT DO NOTHING"""

REVIEW = """
UPDATE missing_points SET state = 'open', round_no = 2, text = %(text)s, due_on = %(due_on)s, first_by = decided_by,
                          decided_at = NULL, decided_by = NULL, approved_by = NULL, explanation = NULL
WHERE city = %(city)s AND claim = %(claim)s AND state = 'rejected' AND round_no = 1"""

# The slip in a drawer leads nowhere any more, and what a person wrote may name them.
FORGET_PROPOSED = """
UPDATE missing_proposals p SET explanation = '账户已注销 / account closed' FROM missing_points m
WHERE p.city = %(city)s AND m.city = %(city)s AND m.claim = p.claim AND m.resident = %(resident)s"""

FORGET = """
UPDATE missing_points SET slip_no = '-', text = CASE WHEN text IS NULL THEN NULL ELSE '—' END,
  state = CASE state WHEN 'open' THEN 'rejected' ELSE state END,
  decided_at = CASE state WHEN 'open' THEN %(now)s ELSE decided_at END,
  decided_by = CASE state WHEN 'open' THEN 'account closed' ELSE decided_by END,
  approved_by = CASE state WHEN 'open' THEN NULL ELSE approved_by END,
  explanation = CASE state WHEN 'found' THEN NULL ELSE '账户已注销 / account closed' END
WHERE city = %(city)s AND resident = %(resident)s"""

GIVE = "UPDATE missing_points SET resident = %(to)s, home = %(home)s WHERE city = %(city)s AND resident = %(resident)s"


def file(connection: Connection, city: str, claim: MissingClaim, day: date, day_no: int) -> bool:
    """The `day_no`th of its account on the civil day `day`; False where another was faster."""
    given = {"city": city, **claim._asdict(), "state": claim.state.value, "day": day, "day_no": day_no}
    return hot(connection, FILE, given).rowcount == 1


def locked(connection: Connection, city: str, claim: str) -> MissingClaim:
    """Nobody else decides it before COMMIT. Raises MissingUnknown."""
    row = hot(connection, LOCK, {"city": city, "claim": claim}).fetchone()
    if row is None:
        raise MissingUnknown
    return claim_of(row)


def found(connection: Connection, city: str, claim: str, basket: str) -> None:
    """It waited for a till that was offline."""
    hot(connection, FIND, {"city": city, "claim": claim, "basket": basket})


def found_at_last(connection: Connection, city: str, claim: MissingClaim) -> None:
    """What the same resident claimed of the same slip before, mistyped, is found with `claim`."""
    hot(connection, FIND_OTHERS, {"city": city, **claim._asdict()})


def decide(
    connection: Connection,
    city: str,
    claim: str,
    state: MissingState,
    verdict: MissingVerdict,
    now: datetime,
    basket: str | None = None,
) -> None:
    """The caller has locked it and seen that it is open."""
    given = {"city": city, "claim": claim, "state": state.value, "now": now, "basket": basket}
    if hot(connection, DECIDE, {**given, **verdict._asdict()}).rowcount != 1:
        raise ValueError("only what is open is decided")


def propose(connection: Connection, city: str, claim: MissingClaim, proposed: MissingProposed) -> None:
    """Raises MissingProposedBefore."""
    given = {"city": city, "claim": claim.claim, "round_no": claim.round_no, **proposed._asdict()}
    if hot(connection, PROPOSE, given).rowcount == 0:
        raise MissingProposedBefore


def review(connection: Connection, city: str, claim: str, text: str, due_on: date) -> bool:
    """Opens it once more, for another official; False where it is not rejected, or was looked at again before."""
    given = {"city": city, "claim": claim, "text": text, "due_on": due_on}
    return hot(connection, REVIEW, given).rowcount == 1


def forget_claims(connection: Connection, city: str, resident: str, now: datetime) -> None:
    """The account is closed: open claims end, and neither slip nor word of the resident is kept."""
    hot(connection, FORGET, {"city": city, "resident": resident, "now": now})
    hot(connection, FORGET_PROPOSED, {"city": city, "resident": resident})


def give_claims(connection: Connection, city: str, resident: str, to: str, home: str) -> None:
    """Two accounts become one: claims of `resident` are those of `to`, who is at home in `home`."""
    hot(connection, GIVE, {"city": city, "resident": resident, "to": to, "home": home})
