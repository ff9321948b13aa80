"""A shop that handed out what points were spent on is owed what the catalogue promises it."""

from datetime import datetime

from sqlalchemy import Connection

from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.redemptions.model import Entry
from backend.redemptions.store import Row
from backend.usecases.spend_points import REIMBURSED

UNIT = "fen"


def reimburse(connection: Connection, city: str, row: Row, entry: Entry, store: str, now: datetime) -> None:
    """Owes the shop for every piece. The caller has locked the redemption or its voucher, and knows that it is new."""
    if entry.shop_fen is None:
        return
    owed = Transfer(
        *(row.redemption, REIMBURSED, 0, Reason.REIMBURSE.value, UNIT),
        *(chart.treasury(UNIT), chart.shop(store, UNIT), entry.shop_fen * row.pieces),
    )
    post.post_once(connection, city, [owed], now)


def owe_no_more(connection: Connection, city: str, redemption: str, now: datetime) -> None:
    """Of what is voided, where a shop was owed for it."""
    if post.stored(connection, city, redemption, REIMBURSED):
        post.reverse(connection, city, redemption, REIMBURSED, now)
