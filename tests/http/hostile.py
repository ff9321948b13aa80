"""Files that pretend to be photos: bombs of pixels and of compression, other kinds, two kinds in one, broken ones."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

PNG = b"\x89PNG\r\n\x1a\n"
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<html><script>alert(1)</script></html>"


def picture(suffix: str = ".jpg", side: int = 64) -> bytes:
    fine, content = cv2.imencode(suffix, np.full((side, side, 3), 200, np.uint8))
    assert fine
    return content.tobytes()


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return struct.pack(">I", size) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes = b"", *, depth: int = 8, colour: int = 2, more: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG + head + more + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")


def segment(marker: int, body: bytes, length: int | None = None) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2 if length is None else length) + body


def jpeg(width: int, height: int, *, remarks: bytes = b"") -> bytes:
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00")
    return SOI + remarks + frame + segment(0xDA, b"\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00") + b"\x00" * 64 + EOI


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 10**6)
    return held.getvalue()


def hostile() -> Iterator[tuple[str, bytes]]:
    yield from _other_kinds()
    yield from _bombs()
    yield from _two_kinds_in_one()
    yield from _broken()


def _other_kinds() -> Iterator[tuple[str, bytes]]:
    gif = (
        b"GIF89a"
        + struct.pack("<HH", 1, 1)
        + b"\x80\x00\x00"
        + b"\xff" * 6
        + b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    )
    yield "zip", zipped()
    yield "gzip", gzip.compress(b"\0" * 10**6)
    yield "gif89a", gif
    yield "gif87a", b"GIF87a" + gif[6:]
    yield "svg", SVG
    yield "svg with a declaration", b'<?xml version="1.0"?>' + SVG
    yield "html", HTML
    yield "pdf", b"%PDF-1.7\n%%EOF"
    yield "bmp", picture(".bmp")
    yield "webp", picture(".webp")
    yield "tiff", picture(".tiff")
    yield "heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    yield "elf", b"\x7fELF\x02\x01\x01" + b"\0" * 64
    yield "icon", b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0"
    yield "nothing", b""
    yield "text", "照片".encode()
    yield "php", b"<?php system($_GET['c']); ?>"


def _bombs() -> Iterator[tuple[str, bytes]]:
    yield "png of 4 gigapixels", png(65_535, 65_535)
    yield "png of 2 ** 62 pixels", png(2**31 - 1, 2**31 - 1)
    yield "png just too wide", png(20_000_001, 1)
    yield "png too tall", png(1, 12_001)
    yield "png without pixels", png(0, 0)
    yield (
        "png of 20 megapixels, 16 bits and see-through",
        png(4_400, 4_400, b"\0" * (4_400 * 8 + 1) * 4_400, depth=16, colour=6),
    )
    yield "jpeg of 4 gigapixels", jpeg(65_500, 65_500)
    yield "jpeg too wide", jpeg(65_535, 1)
    yield "jpeg without lines", jpeg(100, 0)
    yield "png remark of a gigabyte", png(8, 8, more=chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 10**6) * 64))[:-12]
    yield "more bytes than a photo has", picture() + b"\0" * (8 * 2**20)


def _two_kinds_in_one() -> Iterator[tuple[str, bytes]]:
    for name, tail in (
        ("zip", zipped()),
        ("html", HTML),
        ("svg", SVG),
        ("pdf", b"%PDF-1.7"),
        ("another picture", picture()),
        ("film", b"\0\0\0\x18ftypmp42"),
        ("a line end", b"\n"),
    ):
        yield f"jpeg and {name}", picture() + tail
        yield f"png and {name}", picture(".png") + tail
    yield "zip and jpeg", zipped() + picture()
    yield "gif and script", b"GIF89a=1;/*" + picture() + b"*/alert(1)"
    yield "jpeg with a script in a remark", jpeg(8, 8, remarks=segment(0xFE, HTML))
    yield "jpeg with a zip in a remark", jpeg(8, 8, remarks=segment(0xE1, zipped()[:60_000]))
    yield "png with php in a remark", png(8, 8, more=chunk(b"tEXt", b"Comment\0<?php phpinfo(); ?>"))
    yield "png with svg in a chunk of its own", png(8, 8, more=chunk(b"svGx", SVG))
    yield "png in a jpeg's clothes", SOI + b"\xff" + picture(".png")


def _broken() -> Iterator[tuple[str, bytes]]:
    whole = picture(".jpg", 200)
    yield "jpeg cut short", whole[: len(whole) // 2]
    yield "jpeg that only begins", SOI + b"\xff"
    yield "jpeg of fill bytes", SOI + b"\xff" * 10**6
    yield "jpeg of a segment without end", SOI + segment(0xE0, b"JFIF", 65_000)
    yield "jpeg of empty segments", SOI + segment(0xE0, b"") * 6_000 + EOI
    yield "jpeg whose segment has no length", SOI + segment(0xE0, b"", 0) * 10 + EOI
    yield "png cut short", picture(".png")[:-20]
    yield "png whose first chunk is another", PNG + chunk(b"IEND", b"")
    yield "png of a chunk of 2 gigabytes", PNG + chunk(b"IHDR", b"\0" * 13, 2**31 - 1)
    yield (
        "png of empty chunks",
        PNG + chunk(b"IHDR", b"\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0") + chunk(b"tEXt", b"") * 6_000,
    )
    yield "png of pixels that do not unpack", png(64, 64)[:60] + b"\0" * 40 + chunk(b"IEND", b"")
