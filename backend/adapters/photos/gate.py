"""Which bytes may be unpacked as a picture at all. Pure: nothing is unpacked here.

JPEG and PNG alone, from their first byte to their last: what follows the picture, or hides another kind of file in its
remarks, is not handed on. Formats by their own marks; what the sender calls the file counts for nothing.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from backend.kernel.errors import DomainError

BYTES_MAX: Final = 8 * 2**20
PIXELS_MAX: Final = 20_000_000
SIDE_MAX: Final = 12_000
PARTS_MAX: Final = 5_000
"""Segments or chunks; cameras write some hundreds at most."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_OF_ANOTHER_KIND: Final = re.compile(
    rb"PK\x03\x04|PK\x05\x06|%PDF-|GIF8[79]a|<svg|<script|<html|<\?php|Rar!|7z\xbc\xaf", re.IGNORECASE
)
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_END, _SCAN = 0xD9, 0xDA
_REMARKS: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
_PREFIX: Final = re.compile(rb"\xff+")
"""Of a marker, with the bytes that may fill up before it."""
_AFTER_A_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


class PhotoTooLarge(DomainError):
    code = "photo-too-large"
    text_zh = "照片太大：最多 8 MB、2000 万像素。请缩小后再发。"
    text_en = "The photo is too large: at most 8 MB and 20 megapixels."


class PhotoNotAPicture(DomainError):
    code = "photo-not-a-picture"
    text_zh = "这不是完整的 JPEG 或 PNG 图片，请重新拍一张。"
    text_en = "This is not a whole JPEG or PNG picture; please take another."


class PhotoNotAlone(DomainError):
    code = "photo-not-alone"
    text_zh = "文件里除了图片还有别的内容，未予识读。"
    text_en = "The file holds more than a picture; it was not read."


class Part(NamedTuple):
    """A segment or chunk: `kind` its marker or type, `body` its content, `end` where the next begins."""

    kind: int | bytes
    body: bytes
    end: int


def check(content: bytes) -> None:
    """Raises PhotoTooLarge, PhotoNotAPicture, PhotoNotAlone."""
    if len(content) > BYTES_MAX:
        raise PhotoTooLarge
    try:
        if content.startswith(_PNG):
            _check_png(content)
        elif content.startswith(_JPEG):
            _check_jpeg(content)
        else:
            raise PhotoNotAPicture
    except (struct.error, IndexError):
        raise PhotoNotAPicture from None


def _check_jpeg(content: bytes) -> None:
    size, end = None, 0
    for part in _segments(content):
        if part.kind in _SIZES and size is None:
            height, width = struct.unpack_from(">HH", part.body, 1)
            size = (width, height)
        if part.kind in _REMARKS and _OF_ANOTHER_KIND.search(part.body):
            raise PhotoNotAlone
        end = part.end
    _settle(size, end, len(content))


def _segments(content: bytes) -> Iterator[Part]:
    """ITU-T T.81, annex B, from the first marker to the end of the image. What a scan holds is not looked at."""
    at = 2
    for _part in range(PARTS_MAX):
        prefix = _PREFIX.match(content, at)
        if prefix is None:
            raise PhotoNotAPicture
        at = prefix.end() - 1
        kind = content[at + 1]
        if kind == _END:
            yield Part(kind, b"", at + 2)
            return
        length = 0 if kind in _ALONE else struct.unpack_from(">H", content, at + 2)[0]
        body, at = content[at + 4 : at + 2 + length], at + 2 + length
        if kind == _SCAN:
            found = _AFTER_A_SCAN.search(content, at)
            if found is None:
                raise PhotoNotAPicture
            at = found.start()
        yield Part(kind, body, at)
    raise PhotoNotAPicture


def _check_png(content: bytes) -> None:
    size, end = None, 0
    for part in _chunks(content):
        if part.kind == b"IHDR" and size is None:
            size = struct.unpack_from(">II", part.body)
        if part.kind != b"IDAT" and _OF_ANOTHER_KIND.search(part.body):
            raise PhotoNotAlone
        end = part.end
    _settle(size, end, len(content))


def _chunks(content: bytes) -> Iterator[Part]:
    """PNG (third edition), section 5.3: up to IEND."""
    at = len(_PNG)
    for _part in range(PARTS_MAX):
        length, kind = struct.unpack_from(">I4s", content, at)
        if at == len(_PNG) and kind != b"IHDR":
            raise PhotoNotAPicture
        body, at = content[at + 8 : at + 8 + length], at + 12 + length
        yield Part(kind, body, at)
        if kind == b"IEND":
            return
    raise PhotoNotAPicture


def _settle(size: tuple[int, ...] | None, end: int, length: int) -> None:
    if size is None or min(size) < 1 or end > length:
        raise PhotoNotAPicture
    width, height = size
    if width * height > PIXELS_MAX or max(size) > SIDE_MAX:
        raise PhotoTooLarge
    if end != length:
        raise PhotoNotAlone
