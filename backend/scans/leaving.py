"""What the scans of someone who leaves keep: the facts that were decided on, but nothing to find the person by."""

from sqlalchemy import Connection

from backend.storage.transaction import hot

# All of a person's baskets are locked first, in the order of all.
LOCK_BASKETS = """
SELECT basket FROM baskets WHERE city = %(city)s AND resident = %(resident)s ORDER BY basket FOR UPDATE"""

UNNAME = """
UPDATE baskets SET resident = NULL, claim_sha256 = NULL, slip_no = NULL,
  line = CASE WHEN position('GPM1.'::bytea IN coalesce(line, ''::bytea)) > 0 THEN NULL ELSE line END
WHERE city = %(city)s AND resident = %(resident)s"""

HELD_QUOTES = """
SELECT basket::text FROM quotes WHERE city = %(city)s AND resident = %(resident)s AND state = 'held' ORDER BY quotes.basket"""

WAITING = """
SELECT count(*) FROM baskets b
JOIN LATERAL (SELECT DISTINCT ON (x.line_no) x.outcome FROM decisions x WHERE x.city = %(city)s AND x.basket = b.basket
              ORDER BY x.line_no, x.decision_no DESC) d ON d.outcome IN ('pending_product', 'held')
WHERE b.city = %(city)s AND b.resident = %(resident)s"""


def unname_baskets(connection: Connection, city: str, resident: str) -> int:
    """No basket names the resident any more: what waits in one is nobody's, lines that hold a member code are not kept, and
    no slip's code or number leads to them. How many there were. What was decided keeps the books' own name.

    The hash of such a line stays, so that the line sent again is a repeat: it covers 128 random bits, and tells nothing.
    """
    given = {"city": city, "resident": resident}
    hot(connection, LOCK_BASKETS, given).fetchall()
    return hot(connection, UNNAME, given).rowcount


def held_quotes(connection: Connection, city: str, resident: str) -> list[str]:
    return [basket for (basket,) in hot(connection, HELD_QUOTES, {"city": city, "resident": resident})]


def waiting(connection: Connection, city: str, resident: str) -> int:
    """Scans of the resident's that wait: for their product, or for a person."""
    row = hot(connection, WAITING, {"city": city, "resident": resident}).fetchone()
    assert row is not None
    return int(row[0])
