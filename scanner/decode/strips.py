"""Finds where bars may stand in a picture, and reads brightness along them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from scanner.decode.model import Picture
from scanner.decode.symbols import Floats

WORKING_PIXELS_MAX = 160_000
ORIENTATIONS_MAX = 2
STRIPS_MAX = 12
SHORTEST_PX = 57
PAD_PX = 40
BINS = 60
COHERENT = 0.8
# Along bars brightness changes less than across them by at least this.
ACROSS_TO_ALONG = 2.2
ACTIVE_SHARE = 0.22

Affine = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Strip:
    """`profile`: mean brightness of `rows` rows along x, from `left` to `right` of the turned picture.

    Bars fill x = `first` to `last` of it or a part of that. `to_picture` maps turned coordinates.
    """

    profile: Floats
    first: float
    last: float
    left: float
    y: float
    rows: int
    activity: float
    to_picture: Affine

    def corners(self, start: float, stop: float) -> tuple[tuple[float, float], ...]:
        """Of the stretch `start` to `stop` of the profile, in the picture."""
        half = self.rows / 2
        x0, x1 = self.left + start, self.left + stop
        turned = np.array([(x0, self.y - half), (x1, self.y - half), (x1, self.y + half), (x0, self.y + half)])
        mapped = turned @ self.to_picture[:, :2].T + self.to_picture[:, 2]
        return tuple((float(x), float(y)) for x, y in mapped)


def find_strips(grey: Picture) -> list[Strip]:
    """The most active stretches of bars in the main orientations of the picture, at most STRIPS_MAX."""
    scale = min(1.0, (WORKING_PIXELS_MAX / grey.size) ** 0.5)
    small = (
        grey
        if scale == 1
        else cast("Picture", cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    )
    found: list[Strip] = []
    for degrees in _orientations(small):
        turned, back = _turn(small, degrees)
        found += _strips(turned, back / scale)
    return _spread(sorted(found, key=lambda strip: -strip.activity))


def _orientations(grey: Picture) -> list[float]:
    """Directions across the bars, degrees in (-90, 90], by the structure tensor's coherent energy."""
    soft = cv2.GaussianBlur(grey, (0, 0), 1.2).astype(np.float32)
    gx, gy = cv2.Scharr(soft, cv2.CV_32F, 1, 0), cv2.Scharr(soft, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.blur(product, (9, 9)) for product in (gx * gx, gy * gy, gx * gy))
    along = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    weight = np.where(along > COHERENT * (xx + yy + 1), np.sqrt(along), 0)
    angle = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) % 180
    energy, _ = np.histogram(angle, bins=BINS, range=(0, 180), weights=weight)
    return [degrees if degrees <= 90 else degrees - 180 for degrees in _peaks(energy)]  # noqa: PLR2004


def _peaks(energy: Floats) -> Iterator[float]:
    smooth = energy + np.roll(energy, 1) + np.roll(energy, -1)
    for _ in range(ORIENTATIONS_MAX):
        top = int(smooth.argmax())
        if smooth[top] <= 0.1 * energy.sum():
            return
        near = energy[[(top - 1) % BINS, top, (top + 1) % BINS]]
        offset = float(near @ np.array([-1, 0, 1]) / near.sum())
        yield ((top + offset + 0.5) * 180 / BINS) % 180
        smooth[[(top + step) % BINS for step in range(-4, 5)]] = 0


def _turn(grey: Picture, degrees: float) -> tuple[Picture, Affine]:
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = (int(height * sin + width * cos), int(height * cos + width * sin))
    turn[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    made = cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cast("Picture", made), np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64)


def _strips(turned: Picture, back: Affine) -> Iterator[Strip]:
    height, width = turned.shape
    soft = cv2.GaussianBlur(turned, (0, 0), 1.0).astype(np.float32)
    rows, window = max(5, height // 24) | 1, max(13, width // 22) | 1
    across = cv2.blur(np.abs(cv2.Scharr(soft, cv2.CV_32F, 1, 0)), (window, rows))
    along = cv2.blur(np.abs(cv2.Scharr(soft, cv2.CV_32F, 0, 1)), (window, rows))
    active = (across > ACROSS_TO_ALONG * along) & (across > ACTIVE_SHARE * np.percentile(across, 98))
    joined = cv2.morphologyEx(active.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, window), np.uint8))
    for y in range(rows // 2, height - rows // 2, max(2, rows * 2 // 3)):
        ends = np.flatnonzero(np.diff(np.concatenate([[0], joined[y], [0]]).astype(np.int8)))
        for first, last in zip(ends[::2], ends[1::2], strict=True):
            if last - first >= SHORTEST_PX:
                mean = turned[y - rows // 2 : y + rows // 2 + 1].astype(np.float64).mean(axis=0)
                activity = float(across[y, first:last].mean()) * min(int(last - first), 300)
                profile = np.pad(mean, PAD_PX, mode="edge")
                yield Strip(profile, first + PAD_PX, last + PAD_PX, -PAD_PX, y, rows, activity, back)


def _spread(strips: list[Strip]) -> list[Strip]:
    """Leaves out those that lie on one already taken: neighbours say the same."""
    taken: list[Strip] = []
    for strip in strips:
        near = (
            strip.to_picture is other.to_picture
            and abs(strip.y - other.y) < strip.rows
            and abs(strip.first - other.first) < 20  # noqa: PLR2004
            for other in taken
        )
        if not any(near):
            taken.append(strip)
    return taken[:STRIPS_MAX]
