"""A resident redeems: points out of lots, a piece out of the stock, kept until it is confirmed or its time is over."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.redemptions import judge, store
from backend.redemptions.codes import CodeBook, Purpose
from backend.redemptions.model import UNIT, Offer, RedemptionConflict
from backend.redemptions.store import Row
from backend.residents.standing import keep, may_act
from backend.storage.transaction import Database
from backend.usecases.races import LostRace, won
from backend.usecases.spend_points import Redemption, hold_points


class Asked(NamedTuple):
    """What a resident asks for in `city`. `number` is the client's own uuid, kept when it asks again."""

    city: str
    home: str
    resident: str
    number: str
    entry: str
    pieces: int


class Held(NamedTuple):
    """`new`: held by this call; else it was there, and stands as it has become since."""

    redemption: str
    new: bool


class HoldRedemption:
    """Safe to call from many threads and processes at once."""

    def __init__(self, database: Database, codes: CodeBook) -> None:
        self._database = database
        self._codes = codes

    def hold(self, asked: Asked, now: datetime) -> Held:
        """After COMMIT; all of it or nothing.

        Raises ResidentClosed, GuardianConsentNeeded, EntryUnknown, EntryClosed, TooManyPieces, TooLittleAvailable,
        LimitReached, SoldOut, and RedemptionConflict when the number stands for something else.
        """
        return won(self._database, lambda connection, _careful: self._attempt(connection, asked, now))

    def _attempt(self, connection: Connection, asked: Asked, now: datetime) -> Held:
        """In the one order: the person's standing, the redemption, accounts, the person's counter, the stock of all."""
        refused = may_act(keep(connection, asked.home, [asked.resident]).get(asked.resident))
        if refused is not None:
            raise refused
        redemption = judge.redemption_id(asked.city, asked.resident, asked.number)
        content = judge.content_hash(asked.entry, asked.pieces)
        before = store.find(connection, asked.city, redemption)
        if before is not None:
            if before.request_sha256 != content:
                raise RedemptionConflict
            return Held(redemption, new=False)
        offered = store.offer(connection, asked.city, asked.entry)
        judge.check_offer(offered, asked.pieces, now)

        row = self._row(asked, redemption, content, offered, now)
        if not store.open_redemption(connection, asked.city, row):
            if store.find(connection, asked.city, redemption) is None:  # its code is open for another
                raise RedemptionConflict
            raise LostRace
        hold_points(connection, asked.city, held_points(row), now)
        limit = offered.entry.limit
        used = None if limit is None else store.take_limit(connection, asked.city, row, limit)
        if limit is not None and used is not None:
            raise judge.limit_reached(limit, used)
        if not store.take_stock(connection, asked.city, offered, asked.pieces):
            raise LostRace
        return Held(redemption, new=True)

    def _row(self, asked: Asked, redemption: str, content: bytes, offered: Offer, now: datetime) -> Row:
        entry = offered.entry
        code = self._codes.hash(Purpose.REDEMPTION, asked.city, redemption) if entry.at_till else None
        return Row(
            redemption,
            asked.resident,
            entry.entry,
            offered.version,
            asked.pieces,
            entry.points * asked.pieces,
            content,
            code,
            None if entry.limit is None else judge.limit_period(entry.limit, now),
            now,
            now + timedelta(minutes=entry.hold_minutes),
        )


def held_points(row: Row) -> Redemption:
    return Redemption(row.redemption, row.resident, UNIT.value, row.points)
