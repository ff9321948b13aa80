"""Label pictures as a camera at a till sees them: printed card, perspective, blur, uneven light, noise. Seeded.

The characters come from the font that OpenCV carries; no font of the machine is needed.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

Picture = npt.NDArray[np.uint8]
Symbology = Literal["EAN13", "CODE128", "QRCODE", "GS1_DATAMATRIX"]

SCENE = (960, 1280)  # rows, columns
CARD_SIDE = 520
INK, FAINT, BAND = (30, 30, 30), (110, 110, 110), (70, 140, 60)
FRAMES_PER_S = 10
FRAMES_PER_LABEL = 14
GAP_FRAMES = 3
GRAIN_SHIFT_MAX = 64
_FORMATS = {
    "EAN13": zxingcpp.BarcodeFormat.EAN13,
    "CODE128": zxingcpp.BarcodeFormat.Code128,
    "QRCODE": zxingcpp.BarcodeFormat.QRCode,
    "GS1_DATAMATRIX": zxingcpp.BarcodeFormat.DataMatrix,
}


@dataclass(frozen=True, slots=True)
class Hardship:
    """How badly a picture is taken: corners moved by a share of the card, Gaussian blur in pixels, noise in grey levels,
    the darkest corner's share of the light.
    """

    tilt: float = 0.05
    blur_px: float = 0.8
    noise: float = 5.0
    shade: float = 0.65


EASY = Hardship(tilt=0.02, blur_px=0.4, noise=2.0, shade=0.9)
USUAL = Hardship()
HARD = Hardship(tilt=0.09, blur_px=1.3, noise=9.0, shade=0.5)


def label_card(symbology: Symbology, code: str, title: str, caption: str) -> Picture:
    """A white card, 520 pixels wide, with the title in a green band, the symbol, and what is printed under it."""
    symbol = _symbol(symbology, code)
    card = np.full((150 + symbol.shape[0], CARD_SIDE, 3), 255, np.uint8)
    card[:52] = BAND
    _write(card, title, (18, 36), (255, 255, 255), 24)
    left = (CARD_SIDE - symbol.shape[1]) // 2
    card[70 : 70 + symbol.shape[0], left : left + symbol.shape[1]] = symbol[:, :, None]
    _write(card, caption, (18, 70 + symbol.shape[0] + 32), INK, 18)
    _write(card, code.replace("\x1d", " ")[:52], (18, 70 + symbol.shape[0] + 60), FAINT, 14)
    return card


def photograph(card: Picture, seed: int, hardship: Hardship = USUAL) -> Picture:
    """The card somewhere on a counter; the same seed gives the same pixels."""
    chance = np.random.default_rng(seed)
    scene, corners = _counter(chance), _corners(card, chance, hardship)
    return _Camera(chance, hardship).take(_laid(scene, card, corners))


def write_picture(path: Path, picture: Picture, *, quality: int = 88) -> None:
    """JPEG, complete or absent: a till may be watching the folder."""
    fine, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert fine
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content.tobytes())
    os.replace(partial, path)  # noqa: PTH105 - the point is the replacing


def write_video(path: Path, cards: Sequence[Picture], seed: int, hardship: Hardship = EASY) -> None:
    """Labels carried through the view one after another, Motion JPEG in AVI, an empty counter between them."""
    chance = np.random.default_rng(seed)
    rows, columns = SCENE
    partial = path.with_name(f"partial-{path.name}")
    video = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*"MJPG"), FRAMES_PER_S, (columns, rows))
    counter, camera = _counter(chance), _Camera(chance, hardship)
    for card in cards:
        corners = _corners(card, chance, hardship)
        for step in range(FRAMES_PER_LABEL):
            travelled = np.array([(step / (FRAMES_PER_LABEL - 1) - 0.5) * 1.5 * columns, 0.0], np.float32)
            video.write(camera.take(_laid(counter, card, corners + travelled)))
        for _gap in range(GAP_FRAMES):
            video.write(camera.take(counter))
    video.release()
    os.replace(partial, path)  # noqa: PTH105 - the point is the replacing


def _symbol(symbology: Symbology, code: str) -> Picture:
    options = {"gs1": True} if symbology == "GS1_DATAMATRIX" else {}
    made = zxingcpp.create_barcode(code, _FORMATS[symbology], **options)
    small = np.array(made.to_image(scale=1, add_quiet_zones=True), np.uint8)
    linear = symbology in {"EAN13", "CODE128"}
    scale = max(2, (CARD_SIDE - 40 if linear else 300) // small.shape[1])
    grown = np.array(made.to_image(scale=scale, add_quiet_zones=True), np.uint8)
    bars: Picture = grown[: 150 if linear else None]
    return bars


def _write(card: Picture, text: str, at: tuple[int, int], colour: tuple[int, int, int], size: int) -> None:
    cv2.putText(card, text, at, colour, cv2.FontFace("uni"), size)


def _counter(chance: np.random.Generator) -> Picture:
    """A brushed counter: streaks of a warm grey."""
    rows, columns = SCENE
    streaks = cv2.blur(chance.standard_normal((rows, columns), np.float32) * 26, (61, 1))
    base = np.array([128, 138, 146], np.float32) + chance.standard_normal(3, np.float32) * 6
    counter: Picture = np.clip(base + streaks[:, :, None], 0, 255).astype(np.uint8)
    return counter


def _corners(card: Picture, chance: np.random.Generator, hardship: Hardship) -> npt.NDArray[np.float32]:
    rows, columns = SCENE
    height, width = card.shape[:2]
    size = float(chance.uniform(1.15, 1.45))
    square = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], np.float32) * size / 2
    angle = float(chance.normal(0, 60 * hardship.tilt)) * np.pi / 180
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    bent = square @ turn + chance.uniform(-1, 1, (4, 2)).astype(np.float32) * hardship.tilt * width
    centre = np.array([columns / 2, rows / 2]) + chance.uniform(-1, 1, 2) * (60, 40)
    corners: npt.NDArray[np.float32] = (bent + centre).astype(np.float32)
    return corners


def _laid(scene: Picture, card: Picture, corners: npt.NDArray[np.float32]) -> Picture:
    rows, columns = SCENE
    height, width = card.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    bend = cv2.getPerspectiveTransform(flat, corners)
    laid = cv2.warpPerspective(card, bend, (columns, rows), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), bend, (columns, rows))
    covered = np.asarray(mask)[:, :, None] >= 128  # noqa: PLR2004 - at least half
    return np.where(covered, laid, scene).astype(np.uint8)


class _Camera:
    """Lens, lamp and sensor: the light falls off and the grain moves about from frame to frame."""

    def __init__(self, chance: np.random.Generator, hardship: Hardship) -> None:
        rows, columns = SCENE
        across = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
        down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        light = 1 - (1 - hardship.shade) * (0.6 * across + 0.4 * down)
        self._light = np.repeat(light[:, :, None], 3, axis=2)
        size = (rows + GRAIN_SHIFT_MAX, columns + GRAIN_SHIFT_MAX, 1)
        grain = chance.standard_normal(size, np.float32) * hardship.noise
        self._grain = np.repeat(grain.astype(np.int16), 3, axis=2)
        self._blur_px = hardship.blur_px
        self._chance = chance

    def take(self, scene: Picture) -> Picture:
        rows, columns = SCENE
        down, right = (int(shift) for shift in self._chance.integers(0, GRAIN_SHIFT_MAX, 2))
        grain = self._grain[down : down + rows, right : right + columns]
        soft = cv2.GaussianBlur(scene, (0, 0), self._blur_px)
        lit = cv2.multiply(soft, self._light, dtype=cv2.CV_8U)
        return np.asarray(cv2.add(lit, np.ascontiguousarray(grain), dtype=cv2.CV_8U), np.uint8)
