"""Value of an account that another one has absorbed goes to that one: at the merge, and whatever comes back to it later."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from backend.kernel.ids import new_id
from backend.ledger import chart, post, queries
from backend.ledger.model import Reason, Transfer
from backend.residents import people
from backend.usecases.races import LostRace

MERGE_STEP = 1


def follow(connection: Connection, city: str, absorbed: str, survivor: str, reference: str, now: datetime) -> None:
    """Moves all that accounts of `absorbed` hold or owe in `city` to the same accounts of `survivor`, ends and all.

    Raises LostRace where an account was opened while the locks were waited for.
    """
    held = [one.account for one in queries.holdings(connection, city, absorbed)]
    if not held:
        return
    balances = post.lock(connection, city, [*held, *(chart.held_by(one, survivor) for one in held)], now)
    if not {one.account for one in queries.holdings(connection, city, absorbed)} <= set(held):
        raise LostRace
    moves = [_move(one, chart.held_by(one, survivor), balances[one]) for one in held if balances[one]]
    transfers = [
        Transfer(reference, MERGE_STEP, line, Reason.MERGE.value, chart.unit_of(source), source, destination, amount)
        for line, (source, destination, amount) in enumerate(moves)
    ]
    post.post(connection, city, transfers, now)
    post.stop_waiting(connection, city, held)


def follow_residents(connection: Connection, city: str, residents: Iterable[str], now: datetime) -> None:
    """As `follow`, for those of `residents` who are another one by now. Raises LostRace."""
    for absorbed, found in sorted(people.merged(connection, residents).items()):
        follow(connection, city, absorbed, found.survivor.resident, new_id(), now)


def _move(account: str, twin: str, balance: int) -> tuple[str, str, int]:
    """What is owed moves by paying the one debt out of the other."""
    return (account, twin, balance) if balance > 0 else (twin, account, -balance)
