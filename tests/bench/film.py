"""A film of labels that hands carry past a till's camera, drawn frame by frame; the same seed gives the same pixels.

Hands start and stop with minimum jerk and tremble at rest; the shutter is open for a part of each frame, so speed is
blur; a lamp's reflection lies on the pack or sweeps over it; the lens is out of focus near and far; the sensor has grain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from scanner.decode.model import Picture
from tests.scanner.decode.drawing import barcode, qr

ROWS, COLUMNS = 720, 1280
FOCAL_PX = 1_300.0
SUBFRAMES = 5
DRAWN_MODULE = 4
GRAIN_SHIFT_MAX = 64
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Card:
    """A pack's printed side. `corners`: of the symbol, in pixels of `picture`; `key`: the bytes that it holds."""

    symbology: str
    key: bytes
    picture: Picture
    corners: Floats


@dataclass(frozen=True)
class Pose:
    """Where the symbol's middle is in the frame, how wide a module of its symbol is there, and how it is held (degrees)."""

    x: float
    y: float
    module_px: float = 2.2
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0

    def values(self) -> Floats:
        return np.array([self.x, self.y, self.module_px, self.roll, self.pitch, self.yaw])


@dataclass(frozen=True)
class Glare:
    """A reflection between two times, from one offset off the symbol's middle to another, and back."""

    start_s: float
    stop_s: float
    begin: tuple[float, float]
    end: tuple[float, float]
    size: tuple[float, float] = (150.0, 60.0)
    strength: float = 320.0


@dataclass(frozen=True)
class Carried:
    """A card on its way: poses at times, between them the hand; before the first and after the last it is not there."""

    card: Card
    poses: tuple[tuple[float, Pose], ...]
    tremor_px: float = 2.5
    glares: tuple[Glare, ...] = ()
    phase: float = 0.0

    def pose(self, at_s: float) -> Floats | None:
        if not self.poses[0][0] <= at_s <= self.poses[-1][0]:
            return None
        for (start, one), (stop, two) in zip(self.poses, self.poses[1:], strict=False):
            if at_s <= stop:
                share = (at_s - start) / (stop - start)
                eased = share**3 * (10 + share * (6 * share - 15))
                return one.values() + (two.values() - one.values()) * eased + self._tremor(at_s)
        return None

    def _tremor(self, at_s: float) -> Floats:
        turns = 2 * np.pi * (at_s + self.phase)
        x = np.sin(1.7 * turns) + 0.6 * np.sin(4.3 * turns + 1)
        y = np.cos(1.3 * turns) + 0.6 * np.sin(5.1 * turns)
        return self.tremor_px * np.array([x, y, 0.004 * y, 0.3 * x, 0.4 * y, 0.4 * x])


@dataclass(frozen=True)
class Shot:
    """A stretch of film: what is carried, how much light there is (1: as usual), blur of the lens, grain."""

    carried: tuple[Carried, ...]
    length_s: float
    light: float = 1.0
    blur_px: float = 0.7
    grain: float = 4.0
    exposure_s: float = 0.008


@dataclass(frozen=True)
class Presence:
    """Frames in which the whole symbol is in view, once in and once out."""

    card: Card
    first: int
    last: int


@dataclass
class Film:
    shots: Sequence[Shot]
    seed: int
    frames_per_s: int = 15
    _starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._starts = [0]
        for shot in self.shots:
            self._starts.append(self._starts[-1] + round(shot.length_s * self.frames_per_s))

    def __len__(self) -> int:
        return self._starts[-1]

    def at_ms(self, number: int) -> int:
        return 1000 * number // self.frames_per_s

    def frames(self) -> Iterator[Picture]:
        """BGR, 1280 x 720."""
        chance = np.random.default_rng(self.seed)
        camera = _Camera(chance)
        for shot, start, stop in zip(self.shots, self._starts, self._starts[1:], strict=False):
            for number in range(start, stop):
                yield camera.take(shot, (number - start) / self.frames_per_s)

    def presences(self) -> list[Presence]:
        found = []
        for shot, start, stop in zip(self.shots, self._starts, self._starts[1:], strict=False):
            for carried in shot.carried:
                seen = [n for n in range(start, stop) if _is_whole(carried, shot, (n - start) / self.frames_per_s)]
                if seen:
                    found.append(Presence(carried.card, seen[0], seen[-1]))
        return found


def card(symbology: str, text: str, seed: int) -> Card:
    """The symbol on a printed pack: a heading, lines of words, a table."""
    chance = np.random.default_rng(seed)
    symbol = qr(text, DRAWN_MODULE) if symbology == "QRCODE" else barcode(text, symbology, DRAWN_MODULE, quiet=9)
    if symbology in {"EAN13", "Code128"}:
        symbol = cv2.resize(symbol, (symbol.shape[1], 200), interpolation=cv2.INTER_NEAREST)
    height, width = symbol.shape
    above = 120
    picture = np.full((height + 270, max(width + 80, 420)), chance.integers(205, 250), np.uint8)
    left = (picture.shape[1] - width) // 2
    picture[: above - 50] = chance.integers(60, 130)
    _words(picture, chance, 48, 235)
    picture[above : above + height, left : left + width] = symbol
    for line in range(4):
        _words(picture, chance, above + height + 30 + 32 * line, 50)
    edge, ends = (4 * DRAWN_MODULE,) * 2 if symbology == "QRCODE" else (9 * DRAWN_MODULE, 0)
    box = np.array(
        [[left, above], [left + width, above], [left + width, above + height], [left, above + height]], float
    )
    inner = box + np.array([[edge, ends], [-edge, ends], [-edge, -ends], [edge, -ends]])
    key = f"01{text}".encode() if symbology == "DataBar" else text.encode()
    return Card(symbology, key, picture, inner)


def _words(picture: Picture, chance: np.random.Generator, y: int, grey: int) -> None:
    words = "".join(chance.choice(list("ABCDEGHKLMNRST1lmnu  /"), picture.shape[1] // 17))
    cv2.putText(picture, words, (20, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, [grey], 2)


def _homography(carried: Carried, pose: Floats) -> Floats:
    """From the card's pixels to the frame's: turned about its symbol's middle, then seen from FOCAL_PX away."""
    x, y, module_px, roll, pitch, yaw = pose
    middle = carried.card.corners.mean(axis=0)
    a, b, c = np.radians([roll, pitch, yaw])
    turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    turn_y = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    turn = turn_y @ turn_x @ turn_z * (module_px / DRAWN_MODULE)
    turn[2] *= 1 / FOCAL_PX
    plane = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1]])
    place = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, 1]])
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]) @ place @ plane


def _mapped(corners: Floats, bend: Floats) -> Floats:
    return cv2.perspectiveTransform(corners[None].astype(np.float64), bend)[0]


def _is_whole(carried: Carried, shot: Shot, at_s: float) -> bool:
    pose = carried.pose(at_s + shot.exposure_s / 2)
    if pose is None:
        return False
    corners = _mapped(carried.card.corners, _homography(carried, pose))
    return bool((corners >= 0).all() and (corners < (COLUMNS, ROWS)).all())


class _Camera:
    def __init__(self, chance: np.random.Generator) -> None:
        streaks = cv2.blur(chance.standard_normal((ROWS, COLUMNS), np.float32) * 30, (41, 1))
        self._counter = np.clip(125 + streaks, 0, 255).astype(np.float32)
        across, down = np.linspace(0, 1, COLUMNS)[None], np.linspace(0, 1, ROWS)[:, None]
        self._shade = (1.05 - 0.25 * across - 0.2 * down).astype(np.float32)
        self._noise = chance.standard_normal((ROWS + GRAIN_SHIFT_MAX, COLUMNS + GRAIN_SHIFT_MAX), np.float32)
        self._chance = chance

    def take(self, shot: Shot, at_s: float) -> Picture:
        scene = self._counter.copy()
        for carried in shot.carried:
            _expose(scene, carried, shot, at_s)
        scene *= self._shade * shot.light
        for carried in shot.carried:
            for glare in carried.glares:
                _shine(scene, carried, glare, at_s)
        soft = cv2.GaussianBlur(scene, (0, 0), shot.blur_px)
        down, right = self._chance.integers(0, GRAIN_SHIFT_MAX, 2)
        soft += shot.grain * self._noise[down : down + ROWS, right : right + COLUMNS]
        grey = np.clip(soft, 0, 255).astype(np.uint8)
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


def _expose(scene: npt.NDArray[np.float32], carried: Carried, shot: Shot, at_s: float) -> None:
    """Lays the card on the scene as the open shutter gathers it: the mean of SUBFRAMES moments."""
    poses = [carried.pose(at_s + shot.exposure_s * part / (SUBFRAMES - 1)) for part in range(SUBFRAMES)]
    bends = [_homography(carried, pose) for pose in poses if pose is not None]
    if not bends:
        return
    height, width = carried.card.picture.shape
    outline = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    corners = np.concatenate([_mapped(outline, bend) for bend in bends])
    low = np.clip(np.floor(corners.min(axis=0)) - 1, 0, (COLUMNS, ROWS)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, (COLUMNS, ROWS)).astype(int)
    size = high - low
    if size.min() <= 0:
        return
    module_px = min(pose[2] for pose in poses if pose is not None)
    fine = cv2.GaussianBlur(carried.card.picture, (0, 0), 0.4 * DRAWN_MODULE / module_px).astype(np.float32)
    light, cover = np.zeros(size[::-1], np.float32), np.zeros(size[::-1], np.float32)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    solid = np.ones_like(fine, np.float32)
    for bend in bends:
        light += cv2.warpPerspective(fine, shift @ bend, size.tolist(), flags=cv2.INTER_LINEAR)
        cover += cv2.warpPerspective(solid, shift @ bend, size.tolist(), flags=cv2.INTER_LINEAR)
    part = scene[low[1] : high[1], low[0] : high[0]]
    part *= 1 - cover / len(bends)
    part += light / len(bends)


def _shine(scene: npt.NDArray[np.float32], carried: Carried, glare: Glare, at_s: float) -> None:
    pose = carried.pose(at_s)
    if pose is None or not glare.start_s <= at_s <= glare.stop_s:
        return
    share = np.sin(np.pi * (at_s - glare.start_s) / (glare.stop_s - glare.start_s))
    x = pose[0] + glare.begin[0] + (glare.end[0] - glare.begin[0]) * share
    y = pose[1] + glare.begin[1] + (glare.end[1] - glare.begin[1]) * share
    across = np.exp(-(((np.arange(COLUMNS) - x) / glare.size[0]) ** 2))
    down = np.exp(-(((np.arange(ROWS) - y) / glare.size[1]) ** 2))
    scene += (glare.strength * np.outer(down, across)).astype(np.float32)
