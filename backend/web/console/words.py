"""How amounts, points and moments read on a page: one way each."""

from datetime import date, datetime

from backend.kernel.periods import CHINA

THIN = "\N{NARROW NO-BREAK SPACE}"
"""Between groups of three digits: no locale takes it for a decimal sign."""
MINUS = "\N{MINUS SIGN}"


def whole(number: int) -> str:
    """As 12 345."""
    return f"{MINUS if number < 0 else ''}{abs(number):,}".replace(",", THIN)


def yuan(amount_fen: int) -> str:
    """As ¥12 345.60."""
    sign = MINUS if amount_fen < 0 else ""
    return f"{sign}¥{whole(abs(amount_fen) // 100)}.{abs(amount_fen) % 100:02d}"


def share(part: int, of: int) -> str:
    """In percent, to a tenth, rounded down: 100 % is said when it is all, not before."""
    return "—" if of == 0 else f"{part * 1_000 // of / 10:.1f}{THIN}%"


def moment(at: datetime | None) -> str:
    """Civil time in China, to the minute."""
    return "—" if at is None else at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def second(at: datetime | None) -> str:
    """The same to the second, where the order of things matters."""
    return "—" if at is None else at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def day(on: date | None) -> str:
    return "—" if on is None else on.isoformat()
