"""Every reason to refuse or to doubt a policy document, at once, before it costs anything. Pure.

What the loader refuses and what only a reader of the whole would notice come in one list and one form. Where the checks
draw a line that no law draws (how much a photograph may earn, how long a policy may last), DECISIONS.md says why.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from backend.policies.bounds import unpublishable
from backend.policies.document import PolicyRefused, load_policy
from backend.policies.lint_faults import faults_found
from backend.policies.lint_fees import lint_fees
from backend.policies.lint_finding import Finding, SchemeCeiling, Severity, blocker, warning
from backend.policies.lint_limits import lint_budgets, lint_caps, lint_claims, lint_dates, lint_old_units, lint_watches
from backend.policies.lint_others import lint_others, lint_within
from backend.policies.lint_rules import lint_evidence, lint_goods, lint_rules, reach
from backend.policies.model import Policy
from backend.policies.regions import Space, conditions_of_rule

NO_SCHEMES: Mapping[str, SchemeCeiling] = MappingProxyType({})


def lint(
    policy: Policy,
    others: Sequence[Policy] | None = None,
    schemes: Mapping[str, SchemeCeiling] = NO_SCHEMES,
    categories: Collection[str] | None = None,
) -> list[Finding]:
    """All that is wrong with `policy`, blockers first, each list in the order of the checks.

    `others`: the other policies of its city, None where they are not known; `schemes` and `categories`: the register's,
    empty or None where it is not at hand. What cannot be compared is not reported.
    """
    space = Space([policy, *(others or ())])
    reached, findings = reach(policy, space)
    findings += lint_rules(reached, space, schemes)
    findings += lint_evidence(policy, reached, space)
    findings += lint_goods(policy)
    findings += lint_caps(policy, reached, space)
    findings += lint_fees(policy)
    findings += lint_budgets(policy)
    findings += lint_watches(policy)
    findings += lint_old_units(policy)
    findings += lint_claims(policy)
    findings += lint_dates(policy)
    if others is not None:
        findings += lint_others(policy, reached, others, space)
        findings += lint_within(policy, reached, others, space)
    findings += _unpublishable(policy)
    findings += _unknown_names(policy, schemes, categories)
    return _ordered(findings)


def lint_text(
    text: str | bytes,
    others: Sequence[Policy] | None = None,
    schemes: Mapping[str, SchemeCeiling] = NO_SCHEMES,
    categories: Collection[str] | None = None,
) -> list[Finding]:
    """`lint` of a document as it is written; what the loader refuses are blockers too, and then nothing more is known."""
    try:
        policy = load_policy(text)
    except PolicyRefused as refused:
        return _ordered(faults_found(text, refused))
    return lint(policy, others, schemes, categories)


def blockers(findings: Sequence[Finding]) -> list[Finding]:
    return [found for found in findings if found.severity is Severity.BLOCKER]


def _unpublishable(policy: Policy) -> Iterator[Finding]:
    for place, reasons in unpublishable(policy).items():
        for reason in reasons:
            zh, _, en = reason.partition(" / ")
            yield blocker("unpublishable", place, zh, en)


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Blockers first; the sort is stable, and a finding that two checks made is said once."""
    once = dict.fromkeys(findings)
    return sorted(once, key=lambda found: found.severity is not Severity.BLOCKER)


def _unknown_names(
    policy: Policy, schemes: Mapping[str, SchemeCeiling], categories: Collection[str] | None
) -> Iterator[Finding]:
    for fact, place, name in _names(policy):
        if fact == "certificate_scheme" and schemes and name not in schemes:
            yield warning(
                "unknown_scheme",
                place,
                f"认证项目库中没有“{name}”，以此为条件的购买不会出现",
                f"the register has no scheme {name}: no purchase will match it",
            )
        if fact == "category" and categories is not None and name not in categories:
            yield warning(
                "unknown_category",
                place,
                f"证书库中没有品类“{name}”，请核对写法",
                f"no product of the register has the category {name}: check how it is written",
            )


def _names(policy: Policy) -> Iterator[tuple[str, str, str]]:
    for fact, side, names in (
        ("certificate_scheme", "schemes", policy.scope.schemes),
        ("category", "categories", policy.scope.categories),
    ):
        for position, name in enumerate(names):
            yield fact, f"scope.{side}.{position}", name
    for position, rule in enumerate(policy.rules):
        for place, condition in conditions_of_rule(rule, f"rules.{position}"):
            for value in condition.value if isinstance(condition.value, tuple) else (condition.value,):
                yield condition.fact, place, str(value)
