"""Decisions become money: each award one transfer from its budget to its owner, or more where one account falls short."""

from collections.abc import Iterator, Sequence
from operator import itemgetter

from backend.kernel.amounts import FEE
from backend.ledger.model import Reason, TransferRow
from backend.policies.compiled import PolicySet
from backend.scans.decide import Decision, Taken
from backend.scans.model import AWARDS_MAX, READS_MAX, Basket
from backend.usecases.award_accounts import Destinations

PART_STEP = READS_MAX * AWARDS_MAX
"""Transfers of one decision are told apart by their line: the read's, plus 50 for each further award, plus this for each
further account that had to help out."""

_AWARD = Reason.AWARD.value
_AWARDED = ("award", "basket", "decision_no", "line_no", "policy_version", "unit", "resident")
_awarded = itemgetter(*map(Decision._fields.index, _AWARDED))


def transfers_of(
    taken: Taken, policies: PolicySet, left: dict[str, int], baskets: Sequence[Basket]
) -> list[TransferRow]:
    """The transfers of every award of `taken`, its units of a decision in the order of their numbers.

    `baskets`: those that were decided. `left`: what each account of the budgets still holds; what is moved is taken from
    it. What one account cannot pay is shared by others of the same budget: what they hold together was looked at when the
    award was decided.
    """
    postings = _Postings(policies, left, turn_of(taken))
    timed, addresses = policies.timed, Destinations(policies, baskets)
    for amount, basket, number, line, version, unit, resident in map(_awarded, taken.rows):
        if amount:
            owner = addresses.of(version, unit, basket, resident) if version in timed else f"resident:{resident}:{unit}"
            postings.add((basket, number, line), version, unit, owner, amount)
    if taken.further:
        owners = {d.basket: d.resident for d in taken.decisions}
        for one in taken.further:
            if one.award:
                place = one.basket, one.decision_no, one.line_no + (one.award_no - 1) * READS_MAX
                if one.policy_version in timed or one.unit == FEE:
                    owner = addresses.of(one.policy_version, one.unit, one.basket, owners[one.basket])
                else:
                    owner = f"resident:{owners[one.basket]}:{one.unit}"
                postings.add(place, one.policy_version, one.unit, owner, one.award)
    return postings.transfers


def turn_of(taken: Taken) -> int:
    """At which account of a budget a batch begins: they differ, so that batches rarely wait for one another."""
    basket, *_ = taken.rows[0]
    return int(basket[-2:], 16)


class _Postings:
    def __init__(self, policies: PolicySet, left: dict[str, int], turn: int) -> None:
        self.transfers: list[TransferRow] = []
        self._left, self._turn = left, turn
        self._accounts = {
            (policy.version, budget.budget.unit.value): budget.accounts
            for policy in policies
            for budget in policy.budgets
        }

    def add(self, place: tuple[str, int, int], version: str, unit: str, owner: str, amount: int) -> None:
        basket, number, line = place
        accounts = self._accounts[version, unit]
        if len(accounts) == 1:  # the common case, without a generator
            self.transfers.append((basket, number, line, _AWARD, unit, accounts[0], owner, amount))
            return
        for part, (source, paid) in enumerate(_paid_by(accounts, amount, self._left, self._turn)):
            row = (basket, number, line + part * PART_STEP, _AWARD, unit, source, owner, paid)
            self.transfers.append(row)


def _paid_by(accounts: tuple[str, ...], amount: int, left: dict[str, int], turn: int) -> Iterator[tuple[str, int]]:
    """Which accounts pay `amount`, and how much each: one alone where it can."""
    first = turn % len(accounts)
    ordered = accounts[first:] + accounts[:first]
    for account in ordered:
        if left.get(account, 0) >= amount:
            left[account] -= amount
            yield account, amount
            return
    for account in ordered:
        part = min(amount, left.get(account, 0))
        if part:
            left[account] -= part
            amount -= part
            yield account, part
        if not amount:
            return
    assert not amount, "what was decided is what the accounts of the budget hold together"
