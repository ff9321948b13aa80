"""What is taken back as transfers: from what the resident has, else from a debt, into the accounts that paid. Pure."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import NamedTuple

from backend.ledger import chart
from backend.ledger.lapses import Lapsed, reference_of
from backend.ledger.lots import first_expiring
from backend.ledger.model import Reason, Transfer
from backend.ledger.queries import TransferRow
from backend.scans.model import READS_MAX
from backend.scans.returns import Back, SoldLine, allotted
from backend.usecases.award_postings import PART_STEP

TRANSFERS_MAX = 300
"""Transfers of one award that a return takes back: the part of their line that tells them apart."""
_RETURN = Reason.RETURN.value

AwardKey = tuple[str, int, int, int]
"""Basket, line, decision and award."""


class Paid(NamedTuple):
    """An award as it was paid: into which account, and what each account of the budget has not got back yet."""

    own: str
    left: dict[str, int]


def step_of(place: int) -> int:
    """The step of the postings of a return's line."""
    return place + 1


def award_no_of(line: int) -> int:
    """Which award of its line a transfer of a return takes back."""
    return line // TRANSFERS_MAX + 1


def paid_by(awards: Iterable[TransferRow], returned: Iterable[tuple[AwardKey, TransferRow]]) -> dict[AwardKey, Paid]:
    """By award, how it was paid."""
    found: dict[AwardKey, Paid] = {}
    for row in awards:
        number = row.line % PART_STEP
        key = (row.reference, number % READS_MAX, row.step, number // READS_MAX + 1)
        paid = found.setdefault(key, Paid(row.destination, {}))
        paid.left[row.source] = paid.left.get(row.source, 0) + row.amount
    for key, row in returned:
        if key in found:
            found[key].left[row.destination] -= row.amount
    return found


def sources(own: str, held: Mapping[str, int]) -> list[str]:
    """Accounts of a resident's that what is taken back comes from, in order: where the award waits, the lot that it is or
    was for, then the lots that end first. Of a fee the shop's alone.
    """
    place = chart.place_of(own)
    if place.kind == chart.Kind.SHOP:
        return [own]
    lots = [account for account in held if _is_lot(account, place)]
    return list(dict.fromkeys([own, place.lot, *first_expiring(lots)]))


def accounts_of(own: str) -> set[str]:
    """Accounts that are touched besides the lots that hold something: the award's own lot too, which may be opened by its
    release while we wait for the lock.
    """
    place = chart.place_of(own)
    return {own} if place.kind == chart.Kind.SHOP else {own, place.lot, place.debt}


def _is_lot(account: str, of: chart.Place) -> bool:
    place = chart.place_of(account)
    return (place.kind, place.resident, place.unit) == (chart.Kind.LOT, of.resident, of.unit)


def transfers_of(
    return_id: str,
    lines: Sequence[tuple[int, SoldLine, Sequence[Back]]],
    paid: Mapping[AwardKey, Paid],
    held: MutableMapping[str, int],
    lapsed: Mapping[str, Lapsed],
) -> list[Transfer]:
    """The transfers of a whole return; what they take is taken from `held`, the balances of residents' accounts.

    What `lapsed` never was the resident's: as much of it as is taken back is reinstated first, out of the very account that
    it then goes to, so that nothing but this award pays for it.
    """
    transfers: list[Transfer] = []
    reinstated = _Reinstated(lapsed)
    for place, line, found in lines:
        decision = line.scan.decision
        for back in found:
            if not back.amount:
                continue
            award = paid[decision.basket, decision.line_no, decision.decision_no, back.award_no]
            names = sorted(award.left)
            into = zip(names, allotted(back.amount, [award.left[name] for name in names]), strict=True)
            again = reinstated.of(award.own, back.amount - held.get(award.own, 0))
            held[award.own] = held.get(award.own, 0) + again
            taken = _drawn(back.amount, award.own, held)
            for part, (source, destination, amount) in enumerate(_paired(list(taken), list(into))):
                if source == award.own and again:
                    transfers.append(reinstated.transfer(back.award.unit, destination, source, min(again, amount)))
                    again -= transfers[-1].amount
                number = (back.award_no - 1) * TRANSFERS_MAX + part
                transfers.append(
                    Transfer(return_id, step_of(place), number, _RETURN, back.award.unit, source, destination, amount)
                )
    return transfers


class _Reinstated:
    """What of lapsed awards is reinstated by one return."""

    def __init__(self, lapsed: Mapping[str, Lapsed]) -> None:
        self._lapsed = lapsed
        self._left = {account: found.amount for account, found in lapsed.items()}
        self._lines: dict[str, int] = {}

    def of(self, account: str, wanted: int) -> int:
        part = max(0, min(wanted, self._left.get(account, 0)))
        if part:
            self._left[account] -= part
        return part

    def transfer(self, unit: str, source: str, account: str, amount: int) -> Transfer:
        line = self._lines[account] = self._lines.get(account, -1) + 1
        step = self._lapsed[account].step + 1
        return Transfer(reference_of(account), step, line, Reason.REINSTATE.value, unit, source, account, amount)


def _drawn(amount: int, own: str, held: MutableMapping[str, int]) -> Iterator[tuple[str, int]]:
    for account in sources(own, held):
        part = min(amount, held.get(account, 0))
        if part > 0:
            held[account] -= part
            amount -= part
            yield account, part
    if amount:
        place = chart.place_of(own)
        # A shop's own account falls below zero: the shop owes what it was paid.
        yield own if place.kind == chart.Kind.SHOP else place.debt, amount


def _paired(given: list[tuple[str, int]], taken: list[tuple[str, int]]) -> Iterator[tuple[str, str, int]]:
    """(source, destination, amount): as few as can be, each side in its order. Both sum to the same."""
    given, taken = [one for one in given if one[1]], [one for one in taken if one[1]]
    while given:
        (source, available), (destination, wanted) = given[0], taken[0]
        amount = min(available, wanted)
        yield source, destination, amount
        given[0], taken[0] = (source, available - amount), (destination, wanted - amount)
        given, taken = given[available == amount :], taken[wanted == amount :]
