"""Codes that arrive as text: lines of readers and of the shop's till. Pure."""

import base64
import binascii
import re
from collections.abc import Mapping

import orjson

from scanner.sources.model import (
    ButtonPressed,
    CashierSeen,
    CodeSeen,
    CodeTooLong,
    FeedEvent,
    FeedLineUnusable,
    FinishSeen,
    PartialCode,
    SlipSeen,
    Unusable,
)

LINE_BYTES_MAX = 16_384
UNKNOWN_SYMBOLOGY = "UNKNOWN"
_AIM = re.compile(r"\](?P<letter>[ACEFGILQXdez])[0-9A-Za-z]")
# ISO/IEC 15424: the letter names the symbology; the modifier after E tells an EAN-8 from the longer ones.
_SYMBOLOGIES = {
    "A": "CODE39",
    "C": "CODE128",
    "E": "EAN13",
    "F": "CODABAR",
    "G": "CODE93",
    "I": "I25",
    "L": "PDF417",
    "Q": "QRCODE",
    "X": UNKNOWN_SYMBOLOGY,
    "d": "DATAMATRIX",
    "e": "DATABAR",
    "z": "AZTEC",
}
_FEED_FIELDS = frozenset(
    {"code", "sym", "aim", "raw", "qty", "price_fen", "sn", "cashier", "slip_no", "finish", "button"},
)


class LineBuffer:
    """Cuts bytes into lines at CR or LF. What a pause leaves without its end is dropped, never taken for a code:
    half a code is a wrong code.
    """

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        self._max = line_bytes_max
        self._held = bytearray()
        self._overlong = False

    @property
    def holds_a_part(self) -> bool:
        return bool(self._held) or self._overlong

    def feed(self, chunk: bytes) -> list[bytes | Unusable]:
        found: list[bytes | Unusable] = []
        for piece in re.split(rb"(\r\n|\r|\n)", chunk):
            if piece not in {b"\r\n", b"\r", b"\n"}:
                self._hold(piece)
            elif self._overlong:
                found.append(Unusable(CodeTooLong(size_max=self._max)))
                self._drop()
            elif self._held:
                found.append(bytes(self._held))
                self._drop()
        return found

    def give_up(self) -> Unusable | None:
        """After a pause, or at the end of the stream."""
        size = len(self._held)
        held = self.holds_a_part
        self._drop()
        return Unusable(PartialCode(size=size)) if held else None

    def last_line(self) -> bytes | None:
        """At the end of a file: what stands there without a newline is whole."""
        line, overlong = bytes(self._held), self._overlong
        self._drop()
        return line if line and not overlong else None

    def _hold(self, piece: bytes) -> None:
        if self._overlong or len(self._held) + len(piece) > self._max:
            self._held.clear()
            self._overlong = True
        else:
            self._held += piece

    def _drop(self) -> None:
        self._held.clear()
        self._overlong = False


def code_seen(data: bytes, *, src: str, mono_ms: int) -> CodeSeen:
    """A code as a reader sent it: an AIM identifier before it is taken off, text is UTF-8 or else GB18030."""
    text = printable(data)
    aim = _AIM.match(text)
    if aim is None:
        return CodeSeen(code=text, symbology=UNKNOWN_SYMBOLOGY, raw=_raw(data, text), src=src, mono_ms=mono_ms)
    code = text[aim.end() :]
    symbology = "EAN8" if aim[0] == "]E4" else _SYMBOLOGIES[aim["letter"]]
    raw = _raw(data[len(aim[0]) :], code)
    return CodeSeen(code=code, symbology=symbology, aim=aim[0], raw=raw, src=src, mono_ms=mono_ms)


def printable(data: bytes) -> str:
    """UTF-8, else GB18030 with U+FFFD for what is neither."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def feed_events(line: bytes, *, src: str, mono_ms: int) -> list[FeedEvent]:
    """A line of standard input: a plain code, or the shop's till as a JSON object.

    `{"code", "sym"?, "aim"?, "raw"? (base64), "qty"?, "price_fen"?, "sn"?, "cashier"?, "slip_no"?, "finish"?,
    "button"?}`;
    without `code` the others stand alone. A line that begins with { and is no such object is refused, not read.
    """
    if not line.startswith(b"{"):
        return [code_seen(line, src=src, mono_ms=mono_ms)]
    try:
        fields = _checked(orjson.loads(line))
        code = _code(fields, src, mono_ms)
    except orjson.JSONDecodeError:
        return [Unusable(FeedLineUnusable(reason="JSON"))]
    except FeedLineUnusable as refusal:
        return [Unusable(refusal)]
    events: list[FeedEvent] = []
    if "cashier" in fields:
        events.append(CashierSeen(str(fields["cashier"])))
    events += [SlipSeen(str(fields["slip_no"]))] if "slip_no" in fields else []
    events += [code] if code is not None else []
    events += [FinishSeen()] if fields.get("finish") else []
    events += [ButtonPressed()] if fields.get("button") else []
    return events


_TYPES: Mapping[str, type] = {"qty": int, "price_fen": int, "finish": bool, "button": bool}


def _checked(value: object) -> dict[str, object]:
    """Raises FeedLineUnusable."""
    if not isinstance(value, dict):
        raise FeedLineUnusable(reason="JSON")
    fields = {name: field for name, field in value.items() if field is not None}
    for name, field in fields.items():
        if name not in _FEED_FIELDS or type(field) is not _TYPES.get(name, str):
            raise FeedLineUnusable(reason=name)
    return fields


def _code(fields: Mapping[str, object], src: str, mono_ms: int) -> CodeSeen | None:
    if "code" not in fields:
        return None
    aim = fields.get("aim")
    price_fen, qty, serial = fields.get("price_fen"), fields.get("qty", 1), fields.get("sn")
    assert isinstance(qty, int)
    return CodeSeen(
        code=str(fields["code"]),
        symbology=str(fields.get("sym", UNKNOWN_SYMBOLOGY)),
        aim=None if aim is None else str(aim),
        raw=_base64(fields.get("raw")),
        qty=qty,
        price_fen=price_fen if isinstance(price_fen, int) else None,
        sn=None if serial is None else str(serial),
        src=src,
        mono_ms=mono_ms,
    )


def _base64(text: object) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as error:
        raise FeedLineUnusable(reason="raw") from error


def _raw(data: bytes, code: str) -> bytes | None:
    return None if data == code.encode() else data
