from enum import StrEnum

MAX_NAME = 40
"""Longest symbology name looked at; readers use at most 22 characters."""


class Symbology(StrEnum):
    EAN13 = "ean13"
    EAN8 = "ean8"
    UPCA = "upca"
    UPCE = "upce"
    ITF = "itf"
    CODE128 = "code128"
    DATABAR = "databar"
    DATAMATRIX = "datamatrix"
    QRCODE = "qrcode"
    AZTEC = "aztec"
    CODABAR = "codabar"
    CODE39 = "code39"
    CODE93 = "code93"
    CODE25 = "code25"
    MAXICODE = "maxicode"
    PDF417 = "pdf417"
    ADDON = "addon"
    WXCODE = "wxcode"
    OTHER = "other"


_NAMES = {
    Symbology.EAN13: ("EAN13", "ISBN", "ISBN13"),
    Symbology.EAN8: ("EAN8",),
    Symbology.UPCA: ("UPCA",),
    Symbology.UPCE: ("UPCE",),
    Symbology.ITF: ("ITF", "ITF14", "I25", "INTERLEAVED2OF5"),
    Symbology.CODE128: ("CODE128", "GS1128", "EAN128", "UCCEAN128"),
    Symbology.DATABAR: (
        "DATABAR", "DATABAROMNI", "DATABARSTK", "DATABARSTACKED", "DATABARSTKOMNI", "DATABARSTACKEDOMNI",
        "DATABARLTD", "DATABARLIMITED", "DATABAREXP", "DATABAREXPANDED", "DATABAREXPSTK",
        "DATABAREXPANDEDSTACKED", "RSS14", "RSSEXPANDED",
    ),
    Symbology.DATAMATRIX: ("DATAMATRIX", "GS1DATAMATRIX"),
    Symbology.QRCODE: (
        "QRCODE", "QR", "QRCODEMODEL1", "QRCODEMODEL2", "MICROQRCODE", "RMQRCODE", "GS1QRCODE",
    ),
    Symbology.AZTEC: ("AZTEC", "AZTECCODE", "AZTECRUNE"),
    Symbology.CODABAR: ("CODABAR",),
    Symbology.CODE39: ("CODE39", "CODE39STD", "CODE39EXT"),
    Symbology.CODE93: ("CODE93",),
    Symbology.CODE25: ("CODE25",),
    Symbology.MAXICODE: ("MAXICODE",),
    Symbology.PDF417: ("PDF417", "COMPACTPDF417", "MICROPDF417"),
    Symbology.ADDON: ("UPCEANEXTENSION", "EAN2", "EAN5"),
    Symbology.WXCODE: ("WXCODE",),
}  # fmt: skip
_BY_NAME = {name: symbology for symbology, names in _NAMES.items() for name in names}
_SEPARATORS = str.maketrans("", "", "-_ ./")

RETAIL = frozenset({Symbology.EAN13, Symbology.EAN8, Symbology.UPCA, Symbology.UPCE})
"""Carriers that hold a GTIN and nothing else (GS1 General Specifications, section 5.2)."""

PLAIN_NAMES: frozenset[str | None] = frozenset(
    {None, "EAN13", "EAN-13", "EAN_13", "ean13", "EAN8", "EAN-8", "EAN_8", "ean8", "UPCA", "UPC-A", "UPC_A", "upca"}
)
"""Names, as readers spell them, under which bare digits are a GTIN: the fast path asks this set alone."""

GS1_AIMS = frozenset({"]C1", "]d2", "]Q3", "]e0"})
"""AIM identifiers that promise GS1 element strings."""
PLAIN_AIMS = frozenset({"]E0", "]E4", "]I1"})
"""AIM identifiers that promise a GTIN."""


def symbology_of(name: str | None) -> Symbology | None:
    """The symbology behind a reader's own name for it (pyzbar, zxing-cpp, wx.scanCode); None for typed text."""
    if name is None:
        return None
    return _BY_NAME.get(name[:MAX_NAME].upper().translate(_SEPARATORS), Symbology.OTHER)
