"""Views: the same picture made easier in different ways. Each knows its way back to the picture's coordinates."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from scanner.decode.limits import VIEW_PIXELS_MAX, WORKING_PIXELS_MAX
from scanner.decode.model import Picture

Affine = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """`family`: views of one family repeat each other's mistakes, and count as one witness of an engine."""

    name: str
    family: str
    image: Picture
    to_picture: Affine


def luminance(image: Picture) -> Picture:
    if image.ndim == 2:  # noqa: PLR2004
        return np.ascontiguousarray(image)
    return cast("Picture", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def working(grey: Picture) -> tuple[Picture, float]:
    """The picture within WORKING_PIXELS_MAX, and its scale (at most 1)."""
    if grey.size <= WORKING_PIXELS_MAX:
        return grey, 1.0
    scale = (WORKING_PIXELS_MAX / grey.size) ** 0.5
    return _resize(grey, scale), scale


class Views:
    """Makes each view once, when asked for."""

    def __init__(self, image: Picture) -> None:
        self._grey, self._scale = working(luminance(image))
        self._enlarged = cache(self._enlarge)

    def view(self, name: str) -> View | None:
        """None: this view would be too large."""
        family, zoom, make = RECIPES[name]
        if self._grey.size * zoom * zoom > VIEW_PIXELS_MAX:
            return None
        image, extra = make(self._enlarged(zoom))
        back = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float64) if extra is None else extra
        return View(name, family, image, back / (zoom * self._scale))

    def _enlarge(self, zoom: float) -> Picture:
        return self._grey if zoom == 1 else _resize(self._grey, zoom)


def _resize(grey: Picture, scale: float) -> Picture:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cast("Picture", cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how))


Made = tuple[Picture, Affine | None]


def _as_is(grey: Picture) -> Made:
    return grey, None


def _contrast(grey: Picture) -> Made:
    return cast("Picture", cv2.createCLAHE(3.0, (8, 8)).apply(grey)), None


def _threshold(block: int, offset: int) -> Callable[[Picture], Made]:
    def make(grey: Picture) -> Made:
        how = cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        return cast("Picture", cv2.adaptiveThreshold(grey, 255, how, cv2.THRESH_BINARY, block, offset)), None

    return make


def _averaged(width: int, height: int) -> Callable[[Picture], Made]:
    return lambda grey: (cast("Picture", cv2.blur(grey, (width, height))), None)


def _sharpened(amount: float, sigma: float, smooth: tuple[int, int] = (1, 1)) -> Callable[[Picture], Made]:
    def make(grey: Picture) -> Made:
        base = grey if smooth == (1, 1) else cv2.blur(grey, smooth)
        soft = cv2.GaussianBlur(base, (0, 0), sigma)
        return cast("Picture", cv2.addWeighted(base, 1 + amount, soft, -amount, 0)), None

    return make


def _closed(grey: Picture) -> Made:
    return cast("Picture", cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))), None


def _otsu(grey: Picture) -> Made:
    return cast("Picture", cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1]), None


def _smooth(grey: Picture) -> Made:
    return cast("Picture", cv2.GaussianBlur(grey, (0, 0), 1.5)), None


def _turned(degrees: float) -> Callable[[Picture], Made]:
    def make(grey: Picture) -> Made:
        height, width = grey.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
        size = (int(height * sin + width * cos), int(height * cos + width * sin))
        turn[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
        made = cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return cast("Picture", made), np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64)

    return make


def _quarter(grey: Picture) -> Made:
    made = cv2.rotate(grey, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return cast("Picture", made), np.array([[0, -1, grey.shape[1] - 1], [1, 0, 0]], dtype=np.float64)


# Of each: its family, its zoom, and how it is made of the zoomed picture.
RECIPES: dict[str, tuple[str, float, Callable[[Picture], Made]]] = {
    "as_is": ("plain", 1, _as_is),
    "half": ("half", 0.5, _as_is),
    "x2": ("enlarged", 2, _as_is),
    "x3": ("enlarged", 3, _as_is),
    "x2_closed": ("closed", 2, _closed),
    "clahe": ("contrast", 1, _contrast),
    "x2_clahe": ("contrast", 2, _contrast),
    "threshold": ("threshold", 1, _threshold(31, 5)),
    "x2_threshold": ("threshold", 2, _threshold(41, 3)),
    "x2_otsu": ("otsu", 2, _otsu),
    "x2_rows": ("averaged", 2, _averaged(1, 15)),
    "x2_columns": ("averaged", 2, _averaged(15, 1)),
    "x2_sharp": ("sharp", 2, _sharpened(3, 3)),
    "x3_rows_sharp": ("sharp_rows", 3, _sharpened(4, 4, (1, 21))),
    "x3_columns_sharp": ("sharp_rows", 3, _sharpened(4, 4, (21, 1))),
    "smooth": ("smooth", 1, _smooth),
    "turned_90": ("plain", 1, _quarter),
    "turned_45": ("turned_45", 1, _turned(45)),
    "turned_20": ("turned_20", 1, _turned(20)),
    "turned_-20": ("turned_-20", 1, _turned(-20)),
}
