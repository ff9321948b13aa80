"""Recorded facts as the resident API shows them. Pure."""

import base64
import binascii
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.kernel.periods import instant
from backend.labels.words import label_words
from backend.ledger.queries import Holding
from backend.policies.explain import AmountStep, PolicyCheck, RuleCheck
from backend.policies.words import ConditionCheck, Sentence, amount_words
from backend.scans.decide import Decision
from backend.scans.explain import Recomputed
from backend.scans.model import READS_MAX, Channel
from backend.scans.next_steps import next_step
from backend.scans.queries import HistoryKey, RecordedScan
from backend.scans.sentences import OUTCOMES
from backend.usecases.return_answers import ReturnedScan
from backend.web.problems import Fault, InvalidFields

_CERTIFICATE = "certificate_"
Answer = dict[str, object]
NOT_A_NEXT = Fault("query:/after", "不是本接口给出的 next", "Not a `next` of this route.")


class Since(NamedTuple):
    """What stands beside a decision: what came back of it since, and what its till had promised while offline."""

    returned: ReturnedScan | None = None
    promised: Sentence | None = None


NOTHING_SINCE = Since()


def scan_answer(recorded: RecordedScan, said: Sentence, since: Since = NOTHING_SINCE) -> Answer:
    decision = recorded.scan.decision
    phone = recorded.channel == Channel.PHONE
    store = recorded.scan.store
    step = next_step(recorded.channel, decision.outcome, decision.reason)
    return {
        "basket": decision.basket,
        "line_no": decision.line_no,
        "decision_no": decision.decision_no,
        "scan_id": recorded.stream if phone else None,
        "city": recorded.city,
        "channel": recorded.channel,
        "store": None if store is None else {"store": store, "name": recorded.store_name},
        "sold_at": recorded.sold_at,
        "decided_at": recorded.decided_at,
        "label": _label(decision),
        "quantity": decision.quantity,
        "price_fen": decision.price_fen,
        "certificate": None
        if decision.certificate is None
        else {
            "number": decision.certificate,
            "scheme": decision.certificate_scheme,
            "category": decision.category,
            "grade": decision.grade,
            "tier": decision.tier,
            "state": decision.reason.removeprefix(_CERTIFICATE)
            if decision.reason.startswith(_CERTIFICATE)
            else "valid",
        },
        "next_step": None if step is None else {"code": step.code, "sentence": step.zh, "sentence_en": step.en},
        "outcome": decision.outcome,
        "outcome_words": OUTCOMES[decision.outcome].zh,
        "reason": decision.reason,
        "sentence": said.zh,
        "sentence_en": said.en,
        "award": amount_answer(decision.unit or "", decision.award) if decision.award else None,
        "returned": None if since.returned is None else _returned(since.returned),
        "promised": None
        if since.promised is None
        else {"sentence": since.promised.zh, "sentence_en": since.promised.en},
    }


def _label(decision: Decision) -> Answer:
    said = label_words(decision.scheme, decision.level)
    return {
        "scheme": decision.scheme,
        "key": decision.label_key,
        "text": decision.code_text,
        "level": decision.level,
        "sentence": said.zh,
        "sentence_en": said.en,
    }


def _returned(given: ReturnedScan) -> Answer:
    return {
        "quantity": given.quantity,
        "taken_back": [amount_answer(one.unit, one.amount) | {"source": one.source.value} for one in given.taken],
        "sentence": given.said.zh,
        "sentence_en": given.said.en,
    }


def amount_answer(unit: str, amount: int) -> Answer:
    words = amount_words(unit, amount)
    return {"unit": unit, "amount": amount, "words": words.zh, "words_en": words.en}


def balances_answer(city: str, units: list[str], holdings: list[Holding], now_ms: int) -> Answer:
    """Every unit of the city, each apart; one that was never touched stands at 0."""
    return {
        "city": city,
        "balances": [balance_answer(unit, [h for h in holdings if h.unit == unit], now_ms) for unit in units],
    }


def balance_answer(unit: str, holdings: list[Holding], now_ms: int) -> Answer:
    available = sum(one.amount for one in holdings if one.available(now_ms))
    waiting = sorted((one.moment_ms, one) for one in holdings if one.pending(now_ms))
    uncollected = sorted((one.moment_ms, one) for one in holdings if one.to_collect(now_ms))
    return {
        **amount_answer(unit, available),
        "pending": [amount_answer(unit, one.amount) | {"available_at": instant(at)} for at, one in waiting],
        "to_collect": [amount_answer(unit, one.amount) | {"collect_by": instant(at)} for at, one in uncollected],
        "held": amount_answer(unit, sum(one.amount for one in holdings if one.is_held)),
        "owed": amount_answer(unit, sum(-one.amount for one in holdings if one.is_debt)),
    }


def expiry_answer(one: Holding, now_ms: int) -> Answer:
    state = "available" if one.available(now_ms) else "pending" if one.pending(now_ms) else "to_collect"
    return {
        **amount_answer(one.unit, one.amount),
        "state": state,
        "last_day": one.place.last_day,
        "ends_at": instant(one.over_at_ms),
    }


def moment_cursor(at: datetime, one: str) -> str:
    """Where a page ends that is in the order of a moment and an id."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {one}".encode()).decode()


def moment_after(cursor: str) -> tuple[datetime, str]:
    """What `moment_cursor` made. Raises InvalidFields for anything else."""
    try:
        moment, one = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        found = datetime.fromisoformat(moment), str(UUID(one))
        ours = found[0].tzinfo is not None
    except (ValueError, binascii.Error):
        ours = False
    if not ours:
        raise InvalidFields([NOT_A_NEXT])
    return found


def place_after(cursor: str) -> tuple[str, str]:
    """The end and the account that `place_cursor` named. Raises InvalidFields for anything else."""
    try:
        end, account = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
    except (ValueError, binascii.Error):
        raise InvalidFields([NOT_A_NEXT]) from None
    return end, account


def place_cursor(one: Holding) -> str:
    return base64.urlsafe_b64encode(f"{one.place.end} {one.account}".encode()).decode()


def explained_answer(recorded: RecordedScan, again: Recomputed, since: Since) -> Answer:
    policies = again.explanation.policies if again.explanation else ()
    return {
        "scan": scan_answer(recorded, Sentence(again.sentence_zh, again.sentence_en), since),
        "recomputed_equal": again.equal,
        "policies": [_policy(each) for each in policies],
        "limit": None if again.cut is None else _step(again.cut),
    }


def cursor_of(recorded: RecordedScan) -> str:
    key = HistoryKey(recorded.sold_at, recorded.scan.decision.basket, recorded.scan.decision.line_no)
    text = f"{key.sold_at.isoformat()} {key.basket} {key.line_no}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def key_of(cursor: str) -> HistoryKey:
    """What `cursor_of` made. Raises InvalidFields for anything else."""
    try:
        sold_at, basket, line_no = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        key = HistoryKey(datetime.fromisoformat(sold_at), str(UUID(basket)), int(line_no))
        ours = key.sold_at.tzinfo is not None and 0 <= key.line_no < READS_MAX
    except (ValueError, binascii.Error):
        ours = False
    if not ours:
        raise InvalidFields([NOT_A_NEXT])
    return key


def _policy(checked: PolicyCheck) -> Answer:
    return {
        "policy": checked.policy,
        "title": checked.title.zh,
        "document_number": checked.document_number,
        "document_url": checked.document_url,
        "unit": checked.unit,
        "rules": [_rule(rule) for rule in checked.rules],
    }


def _rule(checked: RuleCheck) -> Answer:
    return {
        "rule": checked.rule,
        "name": checked.name.zh,
        "name_en": checked.name.en,
        "holds": checked.holds,
        "decides": checked.decides,
        "reason": checked.reason,
        "conditions": [_condition(each) for each in checked.conditions],
        "arithmetic": [_step(each) for each in checked.arithmetic],
    }


def _condition(checked: ConditionCheck) -> Answer:
    return {"holds": checked.holds, "sentence": checked.sentence.zh, "sentence_en": checked.sentence.en}


def _step(step: AmountStep) -> Answer:
    return {"sentence": step.sentence.zh, "sentence_en": step.sentence.en, "amount": step.amount}
