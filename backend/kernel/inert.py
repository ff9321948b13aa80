"""Texts of strangers in tables: a spreadsheet program takes none of them for a formula (CWE-1236)."""

_BEGINS = tuple("=+-@\t\r\n＝＋－＠﹢﹣﹦﹫")
"""What Excel, WPS or LibreOffice may read as the beginning of a formula, full-width and small forms too."""
_BLANKS = " \u00a0\u3000\ufeff\u200b"
MARK = "'"
"""Makes a cell of a CSV file text, as a person would type it."""


def inert(text: str) -> str:
    """The text itself, or marked as text where it could be read as a formula, also behind blanks."""
    return MARK + text if text.lstrip(_BLANKS).startswith(_BEGINS) else text
