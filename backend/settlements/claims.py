"""What a retailer's shops gave at the till, and how far the city is with paying it back: a read model for the retailer."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.settlements import queries
from backend.settlements.clock import Clocks, Stage, Standing, clocks, standing
from backend.settlements.model import PaymentState
from backend.settlements.words import Facts, Words
from backend.settlements.words import standing as standing_words
from backend.storage.transaction import hot

PAGE_MAX = 200
ON_NO_STATEMENT = Words("待结账", "month not closed yet")

# Of each shop the newest that may be on the page: what is read grows with the shops and the page, not with the history.
PREPAID = """
SELECT p.recorded_at, p.prepayment::text, p.place, p.store, p.amount, p.basket::text, p.line_no, b.sold_at, b.slip_no,
       l.month, l.line_no, c.confirmed_at, m.dispute_until, m.accept_by, m.review_by, m.pay_by,
       q.disputed_at IS NOT NULL AND q.ruling IS DISTINCT FROM 'stands' AND q.approved_at IS NULL,
       q.ruling IS NOT DISTINCT FROM 'correct', h.held_at IS NOT NULL, y.state, y.paid_on::text
FROM stores s
CROSS JOIN LATERAL (
  SELECT x.* FROM prepaid_awards x WHERE x.city = %(city)s AND x.store = s.store
    AND (%(at)s::timestamptz IS NULL OR (x.recorded_at, x.prepayment, x.place) < (%(at)s, %(prepayment)s::uuid, %(place)s::int))
  ORDER BY x.recorded_at DESC, x.prepayment DESC, x.place DESC LIMIT %(limit)s) p
LEFT JOIN baskets b ON b.city = %(city)s AND b.basket = p.basket
LEFT JOIN statement_lines l ON l.city = %(city)s AND l.reference = p.prepayment AND l.step = %(step)s AND l.claim = p.place
LEFT JOIN settlement_months m ON m.city = %(city)s AND m.month = l.month
LEFT JOIN statement_confirmations c ON c.city = %(city)s AND c.month = l.month AND c.retailer = l.retailer
LEFT JOIN statement_disputes q ON q.city = %(city)s AND q.month = l.month AND q.retailer = l.retailer AND q.line_no = l.line_no
LEFT JOIN claim_holds h ON h.city = %(city)s AND h.basket = p.basket AND h.line_no = p.line_no AND h.released_at IS NULL
LEFT JOIN settlement_payment_lines z ON z.city = %(city)s AND z.month = l.month AND z.retailer = l.retailer
  AND z.line_no = l.line_no AND NOT z.refused
LEFT JOIN settlement_payments y ON y.city = %(city)s AND y.payment = z.payment
WHERE s.city = %(city)s AND s.retailer = %(retailer)s
ORDER BY p.recorded_at DESC, p.prepayment DESC, p.place DESC LIMIT %(limit)s"""
_PREPAID_STEP = 1


class Given(NamedTuple):
    """One subsidy that a shop gave. `month` and `statement_line`: where it stands, once its month is closed."""

    recorded_at: datetime
    prepayment: str
    place: int
    store: str
    amount_fen: int
    basket: str
    sale_line: int
    sold_at: datetime | None
    slip_no: str | None
    month: str | None
    statement_line: int | None


class PrepaidClaim(NamedTuple):
    """What was given, and how far it is; no clock once it is paid."""

    given: Given
    words: Words
    clock: Standing | None
    paid_on: str | None


def prepaid(
    connection: Connection,
    city: str,
    retailer: str,
    now: datetime,
    *,
    after: tuple[datetime, str, int] | None = None,
    limit: int = PAGE_MAX,
) -> list[PrepaidClaim]:
    """The newest first, below `after` (moment, prepayment, place); at most 200."""
    at, prepayment, place = after or (None, None, None)
    given = {"city": city, "retailer": retailer, "at": at, "prepayment": prepayment, "place": place}
    rows = hot(connection, PREPAID, {**given, "step": _PREPAID_STEP, "limit": min(limit, PAGE_MAX)}).fetchall()
    terms = queries.terms(connection, city)

    def accept_by(recorded_at: datetime) -> datetime:
        month = civil_date(milliseconds(recorded_at)).isoformat()[:7]
        return clocks(month, recorded_at, terms).accept_by

    return [_claim(row, now, None if row[9] else accept_by(row[0])) for row in rows]


def _claim(row: tuple[Any, ...], now: datetime, accept_by: datetime | None) -> PrepaidClaim:
    confirmed_at, dispute_until, *due, disputed, proposed, held, state, paid_on = row[11:]
    if accept_by is not None:
        waits = Standing(Stage.ACCEPT, accept_by, now >= accept_by)
        return PrepaidClaim(Given(*row[:11]), ON_NO_STATEMENT, waits, None)
    confirmed = confirmed_at is not None or dispute_until <= now
    words = standing_words(Facts(state, held, disputed, proposed, confirmed))
    clock = standing(
        Clocks(dispute_until, *due), now, reviewed=confirmed and not disputed, paid=state == PaymentState.PAID
    )
    return PrepaidClaim(Given(*row[:11]), words, clock, paid_on)
