"""Nobody is refused without a sentence, and a stored decision taken again comes to itself."""

import ast
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.certificates import validity
from backend.kernel.periods import civil_date, period_keys
from backend.labels.model import PERSONAL, Scheme
from backend.policies.compiled import NO_POLICIES, PolicySet
from backend.policies.evaluate import evaluate
from backend.policies.limits import FactMissing, Limits
from backend.policies.model import Facts, Outcome
from backend.scans.explain import DecidedScan, recompute, sentence
from backend.scans.sentences import OUTCOMES, SENTENCES, by_rules, outcome_of
from tests.pure.policies import documents
from tests.worlds.scans import PERSON, SOLD_AT_MS, decided_scan, scan_with

ROOT = Path(__file__).resolve().parents[3]


def _strings(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def _reasons_in(path: str) -> set[str]:
    """Words that a module hands on as a reason: of a verdict, an amount, a limit, a hold, a fault of a member code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Verdict", "Amount", "_limited"):
            found |= set(_strings(ast.Module(body=[ast.Expr(node.args[1])], type_ignores=[])))
        if isinstance(node, ast.keyword) and node.arg == "reason":
            found |= set(_strings(node.value))
        if isinstance(node, ast.Assign):
            for target in node.targets:
                name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
                if name in ("hold", "personal_or_kind"):
                    found |= set(_strings(node.value))
                if name == "member_fault":
                    found |= {f"member_{fault}" for fault in _strings(node.value)}
    return found


def test_no_reason_of_a_decision_is_without_a_sentence() -> None:
    given_out = _reasons_in("backend/scans/decide.py") | _reasons_in("backend/policies/evaluate.py")
    for path in sorted((ROOT / "backend/usecases").glob("*.py")):
        given_out |= {reason for reason in _reasons_in(str(path.relative_to(ROOT))) if reason.startswith("member_")}
    stems = {"label_", "certificate_", "member_"}
    composed = {f"label_{scheme}" for scheme in Scheme if scheme not in PERSONAL}
    composed |= {f"certificate_{state}" for state in validity._TELLING}

    assert len(given_out) > 15
    assert (given_out - stems) | composed <= SENTENCES.keys()
    assert set(OUTCOMES) == set(Outcome)


@pytest.mark.parametrize("reason", sorted(SENTENCES))
def test_every_sentence_is_one_in_both_languages_and_has_no_hole(reason: str) -> None:
    said = sentence(scan_with(reason=reason, outcome=outcome_of(reason)), NO_POLICIES)

    for text in said:
        assert text
        assert "{" not in text
        assert "None" not in text
    assert said.zh.endswith("。")
    assert said.en.endswith(".")
    assert re.search("[\u4e00-\u9fff]", said.zh)


def test_an_award_says_what_the_goods_are_and_what_they_earn() -> None:
    scan = scan_with(reason="awarded", outcome="awarded", unit="points", gross=18, award=18)

    said = sentence(scan, NO_POLICIES)

    assert said.zh == "这款冰箱是一级能效，按政策奖励 18 分。"
    assert said.en == "This product, energy grade 1, earns 18 points under the policy."


def test_a_shopper_without_a_code_reads_how_to_claim() -> None:
    assert sentence(scan_with(reason="claim_open", outcome="unclaimed"), NO_POLICIES).zh == (
        "结账时没有出示会员码；请凭小票上的领取码领取。"
    )


@st.composite
def decided(draw: st.DrawFn) -> tuple[DecidedScan, PolicySet]:
    """A decision as the engine takes it, with caps and budget at random heights."""
    facts: Facts = draw(documents.facts)
    policies = draw(documents.several())
    sold_on = civil_date(SOLD_AT_MS)
    limits = Limits({}, {b.pool: draw(st.integers(0, 60)) for p in policies for b in p.budgets})
    counted = {cap.counter: cap for policy in policies for one in policy.milestones for cap in (one.counter,)}
    for cap in (cap for policy in policies for cap in policy.caps):
        with contextlib.suppress(FactMissing):
            key = cap.key(PERSON, facts, period_keys(sold_on))
            limits.used[key] = draw(st.integers(0, 4 if cap.counter in counted else cap.limit_at(facts, sold_on) + 5))
    verdict = evaluate(facts, PERSON, sold_on, PolicySet(policies).in_force(SOLD_AT_MS).plan(facts), limits)
    return decided_scan(facts, verdict), PolicySet(policies)


@settings(documents.LAW, max_examples=70)
@given(decided())
def test_a_decision_taken_again_from_its_stored_facts_comes_to_itself(
    case: tuple[DecidedScan, PolicySet],
) -> None:
    scan, policies = case

    again = recompute(scan, policies)

    assert again.equal, (again.verdict, scan.decision)
    assert again.explanation is not None
    assert again.sentence_zh
    assert again.sentence_zh == sentence(scan, policies).zh


@settings(documents.LAW, max_examples=50)
@given(decided(), st.integers(1, 10))
def test_an_award_that_the_facts_do_not_give_is_noticed(case: tuple[DecidedScan, PolicySet], more: int) -> None:
    scan, policies = case
    forged = scan._replace(
        decision=scan.decision._replace(
            outcome="awarded", reason="awarded", gross=scan.decision.gross + more, award=scan.decision.gross + more
        )
    )

    assert not recompute(forged, policies).equal


def test_a_refusal_whose_facts_say_otherwise_is_noticed() -> None:
    known = scan_with(reason="product_unknown", outcome="pending_product")
    unknown = known._replace(decision=known.decision._replace(certificate=None))

    assert not recompute(known, NO_POLICIES).equal
    assert recompute(unknown, NO_POLICIES).equal
    assert not by_rules("product_unknown")
