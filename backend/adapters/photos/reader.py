"""Hands a photo to the till's own reader of pictures, as a process that is bounded and knows nothing of ours."""

import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import orjson

from backend.adapters.photos.gate import check
from backend.kernel.errors import DomainError

AT_ONCE: Final = 2
"""Of one server process: the rest of its threads go on answering everyone else."""
PATIENCE_S: Final = 15.0
NEEDED: Final = ("scanner", "cv2", "zxingcpp", "numpy")

Code = dict[str, str | None]
"""`code` (text) or `code_b64`, `symbology`, `aim`."""


class PhotoUnreadable(DomainError):
    code = "photo-unreadable"
    text_zh = "这张照片打不开，请重新拍一张。"
    text_en = "This photo cannot be opened; please take another."


class PhotosBusy(DomainError):
    code = "photos-busy"
    text_zh = "正在识读的照片较多，请几秒后再试，或直接输入编号。"
    text_en = "Many photos are being read just now: try again in a few seconds, or type the number."


class PhotosOff(DomainError):
    code = "photos-off"
    text_zh = "这里没有开通照片识读，请用相机或输入编号。"
    text_en = "Photos are not read here; use the camera or type the number."


class PhotoReader:
    def __init__(self, place: Path | None) -> None:
        """`place`: where the till's program lies; None where it is not installed."""
        self._place = place
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def read(self, content: bytes) -> list[Code]:
        """The codes on a photo, none where none was found.

        Raises PhotosOff, PhotoTooLarge, PhotoNotAPicture, PhotoNotAlone, PhotoUnreadable, PhotosBusy.
        """
        if self._place is None:
            raise PhotosOff
        check(content)
        if not self._room.acquire(blocking=False):
            raise PhotosBusy
        try:
            return _read(self._place, content)
        finally:
            self._room.release()


def installed_reader() -> PhotoReader:
    found = [find_spec(name) for name in NEEDED]
    origin = found[0].origin if found[0] is not None else None
    return PhotoReader(Path(origin).parents[1] if origin is not None and None not in found else None)


def _read(place: Path, content: bytes) -> list[Code]:
    """The process is given no setting of ours: nothing in its environment is worth stealing."""
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-s", "-m", "scanner.photo"],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=place,
            env={"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PhotoUnreadable from None
    if done.returncode != 0:
        raise PhotoUnreadable
    codes: list[Code] = orjson.loads(done.stdout)
    return codes
