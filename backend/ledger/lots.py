"""What is taken from which lot, and what becomes of lots whose time has come. Pure; balances in, moves out."""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import NamedTuple

from backend.ledger.chart import NO_END, Kind, Place, budget, due_ms, expired, place_of
from backend.ledger.model import Reason

_NEVER = "f"
"""Comes after every end (e20261231)."""


class Move(NamedTuple):
    """`amount` > 0 goes from one account to another of the same unit."""

    reason: str
    source: str
    destination: str
    amount: int


class Taken(NamedTuple):
    """What is taken from each account, in order, and what of the amount nothing was left for."""

    parts: tuple[tuple[str, int], ...]
    short: int


def first_expiring(accounts: Iterable[str]) -> list[str]:
    """In the order in which they are used up: by the day that they end, those without end last, then by address."""
    return sorted(accounts, key=_order)


def take(held: Mapping[str, int], amount: int) -> Taken:
    """`amount` >= 0 from the accounts of `held` (of one unit), first expiring first; none gives more than it holds."""
    parts = []
    for account in first_expiring(held):
        part = min(amount, held[account])
        if part > 0:
            parts.append((account, part))
            amount -= part
    return Taken(tuple(parts), amount)


def spend(held: MutableMapping[str, int], amount: int, reason: str, destination: str) -> tuple[list[Move], int]:
    """As `take`, to `destination`; `held` keeps what is left. The second is what nothing was left for."""
    taken = take(held, amount)
    for account, part in taken.parts:
        held[account] -= part
    return [Move(reason, account, destination, part) for account, part in taken.parts], taken.short


def ripe(accounts: Iterable[str], now_ms: int) -> list[str]:
    """Those whose time has come at `now_ms`, and the lots that are over by the time that what is pending falls into them."""
    found = {account for account in accounts if _is_due(account, now_ms)}
    lots = {place.lot for place in map(place_of, found) if place.kind == Kind.PENDING}
    return sorted(found | {lot for lot in lots if _is_due(lot, now_ms)})


def counterparts(account: str) -> tuple[str, ...]:
    """The accounts that an account whose time has come may move its value to, its resident's debt among them."""
    place = place_of(account)
    return place.debt, _destination(place, _due_reason(place))


def settle(due: Iterable[str], balances: MutableMapping[str, int]) -> list[Move]:
    """What is pending is released, what was not collected lapses, a lot that is over expires; debts are repaid first, but
    not from what never was the resident's own. `balances` (of `due`, their lots and debts) keep what is left.

    In the order of the moments at which they became due, so that a job that is late does as one in time would have done.
    """
    moves: list[Move] = []
    for account in sorted(due, key=_turn):
        place = place_of(account)
        moves += _emptied(account, place, _due_reason(place), balances)
        if place.kind == Kind.PENDING and _is_due(place.lot, _moment(account)):  # released too late, it expires at once
            moves += _emptied(place.lot, place_of(place.lot), Reason.EXPIRY, balances)
    return moves


def collected(accounts: Iterable[str], balances: MutableMapping[str, int]) -> list[Move]:
    """What a resident collects goes into lots, debts repaid first."""
    moves: list[Move] = []
    for account in first_expiring(accounts):
        moves += _emptied(account, place_of(account), Reason.COLLECT, balances)
    return moves


def _is_due(account: str, now_ms: int) -> bool:
    at = due_ms(account)
    return at is not None and at <= now_ms


def _emptied(account: str, place: Place, reason: Reason, balances: MutableMapping[str, int]) -> list[Move]:
    held = balances.get(account, 0)
    owed = 0 if reason is Reason.LAPSE else max(0, -balances.get(place.debt, 0))
    repaid = min(held, owed)
    parts = ((Reason.REPAY, place.debt, repaid), (reason, _destination(place, reason), held - repaid))
    moves = [Move(why.value, account, destination, amount) for why, destination, amount in parts if amount > 0]
    for move in moves:
        balances[account] -= move.amount
        balances[move.destination] = balances.get(move.destination, 0) + move.amount
    return moves


def _due_reason(place: Place) -> Reason:
    """Raises ValueError where no time can come."""
    if place.kind == Kind.PENDING:
        return Reason.RELEASE
    if place.kind == Kind.COLLECT:
        return Reason.LAPSE
    if place.kind == Kind.LOT and place.end != NO_END:
        return Reason.EXPIRY
    raise ValueError(f"nothing becomes due: {place}")


def _destination(place: Place, reason: Reason) -> str:
    if reason is Reason.EXPIRY:
        return expired(place.unit)
    if reason is Reason.LAPSE:
        assert place.policy is not None
        return budget(place.policy, place.unit)[0]
    return place.lot


def _moment(account: str) -> int:
    at = due_ms(account)
    assert at is not None, "what is settled is due"
    return at


def _turn(account: str) -> tuple[int, bool, str]:
    """What is pending comes before the lots that end at the same moment."""
    return _moment(account), place_of(account).kind == Kind.LOT, account


def _order(account: str) -> tuple[str, str]:
    end = place_of(account).end
    return _NEVER if end == NO_END else end, account
