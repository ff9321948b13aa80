"""The city's money, month by month: the settlement is closed on the 2nd and paid on the 20th, by two people."""

import hashlib
from datetime import date, datetime
from uuid import UUID

from backend.demo.year.shops import SUZHOU
from backend.settlements.model import Booked, NothingToPay
from backend.storage.transaction import Database
from backend.usecases.close_settlement import close_last_month
from backend.usecases.draw_samples import draw_samples
from backend.usecases.pay_settlements import book_payment, prepare_payment, release_payment

CLOSES_ON, PAYS_ON = 2, 20
PREPARES, RELEASES = "陆文君", "顾明远"


def keep_house(database: Database, on: date, now: datetime) -> None:
    if on.weekday() == 0:
        draw_samples(database, SUZHOU, now)
    if on.day == CLOSES_ON:
        close_last_month(database, SUZHOU, now)
    elif on.day == PAYS_ON:
        _pay(database, on, now)


def _pay(database: Database, on: date, now: datetime) -> None:
    payment = str(UUID(bytes=hashlib.sha256(f"suzhou payment {on}".encode()).digest()[:16], version=4))
    try:
        prepare_payment(database, SUZHOU, payment, PREPARES, now)
    except NothingToPay:
        return
    release_payment(database, SUZHOU, payment, RELEASES, now)
    book_payment(database, SUZHOU, payment, Booked(on.isoformat(), f"示例银行 {on:%Y%m%d}01", PREPARES), now)
