"""Decisions as their rows state them, without a database."""

from datetime import timedelta

from backend.kernel.periods import civil_date
from backend.policies.evidence import Evidence
from backend.policies.model import Facts, Verdict
from backend.scans.decide import Decision
from backend.scans.evidence import evidence_text
from backend.scans.explain import DecidedScan

PERSON = "01900000-0000-7000-8000-0000000000aa"
SOLD_AT_MS = 1_795_312_800_000
SOLD_ON = civil_date(SOLD_AT_MS)


def decided_scan(facts: Facts, verdict: Verdict) -> DecidedScan:
    """What is stored of `verdict`, taken on `facts`."""
    scan = scan_with(
        reason=verdict.reason,
        outcome=verdict.outcome,
        scheme=facts.scheme,
        level=facts.level,
        proof=facts.proof,
        category=facts.category,
        grade=facts.grade,
        tier=facts.tier,
        price_fen=facts.price_fen,
        quantity=facts.quantity,
        certificate_scheme=facts.certificate_scheme,
        label_key=facts.model,
        basket=facts.basket,
        serial=facts.serial,
        evidence=evidence_text(evidence_in(facts), facts.buyer),
        policy_version=verdict.version,
        rule=verdict.rule,
        missing=verdict.missing,
        unit=verdict.unit,
        gross=verdict.gross,
        award=verdict.amount,
        limit_name=verdict.limit_name,
        limit_left=verdict.limit_left,
    )
    return scan._replace(
        store=facts.store,
        district=facts.district,
        body=facts.body,
        channel=facts.channel,
        receipt_fen=facts.receipt_fen,
        more=verdict.more,
        device=facts.device,
        cashier=facts.cashier,
        claimed_elsewhere=facts.claimed_elsewhere,
    )


def evidence_in(facts: Facts) -> Evidence:
    """What a till stated of them; the day of a hand-in is counted from the sale's."""
    stated = {name: getattr(facts, name) for name in Evidence._fields if name != "trade_in_on"}
    days = facts.trade_in_days
    on = None if days is None else (civil_date(SOLD_AT_MS) + timedelta(days)).isoformat()
    return Evidence(**stated, trade_in_on=on)


def scan_with(**changes: object) -> DecidedScan:
    """One decision of a fridge; `changes` replace columns."""
    decision = Decision(
        basket="01900000-0000-7000-8000-000000000001",
        line_no=0,
        decision_no=1,
        label_key="gtin:06901234567892",
        scheme="gtin",
        code=None,
        code_text="6901234567892",
        symbology="EAN13",
        quantity=1,
        price_fen=299_900,
        serial=None,
        evidence=None,
        resident=PERSON,
        certificate="C1",
        certificate_row="01900000-0000-7000-8000-000000000002",
        certificate_scheme="energy_label",
        category="冰箱",
        grade=1,
        tier=None,
        level="M",
        proof="P3",
        policy_version=None,
        rule=None,
        outcome="none",
        reason="no_policy",
        missing=None,
        unit=None,
        gross=0,
        award=0,
        limit_name=None,
        limit_left=None,
    )
    return DecidedScan(decision._replace(**changes), SOLD_AT_MS, SOLD_AT_MS, "s1", "320102", "CNIS")  # type: ignore[arg-type]  # fields
