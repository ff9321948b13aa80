"""Where a list goes on, as its address says it. Pure."""

NUMBER_MAX = 2_147_483_647
"""Of an integer in the database: what is more would be refused there."""


def number_of(text: str) -> int:
    """Raises ValueError for what is no number from 0 to NUMBER_MAX."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(NUMBER_MAX)):
        raise ValueError(text[:20])
    return min(int(text), NUMBER_MAX)
