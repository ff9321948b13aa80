"""A redemption is cancelled, runs out or is voided: points, stock and limit go back together, to where they came from."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.persons import are_different
from backend.redemptions import judge, store
from backend.redemptions.model import (
    Approved,
    Kind,
    RedemptionConfirmed,
    RedemptionUnknown,
    State,
    VoidByTwo,
    VoucherState,
)
from backend.redemptions.store import Row
from backend.residents.leaving import store as leaving
from backend.storage.transaction import Database
from backend.usecases import spend_points
from backend.usecases.forfeit import forfeit
from backend.usecases.overdue import end_overdue
from backend.usecases.reimburse_shop import owe_no_more


def never() -> bool:
    return False


def cancel_redemption(database: Database, city: str, redemption: str, resident: str, now: datetime) -> None:
    """By its owner. One that is over already stays as it is. Raises RedemptionUnknown, also for another's,
    RedemptionConfirmed.
    """

    def work(connection: Connection) -> None:
        row = store.locked(connection, city, redemption)
        if row.resident != resident:
            raise RedemptionUnknown
        if row.state is State.CONFIRMED:
            raise RedemptionConfirmed
        if row.state is State.HELD:
            _give_up(connection, city, row, State.EXPIRED if row.expires_at <= now else State.CANCELLED, now)

    database.write(work)


def expire_redemptions(database: Database, city: str, now: datetime, stopping: Callable[[], bool] = never) -> int:
    """Gives back what nobody confirmed in time; how many."""

    def end(connection: Connection, redemption: str) -> bool:
        row = store.locked(connection, city, redemption)
        if row.state is not State.HELD or row.expires_at > now:
            return False
        _give_up(connection, city, row, State.EXPIRED, now)
        return True

    return end_overdue(database, lambda c, limit: store.overdue(c, city, now, limit=limit), end, stopping)


def expire_vouchers(database: Database, city: str, now: datetime, stopping: Callable[[], bool] = never) -> int:
    """Ends vouchers that nobody used in time; points come back where the version that was promised says so. How many."""

    def end(connection: Connection, redemption: str) -> bool:
        row = store.locked(connection, city, redemption)
        voucher = store.locked_voucher(connection, city, redemption)
        if voucher.state is not VoucherState.ISSUED or voucher.expires_at > now:
            return False
        store.end_voucher(connection, city, redemption, VoucherState.EXPIRED, now)
        if store.entry_as_held(connection, city, row).points_back:
            _void(connection, city, row, None, now)
        return True

    return end_overdue(database, lambda c, limit: store.overdue_vouchers(c, city, now, limit=limit), end, stopping)


def void_redemption(database: Database, city: str, redemption: str, approved: Approved, now: datetime) -> None:
    """By two officials, what was confirmed and not received. Raises VoidByTwo, RedemptionUnknown, RedemptionVoided,
    NotConfirmed, VoucherUsed, VoucherExpired.
    """
    if not are_different(approved.approved_by, approved.by):
        raise VoidByTwo

    def work(connection: Connection) -> None:
        row = store.locked(connection, city, redemption)
        judge.check_confirmed(row.state)
        if store.entry_as_held(connection, city, row).kind is Kind.VOUCHER:
            voucher = store.locked_voucher(connection, city, redemption)
            judge.check_voucher(voucher.state, voucher.expires_at, now)
            store.end_voucher(connection, city, redemption, VoucherState.VOID, now)
        _void(connection, city, row, approved, now)
        if leaving.is_closed(connection, row.resident):  # nobody is there to use what comes back
            forfeit(connection, city, row.resident, now)
        told = {"state": State.VOIDED.value, "by": approved.by, "approved_by": approved.approved_by}
        before = {"state": row.state.value}
        act = Act(
            What.REDEMPTION_VOIDED, city, "redemption", redemption, now, approved.reason, before=before, after=told
        )
        record(connection, act)

    database.write(work)


def end_all(connection: Connection, city: str, resident: str, now: datetime) -> None:
    """Of one who leaves: what is held is cancelled, what is not used yet is voided. The points come back first, to end with
    the account; stock and limits are free again.
    """
    for redemption in store.open_of(connection, city, resident):
        row = store.locked(connection, city, redemption)
        if row.state is State.HELD:
            _give_up(connection, city, row, State.CANCELLED, now)
        elif store.locked_voucher(connection, city, redemption).state is VoucherState.ISSUED:
            store.end_voucher(connection, city, redemption, VoucherState.VOID, now)
            _void(connection, city, row, None, now)


def _give_up(connection: Connection, city: str, row: Row, state: State, now: datetime) -> None:
    given = spend_points.give_back(connection, city, row.redemption, now)
    store.give_back(connection, city, row)
    store.give_up(connection, city, row.redemption, state, now, lapsed=given.expired, repaid=given.repaid)


def _void(connection: Connection, city: str, row: Row, approved: Approved | None, now: datetime) -> None:
    given = spend_points.give_back(connection, city, row.redemption, now)
    owe_no_more(connection, city, row.redemption, now)
    store.give_back(connection, city, row)
    store.void(connection, city, row.redemption, now, approved, lapsed=given.expired, repaid=given.repaid)
