"""Which budgets may be lent to tills: those of which a till's promise can only fail at a person's own limits. Pure."""

from backend.leases.model import AWARDS_MAX, GRACE_HOURS_MAX, HOURS_MAX, SHARE_BP_MAX, LeaseTermsInvalid, Terms
from backend.policies.compiled import CompiledPolicy, PolicySet
from backend.policies.model import Per

UNITS = ("points", "fen")


def is_lendable(policies: PolicySet, terms: Terms, at_ms: int) -> bool:
    """Whether the policy is in force at `at_ms`, and may be lent then."""
    running = [one for one in policies.in_force(at_ms).policies if one.policy.policy == terms.policy]
    return bool(terms.amount) and any(_obstacle(one, terms.unit) is None for one in running)


def check_terms(policies: PolicySet, terms: Terms) -> None:
    """Raises LeaseTermsInvalid: of a budget that no version may lend, or beyond the bounds."""
    versions = [one for one in policies if one.policy.policy == terms.policy]
    if not versions:
        raise LeaseTermsInvalid(why_zh="没有这项政策", why_en="there is no such policy")
    obstacle = _obstacle(versions[-1], terms.unit)
    if obstacle is not None:
        raise LeaseTermsInvalid(why_zh=obstacle[0], why_en=obstacle[1])
    bounds = ((terms.awards, AWARDS_MAX), (terms.hours, HOURS_MAX), (terms.grace_hours, GRACE_HOURS_MAX))
    if terms.amount < 0 or any(not 1 <= given <= most for given, most in (*bounds, (terms.share_bp, SHARE_BP_MAX))):
        raise LeaseTermsInvalid(why_zh="数额、次数、时长或比例超出允许范围", why_en="a number is out of bounds")


def _obstacle(policy: CompiledPolicy, unit: str) -> tuple[str, str] | None:
    budget = next((one.budget for one in policy.budgets if one.budget.unit.value == unit), None)
    if budget is None or unit not in UNITS:
        return "该政策没有这种单位的预算", "the policy has no budget of this unit"
    if not budget.partial:
        return "预算不得部分支付（partial 为 false）", "the budget never pays in part (partial is false)"
    if any(not cap.by_person and Per.BASKET not in cap.per for cap in policy.caps):
        return "政策另有门店、地区或每日总量限制，终端无从得知", "others share a limit that a till cannot know"
    return None
