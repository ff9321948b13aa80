"""Decisions become money: each award one transfer from its budget to its owner, or more where one account falls short."""

from collections.abc import Iterator

from backend.ledger.model import Reason, Transfer
from backend.policies.compiled import PolicySet
from backend.scans.decide import Taken
from backend.scans.model import AWARDS_MAX, READS_MAX

PART_STEP = READS_MAX * AWARDS_MAX
"""Transfers of one decision are told apart by their line: the read's, plus 50 for each further award, plus this for each
further account that had to help out."""

_AWARD = Reason.AWARD.value
_new = tuple.__new__


def transfers_of(taken: Taken, policies: PolicySet, left: dict[str, int]) -> list[Transfer]:
    """The transfers of every award of `taken`, its units of a decision in the order of their numbers.

    `left`: what each account of the budgets still holds; what is moved is taken from it. What one account cannot pay is
    shared by others of the same budget: what they hold together was looked at when the award was decided.
    """
    accounts_of = {
        (policy.version, budget.budget.unit.value): budget.accounts for policy in policies for budget in policy.budgets
    }
    turn = int(taken.decisions[0].basket[-2:], 16)
    transfers: list[Transfer] = []
    for d in taken.decisions:
        if d.award:
            assert d.policy_version is not None
            assert d.unit is not None
            accounts = accounts_of[d.policy_version, d.unit]
            for part, (source, amount) in enumerate(_paid_by(accounts, d.award, left, turn)):
                line = d.line_no + part * PART_STEP
                row = (d.basket, d.decision_no, line, _AWARD, d.unit, source, f"resident:{d.resident}:{d.unit}", amount)
                transfers.append(_new(Transfer, row))
    if taken.further:
        owners = {d.basket: d.resident for d in taken.decisions}
        for one in taken.further:
            if one.award:
                accounts = accounts_of[one.policy_version, one.unit]
                owner = f"resident:{owners[one.basket]}:{one.unit}"
                for part, (source, amount) in enumerate(_paid_by(accounts, one.award, left, turn)):
                    line = one.line_no + (one.award_no - 1) * READS_MAX + part * PART_STEP
                    row = (one.basket, one.decision_no, line, _AWARD, one.unit, source, owner, amount)
                    transfers.append(_new(Transfer, row))
    return transfers


def _paid_by(accounts: tuple[str, ...], amount: int, left: dict[str, int], turn: int) -> Iterator[tuple[str, int]]:
    """Which accounts pay `amount`, and how much each: one alone where it can. Batches begin at different ones (`turn`)."""
    if len(accounts) == 1:
        yield accounts[0], amount
        return
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
