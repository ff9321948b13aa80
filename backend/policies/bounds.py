"""What a sound document may not be published with: rewards beyond any account, and names that stand for other limits.

Asked at publishing alone. A version that was published before stays loadable, or its city could decide nothing any more.
"""

from collections.abc import Iterator

from backend.kernel.amounts import BASIS_POINTS, MAX_AMOUNT, divide
from backend.policies.limits import once_name
from backend.policies.model import Policy, Reward, RewardKind

QUANTITY_MAX = 9_999
PRICE_FEN_MAX = 10**10
"""Of one line of a sale, as the wire allows (`firmware_bridge.wire.messages`, `backend.scans.lines`)."""


RESERVED_NAMES = frozenset({"budget", "ceiling"})
"""What a decision calls the limits that are no caps."""


def unpublishable(policy: Policy) -> dict[str, list[str]]:
    """Place in the document -> reasons; empty when it may be published."""
    faults: dict[str, list[str]] = {}
    for at, rule in enumerate(policy.rules):
        for place, reward in enumerate(rule.rewards):
            reason = too_large(reward, max(rule.rates.values(), default=0))
            if reason is not None:
                where = f"rewards.{place}" if len(rule.rewards) > 1 else "reward"
                faults.setdefault(f"rules.{at}.{where}", []).append(reason)
    own = {once_name(rule.rule) for rule in policy.rules if any(reward.once_a_basket for reward in rule.rewards)}
    for named_at, name in _limit_names(policy):
        if name in RESERVED_NAMES | own:
            faults.setdefault(named_at, []).append(f"{name} 为保留名称 / {name} is a reserved name")
    return faults


def _limit_names(policy: Policy) -> Iterator[tuple[str, str]]:
    for at, cap in enumerate(policy.caps):
        yield f"caps.{at}.cap", cap.cap
    for at, budget in enumerate(policy.budgets):
        where = f"budgets.{at}" if len(policy.budgets) > 1 else "budget"
        for place, pace in enumerate(budget.paces):
            yield f"{where}.paces.{place}.pace", pace.pace
    for at, milestone in enumerate(policy.milestones):
        yield f"milestones.{at}.milestone", milestone.milestone
    for at, watch in enumerate(policy.watches):
        yield f"watches.{at}.watch", watch.watch
    for at, window in enumerate(policy.windows):
        yield f"windows.{at}.window", window.window


def greatest_award(reward: Reward, rate_bp: int) -> int:
    """In the reward's unit, rounded as it names; `rate_bp` is the highest of its rule's rates, in basis points."""
    rate = rate_bp * reward.factor_bp
    row = max(reward.table.values(), default=0) if reward.table else 0
    if reward.kind is RewardKind.PERCENT or (reward.kind is RewardKind.TABLE and reward.table_is_percent):
        share_bp = row if reward.kind is RewardKind.TABLE else reward.basis_points
        amount = divide(PRICE_FEN_MAX * share_bp * rate, BASIS_POINTS**3, reward.rounding)
    else:
        each = row if reward.kind is RewardKind.TABLE else reward.amount
        pieces = 1 if reward.kind is RewardKind.FIXED else QUANTITY_MAX
        amount = divide(each * pieces * rate, BASIS_POINTS**2, reward.rounding)
    return amount if reward.cap_per_unit is None else min(amount, reward.cap_per_unit * QUANTITY_MAX)


def too_large(reward: Reward, rate_bp: int) -> str | None:
    """Why a reward cannot be published: one scan could earn more than any account may hold."""
    most = greatest_award(reward, rate_bp)
    if most <= MAX_AMOUNT:
        return None
    return (
        f"一次扫码最多可得 {most}（{QUANTITY_MAX} 件、成交价 {PRICE_FEN_MAX} 分时），超过上限 {MAX_AMOUNT}；可加 cap_per_unit"
        f" / one scan could earn {most}, more than {MAX_AMOUNT}; cap_per_unit can bound it"
    )
