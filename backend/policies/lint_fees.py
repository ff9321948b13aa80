"""Whether what shops get for handling is bounded, and in proportion to what they handle."""

from collections.abc import Iterator

from backend.kernel.amounts import FEE, Unit
from backend.policies.lint_finding import Finding, warning
from backend.policies.model import Per, Policy, Reward, RewardKind
from backend.policies.words import amount_words

_OF_A_SHOP = frozenset({Per.STORE, Per.TILL, Per.CASHIER, Per.BASKET})
_STATED = (RewardKind.FIXED, RewardKind.PER_UNIT)


def lint_fees(policy: Policy) -> Iterator[Finding]:
    if Unit.FEE not in policy.units:
        return
    caps = [cap for cap in policy.caps if cap.unit is Unit.FEE and _OF_A_SHOP & set(cap.per)]
    paces = [pace for one in policy.budgets if one.unit is Unit.FEE for pace in one.paces if Per.STORE in pace.per]
    if not caps and not paces:
        yield warning(
            "fee_without_shop_cap",
            "caps",
            "没有按门店限制手续费：一家门店可以领走全部手续费预算",
            "no cap or pace bounds the fees of a shop: one shop could get the whole budget",
        )
    for position, rule in enumerate(policy.rules):
        for place, fee in enumerate(rule.rewards):
            if fee.unit is Unit.FEE and any(_is_above(fee, award) for award in rule.rewards):
                yield warning(
                    "fee_above_award",
                    f"rules.{position}.rewards.{place}",
                    f"规则“{rule.name_zh}”付给门店的{amount_words(FEE, fee.amount).zh}，高于给购买人的金额",
                    f"rule {rule.rule} pays the shop more than the buyer",
                )


def _is_above(fee: Reward, award: Reward) -> bool:
    """Where both state an amount of money for the same: a scan, or a piece."""
    comparable = award.unit is Unit.FEN and fee.kind is award.kind and fee.kind in _STATED
    return comparable and fee.amount * fee.factor_bp > award.amount * award.factor_bp
