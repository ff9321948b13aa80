"""From bytes or text to one spelling: decoded, folded to ASCII where Unicode means ASCII, trimmed."""

import re
import unicodedata
from dataclasses import dataclass

from backend.labels.symbologies import GS1_AIMS, Symbology
from backend.labels.trust import Trust

MAX_BYTES = 2048
GS = "\x1d"

_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_BLANKS = " \t\r\n\x00"
_INVISIBLE = (0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_DASHES = (*range(0x2010, 0x2016), 0x2043, 0x2212, 0x2E3A, 0x2E3B, 0x30FC)
_LINE_ENDS = (0x85, 0x1680, 0x2028, 0x2029)
_BMP_END = 0x10000
_FOLDED_PLANES = (range(0x80, _BMP_END), range(0x1D400, 0x1D800), range(0x1F100, 0x1FC00))


def _folding() -> dict[str, str]:
    """What becomes ASCII: NFKC of single characters, dashes, blanks; invisible characters go.

    The whole NFKC is not taken: its reordering of combining marks is quadratic, 2 ms for 2 KiB made to hurt,
    and composition never yields ASCII.
    """
    plain = dict.fromkeys(_DASHES, "-") | dict.fromkeys(_LINE_ENDS, " ")
    table = dict.fromkeys(map(chr, _INVISIBLE), "")
    for plane in _FOLDED_PLANES:
        for point in plane:
            folded = unicodedata.normalize("NFKC", chr(point)).translate(plain)
            if folded.isascii():
                table.setdefault(chr(point), folded)
    return table


_FOLD = _folding()
_FOLDABLE = re.compile(f"[{''.join(re.escape(c) for c in _FOLD if ord(c) < _BMP_END)}]|[\U0001d400-\U0001fbff]")
"""Two classes: a class of the basic plane alone compiles to a bitmap, a mixed one to a slow list."""


@dataclass(frozen=True, slots=True)
class Code:
    """One read code, normalised once for all schemes."""

    text: str
    """Folded and trimmed; case kept, group separators kept."""
    upper: str
    """`text` with ASCII letters in upper case (never `str.upper`: it makes ASCII of other letters)."""
    compact: str
    """`upper` without blanks."""
    symbology: Symbology | None
    """None: typed by a person."""
    aim: str | None
    trust: Trust
    year: int | None
    """Civil year of the sale, when the caller knows it."""

    @property
    def marked_gs1(self) -> bool:
        """The reader vouches for GS1 element strings: by AIM identifier, FNC1 in front, or a GS1-only carrier."""
        return self.aim in GS1_AIMS or self.text[:1] == GS or self.symbology is Symbology.DATABAR


def too_long(content: bytes | str) -> bool:
    if isinstance(content, str):
        return len(content) > MAX_BYTES or len(content.encode("utf-8", "surrogatepass")) > MAX_BYTES
    return len(content) > MAX_BYTES


def decoded(content: bytes) -> str | None:
    """UTF-8, else GB18030 as older Chinese QR codes use; None when it is neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def normalised(text: str, symbology: Symbology | None, aim: str | None, trust: Trust, year: int | None) -> Code:
    if not text.isascii():
        text = _FOLDABLE.sub(lambda match: _FOLD.get(match[0], match[0]), text)
    text = text.strip(_BLANKS)
    if _AIM.match(text):
        aim, text = aim or text[:3], text[3:]
    upper = _ascii_upper(text)
    compact = upper.replace(" ", "").replace("\t", "")
    return Code(text, upper, compact, symbology, aim or None, trust, year)


def _ascii_upper(text: str) -> str:
    """Of bytes only a-z change, and no byte of another UTF-8 character is one of them."""
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def respelled(code: Code, text: str) -> Code:
    """Another text found inside `code`, such as the number after its words; not read by a machine as such."""
    return normalised(text, code.symbology, None, code.trust, code.year)
