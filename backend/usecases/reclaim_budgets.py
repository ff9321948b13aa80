"""What a budget has left on its reclaim date goes back to the treasury; and whatever comes back into it later."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.policies.reclaim import Reclaim, reclaims
from backend.policies.store import load_versions
from backend.storage.transaction import Database
from backend.usecases.culprits import without_culprits


class Reclaimed(NamedTuple):
    """`budgets` that were swept; amounts of several units cannot be added, the ledger tells each."""

    budgets: int = 0

    def plus(self, other: "Reclaimed") -> "Reclaimed":
        return Reclaimed(self.budgets + other.budgets)


def reclaim_budgets(
    database: Database, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> Reclaimed:
    """Sweeps every budget of `city` whose day has come, a transaction each; what is reserved stays with its quote until that
    is over. Running again finds nothing left, at the same moment too: the accounts are locked and read before they move. One
    that cannot be swept, for a fault of the books, is logged and counted, and keeps none of the others waiting.
    """

    def sweep(some: Sequence[Reclaim]) -> bool:
        return database.write(lambda connection: _sweep(connection, city, some[0], now))

    today = civil_date(milliseconds(now))
    with database.read() as connection:
        due = [one for one in reclaims(load_versions(connection, city, chart.budget)) if one.on and one.on <= today]
        accounts = [account for one in due for account in one.accounts]
        left = post.balances(connection, city, accounts) if accounts else {}
    done = Reclaimed()
    for one in due:
        if stopping():
            break
        if any(left.get(account) for account in one.accounts):
            swept = without_culprits([one], sweep, lambda _one, _error: False, doing="reclaim_budgets", named=_name)
            done = done.plus(Reclaimed(sum(swept)))
    return done


def _name(reclaim: Reclaim) -> str:
    return f"{reclaim.policy}:{reclaim.unit}"


def _sweep(connection: Connection, city: str, reclaim: Reclaim, now: datetime) -> bool:
    left = post.lock(connection, city, reclaim.accounts, now)
    reference, unit = new_id(), reclaim.unit
    transfers = [
        Transfer(reference, 1, line, Reason.RECLAIM.value, unit, account, chart.treasury(unit), left[account])
        for line, account in enumerate(reclaim.accounts)
        if left[account]
    ]
    if not transfers:
        return False
    post.post(connection, city, transfers, now)
    told = {"unit": unit, "amount": sum(one.amount for one in transfers), "reference": reference}
    record(connection, Act(What.BUDGET_RECLAIMED, city, "policy", reclaim.policy, now, after=told))
    return True
