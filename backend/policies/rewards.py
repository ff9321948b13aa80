"""What a rule pays before rates' limits: each reward compiled to one function of the facts and the rate. Integers only."""

from collections.abc import Callable

from backend.kernel.amounts import BASIS_POINTS, Rounding, Unit, divide
from backend.policies.model import Facts, Reward, RewardKind

_DOWN = Rounding.DOWN

Amount = tuple[int, str | None]
"""A reward in its unit, or the reason why none can be computed."""

Payer = Callable[[Facts, int], Amount]
"""(facts, rate in basis points) -> amount, rounded once, as the reward names it."""


def compile_reward(reward: Reward) -> Payer:
    pay = _payer(reward)
    if reward.unit is Unit.FEE:
        return lambda facts, rate: pay(facts, rate) if facts.store is not None else (0, "store_missing")
    return pay


def _payer(reward: Reward) -> Payer:
    if reward.kind is RewardKind.PERCENT:
        return _percent_of(reward, reward.basis_points)
    if reward.kind is RewardKind.TABLE:
        return _from_table(reward)
    pieces = (lambda facts: facts.quantity) if reward.kind is RewardKind.PER_UNIT else (lambda _facts: 1)
    scale = BASIS_POINTS * BASIS_POINTS
    return lambda facts, rate: (
        _capped(divide(reward.amount * pieces(facts) * rate * reward.factor_bp, scale, reward.rounding), facts, reward),
        None,
    )


def _percent_of(reward: Reward, basis_points: int) -> Payer:
    """As `_percent`; most percentages are rounded down, and nearly every sale comes by here."""
    if reward.rounding is not _DOWN:
        return lambda facts, rate: _percent(facts, reward, basis_points, rate)
    share, scale, cap = basis_points * reward.factor_bp, BASIS_POINTS**3, reward.cap_per_unit

    def pay(facts: Facts, rate: int) -> Amount:
        price = facts.price_fen
        if price is None:
            return (0, "price_missing")
        amount = price * share * rate // scale
        return (amount if cap is None else min(amount, cap * facts.quantity), None)

    return pay


def _percent(facts: Facts, reward: Reward, basis_points: int, rate: int) -> Amount:
    if facts.price_fen is None:
        return (0, "price_missing")
    scaled = facts.price_fen * basis_points * rate * reward.factor_bp
    return (_capped(divide(scaled, BASIS_POINTS**3, reward.rounding), facts, reward), None)


def _from_table(reward: Reward) -> Payer:
    """Each row pays as a reward of its own would; a sale of which the table says nothing gets nothing."""
    pay_row = _percent_of if reward.table_is_percent else _pieces_of
    rows = {row: pay_row(reward, value) for row, value in (reward.table or {}).items()}
    by_grade = reward.by == "grade"

    def pay(facts: Facts, rate: int) -> Amount:
        row = rows.get((facts.grade if by_grade else facts.tier) or 0)
        return (0, "table_missing") if row is None else row(facts, rate)

    return pay


def _pieces_of(reward: Reward, amount: int) -> Payer:
    def pay(facts: Facts, rate: int) -> Amount:
        scaled = amount * facts.quantity * rate * reward.factor_bp
        return (_capped(divide(scaled, BASIS_POINTS**2, reward.rounding), facts, reward), None)

    return pay


def _capped(amount: int, facts: Facts, reward: Reward) -> int:
    if reward.cap_per_unit is None:
        return amount
    return min(amount, reward.cap_per_unit * facts.quantity)
