"""What a cashier and a resident read of a return: what was taken back, from where, or why nothing was. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from backend.policies.compiled import CompiledPolicy
from backend.policies.words import Sentence, amount_words
from backend.scans.explain import DecidedScan
from backend.scans.returns import UNDECIDED, within


class TakenFrom(StrEnum):
    """Where what was taken back came from: not yet available, what the resident had, what is owed from now on, or the shop's
    handling fee.
    """

    PENDING = "pending"
    BALANCE = "balance"
    DEBT = "debt"
    SHOP = "shop"


class TakenBack(NamedTuple):
    """An amount of one unit that was taken back from one side."""

    unit: str
    source: TakenFrom
    amount: int


class ReturnState(StrEnum):
    TAKEN_BACK = "taken_back"
    UNDECIDED = "undecided"
    NO_AWARD = "no_award"
    WINDOW_OVER = "window_over"
    TOO_LITTLE = "too_little"


_NOTHING: Mapping[ReturnState, Sentence] = MappingProxyType(
    {
        ReturnState.UNDECIDED: Sentence(
            "尚未核定奖励，核定时只计没有退的部分。",
            "It was not decided yet; what is decided later counts only what was kept.",
        ),
        ReturnState.NO_AWARD: Sentence("没有奖励，无需收回。", "It earned nothing, so nothing is taken back."),
        ReturnState.WINDOW_OVER: Sentence(
            "已过政策规定的收回期限，奖励不收回。", "The policy's time for taking back is over; the award stays."
        ),
        ReturnState.TOO_LITTLE: Sentence(
            "按件数折算不足 1 个单位，这次不收回。", "Its share comes to less than one unit; nothing is taken back now."
        ),
    }
)
_TAKEN: Mapping[TakenFrom, Sentence] = MappingProxyType(
    {
        TakenFrom.PENDING: Sentence("取消待入账的 {amount}", "{amount} that were not available yet"),
        TakenFrom.BALANCE: Sentence("从账户扣回 {amount}", "{amount} from the account"),
        TakenFrom.DEBT: Sentence(
            "账户中不足的部分（{amount}）由今后获得的先抵扣", "{amount} that later earnings repay first"
        ),
        TakenFrom.SHOP: Sentence("门店的{amount}一并退回", "{amount} of the shop"),
    }
)


def state_of(
    scan: DecidedScan, returned_at_ms: int, taken: Sequence[TakenBack], policies: Mapping[str, CompiledPolicy]
) -> ReturnState:
    """What became of the awards of a line that came back, all of it or in part."""
    if taken:
        return ReturnState.TAKEN_BACK
    if scan.decision.outcome in UNDECIDED:
        return ReturnState.UNDECIDED
    paying = [policies[award.version] for award in scan.awards if award.amount]
    if not paying:
        return ReturnState.NO_AWARD
    if not any(within(policy, scan.sold_at_ms, returned_at_ms) for policy in paying):
        return ReturnState.WINDOW_OVER
    return ReturnState.TOO_LITTLE


def summed(taken: Iterable[TakenBack]) -> list[TakenBack]:
    """One row a unit and source, pending first, debts last."""
    order = list(TakenFrom)
    total: dict[tuple[str, TakenFrom], int] = {}
    for one in taken:
        total[one.unit, one.source] = total.get((one.unit, one.source), 0) + one.amount
    rows = [TakenBack(unit, source, amount) for (unit, source), amount in total.items()]
    return sorted(rows, key=lambda one: (one.unit, order.index(one.source)))


def return_words(quantity: int, state: ReturnState, taken: Iterable[TakenBack]) -> Sentence:
    """已退 2 件：从账户扣回 18 分。One sentence a line of a return."""
    pieces_en = "1 piece came back" if quantity == 1 else f"{quantity} pieces came back"
    if state is not ReturnState.TAKEN_BACK:
        why = _NOTHING[state]
        return Sentence(f"已退 {quantity} 件：{why.zh}", f"{pieces_en}. {why.en}")
    said = []
    for one in taken:
        amount, template = amount_words(one.unit, one.amount), _TAKEN[one.source]
        said.append(Sentence(template.zh.format(amount=amount.zh), template.en.format(amount=amount.en)))
    zh, en = "，".join(one.zh for one in said), ", ".join(one.en for one in said)
    return Sentence(f"已退 {quantity} 件：{zh}。", f"{pieces_en}. Taken back: {en}.")
