from enum import StrEnum

BASIS_POINTS = 10_000
MAX_AMOUNT = 2**53 - 1
"""Largest amount of any unit: exact in JSON, far below bigint."""


class Unit(StrEnum):
    """A resident's four wallets are never converted into one another. A fee is not the resident's: fen that are due to a shop
    for handling what a resident is awarded for.
    """

    POINTS = "points"
    FEN = "fen"
    GCO2E = "gco2e"
    EVIDENCE = "evidence"
    FEE = "fee"


OF_RESIDENTS = (Unit.POINTS, Unit.FEN, Unit.GCO2E, Unit.EVIDENCE)
"""What a resident may hold."""
FEE = Unit.FEE.value


class Rounding(StrEnum):
    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"


# CPython 3.11 runs Python code for each `Enum.MEMBER` (0.3 µs), and for each hash of a member.
_DOWN, _UP = Rounding.DOWN, Rounding.UP


def unit_price(price_fen: int | None, quantity: int) -> int | None:
    """The price of one piece in fen, rounded up; None where the line has none."""
    return price_fen if price_fen is None or quantity == 1 else -(-price_fen // quantity)


def share_of(amount: int, basis_points: int, rounding: Rounding) -> int:
    """`amount` x `basis_points` / 10,000 in the unit of `amount`, rounded as named; both >= 0."""
    return divide(amount * basis_points, BASIS_POINTS, rounding)


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Integer quotient of two non-negative integers, rounded as named; never passes through a float."""
    if numerator < 0 or denominator <= 0:
        raise ValueError("amounts are divided as non-negative over positive")
    if rounding is _DOWN:
        return numerator // denominator
    if rounding is _UP:
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)
