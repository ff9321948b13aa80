"""What an account still held when it was closed ends: nobody is there to use it. City by city."""

from datetime import datetime

from sqlalchemy import Connection

from backend.ledger import chart, lots, post
from backend.ledger.chart import Kind
from backend.ledger.lots import Move
from backend.ledger.model import Reason
from backend.ledger.queries import holdings
from backend.usecases.settle_due import locked_holdings, post_moves


def forfeit(connection: Connection, city: str, resident: str, now: datetime) -> list[Move]:
    """Everything of `resident` in `city` ends; debts are repaid first, what waits to be collected goes back to its budget.

    Done again, there is nothing left to end. A debt that nothing was left for stays in the books, owed by nobody.
    """
    found = holdings(connection, city, resident)
    if not any(one.amount > 0 for one in found):
        return []
    also = {_destination(one.account) for one in found if not one.is_debt}
    balances = locked_holdings(connection, city, resident, now, also=also)
    mine = {name: amount for name, amount in balances.items() if _is_of(name, resident) and amount > 0}
    moves: list[Move] = []
    for debt in sorted(name for name in balances if name.startswith(f"{Kind.DEBT.value}:") and balances[name] < 0):
        unit = chart.unit_of(debt)
        lots_of_unit = {
            n: a for n, a in mine.items() if chart.unit_of(n) == unit and chart.place_of(n).kind == Kind.LOT
        }
        repaid, _short = lots.spend(lots_of_unit, -balances[debt], Reason.REPAY.value, debt)
        mine |= lots_of_unit
        moves += repaid
    moves += [Move(_reason(name), name, _destination(name), mine[name]) for name in sorted(mine) if mine[name]]
    post_moves(connection, city, moves, now)
    post.stop_waiting(connection, city, sorted(mine))
    return moves


def _is_of(account: str, resident: str) -> bool:
    return any(account.startswith(prefix) for prefix in chart.prefixes(resident))


def _reason(account: str) -> str:
    return (Reason.LAPSE if chart.place_of(account).kind == Kind.COLLECT else Reason.FORFEIT).value


def _destination(account: str) -> str:
    place = chart.place_of(account)
    if place.kind == Kind.COLLECT:
        assert place.policy is not None
        return chart.budget(place.policy, place.unit)[0]
    return chart.expired(place.unit)
