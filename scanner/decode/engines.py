"""One adapter an engine: what a library saw in one view, in this project's names."""

import logging
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import cv2
import numpy as np
import zxingcpp

from scanner.decode.limits import CODE_BYTES_MAX, CODES_PER_LOOK_MAX, OPENCV_THREADS
from scanner.decode.model import Picture

cv2.setNumThreads(OPENCV_THREADS)
# A broken file is a row of ours, not a line of OpenCV's on the terminal.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

log = logging.getLogger(__name__)

ZXING, ZBAR, OPENCV, PROFILE = "zxing", "zbar", "opencv", "profile"
# The same engine with another way to black and white: a further look, not a further witness.
ZXING_GLOBAL = "zxing_global"
MATRIX = frozenset({"QRCODE", "DATAMATRIX"})

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one engine saw once. `quality` is zbar's count of agreeing lines; `corners` are of the view.

    `declared` is the text by the engine's own character set logic, where it has one. `sure`: by the engine's own
    measure no other code explains the picture nearly as well; only the profile engine has such a measure.
    """

    engine: str
    symbology: str
    data: bytes
    aim: str | None
    corners: tuple[Point, ...]
    quality: int | None = None
    declared: str | None = None
    sure: bool = False


class Engine(Protocol):
    name: str

    def look(self, grey: Picture) -> list[Sighting]: ...


_Z = zxingcpp.BarcodeFormat
_ZXING_FORMATS = [_Z.EAN13, _Z.EAN8, _Z.UPCA, _Z.UPCE, _Z.ITF, _Z.Code128, _Z.Code39, _Z.QRCode, _Z.DataMatrix,
                  _Z.DataBar, _Z.DataBarLtd, _Z.DataBarExp]  # fmt: skip
_ZXING_NAMES = {
    "EAN13": "EAN13", "ISBN": "EAN13", "UPCA": "EAN13", "EAN8": "EAN8", "UPCE": "UPCE", "ITF": "I25", "ITF14": "I25",
    "Code128": "CODE128", "Code39": "CODE39", "Code39Std": "CODE39", "Code39Ext": "CODE39", "Code32": "CODE39",
    "PZN": "CODE39", "QRCode": "QRCODE", "QRCodeModel1": "QRCODE", "QRCodeModel2": "QRCODE", "MicroQRCode": "QRCODE",
    "RMQRCode": "QRCODE", "DataMatrix": "DATAMATRIX", "DataBar": "DATABAR", "DataBarOmni": "DATABAR",
    "DataBarStk": "DATABAR", "DataBarStkOmni": "DATABAR", "DataBarLtd": "DATABAR_LTD",
    "DataBarExp": "DATABAR_EXP", "DataBarExpStk": "DATABAR_EXP",
}  # fmt: skip


class ZxingEngine:
    name = ZXING

    def __init__(
        self, *, thorough: bool = True, binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage
    ) -> None:
        self._thorough = thorough
        self._binarizer = binarizer
        self._formats = zxingcpp.BarcodeFormats(_ZXING_FORMATS)

    def look(self, grey: Picture) -> list[Sighting]:
        found = zxingcpp.read_barcodes(
            grey,
            formats=self._formats,
            try_rotate=self._thorough,
            try_downscale=self._thorough,
            try_invert=self._thorough,
            binarizer=self._binarizer,
            text_mode=zxingcpp.TextMode.Plain,
        )
        return [
            sighting
            for barcode in found[:CODES_PER_LOOK_MAX]
            if (sighting := _from_zxing(barcode, grey)) and len(sighting.data) <= CODE_BYTES_MAX
        ]


def _from_zxing(barcode: zxingcpp.Barcode, grey: Picture) -> Sighting | None:
    symbology = _ZXING_NAMES.get(barcode.format.name)
    if symbology is None:
        return None
    where = barcode.position
    corners = tuple(
        (float(p.x), float(p.y)) for p in (where.top_left, where.top_right, where.bottom_right, where.bottom_left)
    )
    data, aim, declared = bytes(barcode.bytes), barcode.symbology_identifier or None, None
    if symbology in MATRIX and not _is_utf8(data):
        aim, declared = _aim_with_eci(barcode, grey) or aim, barcode.text
    # `.bytes`, not `.text`: the text of a GS1 symbol may carry brackets where the bytes keep their FNC1.
    return Sighting(ZXING, symbology, data, aim, corners, declared=declared)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _aim_with_eci(barcode: zxingcpp.Barcode, grey: Picture) -> str | None:
    """Whether the symbol names its character set: zxing-cpp 3.1 tells only in its hexadecimal ECI text."""
    again = zxingcpp.read_barcodes(
        grey, formats=zxingcpp.BarcodeFormats([barcode.format]), text_mode=zxingcpp.TextMode.HexECI
    )
    same = (other.text for other in again if bytes(other.bytes) == bytes(barcode.bytes))
    return bytes.fromhex(next(same, "")[:8]).decode("ascii", "replace") or None


class ZbarEngine:
    """Needs Debian's libzbar0 beside the package. `make` gives None, and says so once, where it is missing."""

    name = ZBAR
    _told = False
    # Not the DataBars: libzbar 0.23 decodes some characters of the expanded one wrongly and always alike ("9" at the
    # end as "/"), and prints failed assertions on the terminal.
    _SYMBOLS = ("EAN13", "EAN8", "UPCE", "I25", "CODE128", "CODE39", "QRCODE")

    def __init__(self, pyzbar: ModuleType) -> None:
        self._decode = pyzbar.decode
        self._symbols = [pyzbar.ZBarSymbol[name] for name in self._SYMBOLS]

    @classmethod
    def make(cls) -> "ZbarEngine | None":
        try:
            # Imported here because the import itself loads the shared library.
            from pyzbar import pyzbar  # noqa: PLC0415
        except (ImportError, OSError):
            if not cls._told:
                log.warning("缺少 libzbar0，少一个识读引擎，其余照常 / libzbar0 is missing: reading without zbar")
            cls._told = True
            return None
        return cls(pyzbar)

    def look(self, grey: Picture) -> list[Sighting]:
        return [
            Sighting(
                ZBAR,
                symbol.type,
                _as_gtin13(symbol.type, symbol.data),
                None,
                tuple((float(p.x), float(p.y)) for p in symbol.polygon),
                quality=int(symbol.quality),
            )
            for symbol in self._decode(grey, self._symbols)[:CODES_PER_LOOK_MAX]
            if len(symbol.data) <= CODE_BYTES_MAX and symbol.type in self._SYMBOLS
        ]


class OpencvBarcodeEngine:
    """Not its QR detector: of 80 photographs with one it read none that zxing and zbar left, at three times the time."""

    name = OPENCV
    _NAMES = {"EAN_13": "EAN13", "EAN_8": "EAN8", "UPC_A": "EAN13", "UPC_E": "UPCE"}  # noqa: RUF012
    # The detector's own pyramid fails an assertion on smaller pictures.
    _SIDE_MIN = 40

    def __init__(self) -> None:
        self._detector = cv2.barcode.BarcodeDetector()

    def look(self, grey: Picture) -> list[Sighting]:
        if min(grey.shape) < self._SIDE_MIN:
            return []
        try:
            found, texts, kinds, quads = self._detector.detectAndDecodeWithType(grey)
        except cv2.error:
            return []  # A picture on which a matrix assertion of OpenCV fails is one that it cannot read.
        if not found:
            return []
        return [
            Sighting(OPENCV, self._NAMES[kind], _as_gtin13(self._NAMES[kind], text.encode()), None, _corners(quad))
            for text, kind, quad in zip(texts[:CODES_PER_LOOK_MAX], kinds, quads, strict=False)
            if text.isdecimal() and kind in self._NAMES
        ]


def _corners(quad: object) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in np.asarray(quad, dtype=np.float64).reshape(-1, 2))


def _as_gtin13(symbology: str, data: bytes) -> bytes:
    """UPC-A and UPC-E as ISO/IEC 15424 `]E0` sends them: expanded, 13 digits (GS1 General Specifications 5.2.2.4)."""
    if symbology == "UPCE" and len(data) == 8:  # noqa: PLR2004
        return expand_upce(data)
    if symbology == "EAN13" and len(data) == 12:  # noqa: PLR2004
        return b"0" + data
    return data


def expand_upce(data: bytes) -> bytes:
    """Eight digits (number system, six, check) to the 13 of the same GTIN."""
    system, six, check, last = data[:1], data[1:7], data[7:8], data[6:7]
    if last in b"012":
        body = six[:2] + last + b"0000" + six[2:5]
    elif last == b"3":
        body = six[:3] + b"00000" + six[3:5]
    elif last == b"4":
        body = six[:4] + b"00000" + six[4:5]
    else:
        body = six[:5] + b"0000" + last
    return b"0" + system + body + check
