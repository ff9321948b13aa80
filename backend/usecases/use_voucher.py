"""A voucher is used at a partner's till: once, in time."""

from datetime import datetime

from sqlalchemy import Connection

from backend.redemptions import judge, store
from backend.redemptions.codes import Purpose, hash_of
from backend.redemptions.model import At, NotAPartner, VoucherState
from backend.storage.transaction import Database
from backend.usecases.reimburse_shop import reimburse


def use_voucher(database: Database, city: str, code: str, at: At, now: datetime) -> str:
    """Which redemption it came of, after COMMIT; the same use again changes nothing.

    Raises CodeMalformed, CodeUnknown, NotAPartner, UseConflict, VoucherUsed, VoucherExpired, VoucherVoid.
    """
    code_hash = hash_of(Purpose.VOUCHER, code)

    def work(connection: Connection) -> str:
        voucher = store.locked_voucher_by_code(connection, city, code_hash)
        row = store.find(connection, city, voucher.redemption)
        assert row is not None, "a voucher comes of a redemption"
        entry = store.entry_as_held(connection, city, row)
        if at.store not in entry.stores:
            raise NotAPartner
        if voucher.state is not VoucherState.USED or not store.is_repeat(voucher, at):
            judge.check_voucher(voucher.state, voucher.expires_at, now)
            store.end_voucher(connection, city, voucher.redemption, VoucherState.USED, now, at)
            reimburse(connection, city, row, entry, at.store, now)
        return voucher.redemption

    return database.write(work)
