"""A redemption is confirmed, by its owner or at a partner's till: points are spent, and a voucher is issued where it is one."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from backend.kernel.periods import civil_date, day_start_ms, instant, milliseconds
from backend.redemptions import judge, store
from backend.redemptions.codes import CodeBook, Purpose, hash_of
from backend.redemptions.model import At, Entry, NotAPartner, RedemptionUnknown, State
from backend.redemptions.store import Row
from backend.storage.transaction import Database
from backend.usecases.hold_redemption import held_points
from backend.usecases.reimburse_shop import reimburse
from backend.usecases.spend_points import spend_held


class ConfirmRedemption:
    """Safe to call from many threads and processes at once; the same confirmation again changes nothing."""

    def __init__(self, database: Database, codes: CodeBook) -> None:
        self._database = database
        self._codes = codes

    def online(self, city: str, redemption: str, resident: str, now: datetime) -> None:
        """By its owner. Raises RedemptionUnknown, also for another's, ConfirmedAtTill, DebtFirst, and what it has become."""

        def work(connection: Connection) -> None:
            row = store.locked(connection, city, redemption)
            if row.resident != resident:
                raise RedemptionUnknown
            entry = store.entry_as_held(connection, city, row)
            judge.check_online(entry)
            if row.state is not State.CONFIRMED:
                self._confirm(connection, city, row, entry, now)

        self._database.write(work)

    def at_till(self, city: str, code: str, at: At, now: datetime) -> str:
        """By a partner, with the code that its owner shows; which redemption it is.

        Raises CodeMalformed, CodeUnknown, NotAPartner, UseConflict, DebtFirst, and what it has become.
        """
        code_hash = hash_of(Purpose.REDEMPTION, code)

        def work(connection: Connection) -> str:
            row = store.locked_by_code(connection, city, code_hash)
            entry = store.entry_as_held(connection, city, row)
            if at.store not in entry.stores:
                raise NotAPartner
            if row.state is not State.CONFIRMED or not store.is_repeat(row, at):
                self._confirm(connection, city, row, entry, now, at)
            return row.redemption

        return self._database.write(work)

    def _confirm(
        self, connection: Connection, city: str, row: Row, entry: Entry, now: datetime, at: At | None = None
    ) -> None:
        judge.check_held(row.state, row.expires_at, now)
        spend_held(connection, city, held_points(row), now, recipient=entry.recipient)
        store.confirm(connection, city, row.redemption, now, at)
        if at is not None:
            reimburse(connection, city, row, entry, at.store, now)
        if entry.voucher_days is not None:
            code = self._codes.hash(Purpose.VOUCHER, city, row.redemption)
            store.issue_voucher(connection, city, row.redemption, code, now, voucher_end(now, entry.voucher_days))


def voucher_end(now: datetime, days: int) -> datetime:
    """Good through `days` whole civil days (Asia/Shanghai) after that of `now`."""
    return instant(day_start_ms(civil_date(milliseconds(now)) + timedelta(days=days + 1)))
