"""What a resident is told of a promise that a till made them while it was offline. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from backend.leases.model import Fault
from backend.policies.words import Sentence, amount_words


class KeptPromise(NamedTuple):
    """`unit` None where nobody knows the lease; `drawn`: what of `amount` the lease paid."""

    unit: str | None
    amount: int
    drawn: int
    fault: str | None


_FAULTS: Mapping[str, Sentence] = {
    Fault.UNKNOWN: Sentence("终端所称的预留查无记录", "nothing is known of that reservation"),
    Fault.ANOTHER_TILL: Sentence("该预留不属于这台终端", "it was not this till's to give"),
    Fault.OUT_OF_TIME: Sentence("购物时预留已到期或已终止", "it was over at the time of the sale"),
    Fault.LATE: Sentence("购物记录上传过晚，预留已收回", "the record of the sale arrived after it was given back"),
    Fault.USED_UP: Sentence("终端的预留已用完", "the till had used it up"),
}


def promise_words(promises: Sequence[KeptPromise], *, waits: bool) -> Sentence:
    """`waits`: the line is not decided yet, and what was promised is kept for it."""
    fault = next((one.fault for one in promises if one.fault is not None), None)
    if fault is not None:
        why = _FAULTS[fault]
        zh = f"终端离线时曾为您预留，但{why.zh}，因此按核定时的预算办理。"
        return Sentence(zh, f"The till had reserved something while offline, but {why.en}: today's budget decided.")
    promised, paid = _sum(promises, drawn=False), _sum(promises, drawn=True)
    zh, en = f"终端离线时为您预留了 {promised.zh}", f"The till reserved {promised.en} for you while offline"
    if waits:
        return Sentence(f"{zh}，核定前一直保留。", f"{en}; it is kept until this is decided.")
    if paid.zh == promised.zh:
        return Sentence(f"{zh}，已从预留中支付。", f"{en}, and paid it out of that.")
    if not any(one.drawn for one in promises):
        return Sentence(f"{zh}，本次按规则未用到。", f"{en}; by the rules nothing of it was due.")
    return Sentence(f"{zh}，其中 {paid.zh}已从预留中支付。", f"{en}; {paid.en} of it was due and paid.")


def _sum(promises: Sequence[KeptPromise], *, drawn: bool) -> Sentence:
    total: dict[str, int] = {}
    for one in promises:
        unit = one.unit or ""
        total[unit] = total.get(unit, 0) + (one.drawn if drawn else one.amount)
    said = [amount_words(unit, amount) for unit, amount in sorted(total.items()) if amount]
    return Sentence("、".join(one.zh for one in said), ", ".join(one.en for one in said))
