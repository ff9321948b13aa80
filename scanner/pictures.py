"""Picture files: found in order, measured before they are unpacked, unpacked or refused by name."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from scanner.decode.limits import (
    FILE_BYTES_MAX,
    FOLDER_FILES_MAX,
    IMAGE_SUFFIXES,
    PICTURE_PIXELS_MAX,
    PICTURE_SIDE_MAX,
)
from scanner.decode.model import Picture
from scanner.errors import TillRefusal


class PictureMissing(TillRefusal):
    code = "picture_missing"
    text_zh = "没有这个文件，或者不可读取。"
    text_en = "There is no such file, or it may not be read."


class PictureNotAFile(TillRefusal):
    code = "picture_not_a_file"
    text_zh = "这不是普通文件。"
    text_en = "This is not a regular file."


class PictureTooLarge(TillRefusal):
    code = "picture_too_large"
    text_zh = "图片过大：{found}，上限 {limit}。"
    text_en = "The picture is too large: {found}, at most {limit}."


class PictureUnreadable(TillRefusal):
    code = "picture_unreadable"
    text_zh = "不是可识别的图片，或者文件已损坏。"
    text_en = "This is no picture of a known format, or it is damaged."


class TooManyPictures(TillRefusal):
    code = "too_many_pictures"
    text_zh = "文件夹中的图片超过 {limit} 张，其余未读。"
    text_en = "The folder holds more than {limit} pictures; the rest was not read."


@dataclass(frozen=True, slots=True)
class PictureFile:
    """`name`: the path below the folder that was asked for, with forward slashes; a single file's path as given."""

    name: str
    path: Path


def find_pictures(root: Path) -> Iterator[PictureFile]:
    """In sorted order. Links to folders are not followed. Raises TooManyPictures after FOLDER_FILES_MAX."""
    if not root.is_dir():
        yield PictureFile(root.as_posix(), root)
        return
    names = sorted(
        (Path(folder) / file).relative_to(root).as_posix()
        for folder, _, files in os.walk(root)
        for file in files
        if file.lower().endswith(IMAGE_SUFFIXES)
    )
    for name in names[:FOLDER_FILES_MAX]:
        yield PictureFile(name, root / name)
    if len(names) > FOLDER_FILES_MAX:
        raise TooManyPictures(limit=FOLDER_FILES_MAX)


def load_picture(path: Path) -> Picture:
    """Grey or BGR, 8 bits. Raises a TillRefusal for what is missing, too large or no picture."""
    return unpack_picture(_content(path))


def unpack_picture(content: bytes) -> Picture:
    size = measure(content)
    if size is None or min(size) < 1:
        raise PictureUnreadable
    width, height = size
    if width * height > PICTURE_PIXELS_MAX or max(size) > PICTURE_SIDE_MAX:
        raise PictureTooLarge(found=f"{width} x {height}", limit=f"{PICTURE_PIXELS_MAX // 1_000_000} MP")
    try:
        image = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        raise PictureUnreadable from None
    if image is None:
        raise PictureUnreadable
    return _plain(image)


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise PictureNotAFile
        size_bytes = path.stat().st_size
        if size_bytes > FILE_BYTES_MAX:
            raise PictureTooLarge(found=f"{size_bytes} B", limit=f"{FILE_BYTES_MAX // 2**20} MiB")
        return path.read_bytes()
    except OSError:
        raise PictureMissing from None


_BGRA = 4
_COLOURED = 3


def _plain(image: np.ndarray) -> Picture:
    """8 bits, without transparency: a code drawn on nothing is meant to lie on white."""
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise PictureUnreadable
    if image.ndim == _COLOURED and image.shape[2] == _BGRA:
        alpha = image[:, :, 3:].astype(np.uint16)
        image = ((image[:, :, :3] * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8)
    return cast("Picture", image)


def measure(content: bytes) -> tuple[int, int] | None:
    """Width and height as the header states them, without unpacking a pixel; None for no known format."""
    for magic, read in _HEADERS:
        if content.startswith(magic):
            try:
                return read(content)
            except (struct.error, IndexError):
                return None
    return None


def _png(content: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from(">II", content, 16)
    return (width, height) if content[12:16] == b"IHDR" else None


def _bmp(content: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from("<ii", content, 18)
    return abs(width), abs(height)


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if content[8:12] != b"WEBP":
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """The first frame header (ITU-T T.81 B.2.2); the segments before it are at most the file long."""
    at = 2
    while content[at] == 0xFF:  # noqa: PLR2004 - the marker prefix
        marker = content[at + 1]
        if marker in _SOF:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        if marker == 0xFF:  # noqa: PLR2004 - fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return None


_HEADERS = ((b"\x89PNG\r\n\x1a\n", _png), (b"\xff\xd8", _jpeg), (b"RIFF", _webp), (b"BM", _bmp))
