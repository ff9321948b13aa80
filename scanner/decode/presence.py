"""Which accepted labels are still in view: one that cannot be read for a while, under glare or a hand, has not left.

A label that is not read has left when nothing lies on the counter that could be it. Where the bare counter has not
been seen yet, or the camera is in a hand, print counts as something, plain ground as nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from scanner.decode.model import Picture
from scanner.decode.vote import Box, Vote, boxes_meet

# Nothing that is there could be the label, for so long: with the bare counter known, and without.
CLEAR_MS = 800
LEFT_VIEW_MS = 1_500
# Something could, but was never read; the last where something lies on the known counter at the very place.
HIDDEN_MS = 5_000
RESTING_MS = 60_000
STILL_FOR_BACKDROP_MS = 600
# A label that was read so lately says what lies there.
LATELY_MS = 400
TRACKS_MAX = 64
# Levels of a cell of the grid: the sensor's noise averages out, a hand or another product does not.
GRID = (64, 36)
MOVED_LEVELS, MOVED_CELLS = 6, 3
COVERED_LEVELS, COVERED_CELLS = 12, 4
CHANGED_LEVELS = 12.0
# From a pixel to the next, in the mean of a cell and above that of most cells, which is noise.
PRINT_LEVELS = 10
GLARE_LEVEL = 250
THUMB = (16, 16)
MARGIN = 0.2


@dataclass(slots=True)
class Track:
    """An accepted label that may still be in view."""

    box: Box | None
    thumb: Picture | None
    seen_ms: int


@dataclass(slots=True)
class Scene:
    """What moves, and what things lie there, on a coarse grid. `is_known`: by comparison with the bare counter."""

    moved_ms: int = 0
    things: list[Box] = field(default_factory=list)
    _last: Picture | None = None
    _backdrop: npt.NDArray[np.float32] | None = None

    @property
    def is_known(self) -> bool:
        return self._backdrop is not None

    def look(self, grey: Picture, mono_ms: int) -> None:
        small = cast("Picture", cv2.resize(grey, GRID, interpolation=cv2.INTER_AREA))
        last, self._last = self._last, small
        if last is None or _cells_apart(last, small) >= MOVED_CELLS:
            self.moved_ms = mono_ms
        covered = _printed(grey, small) if self._backdrop is None else _covered(small, self._backdrop)
        self.things = _blobs(covered, (grey.shape[1] / GRID[0], grey.shape[0] / GRID[1]))

    def learn(self, mono_ms: int) -> None:
        """Takes what is seen now as the bare counter, if it rests: call when no label is in view."""
        if self._last is not None and mono_ms - self.moved_ms >= STILL_FOR_BACKDROP_MS:
            self._backdrop = self._last.astype(np.float32) + 1

    def forget_backdrop(self) -> None:
        self._backdrop = None


def _covered(small: Picture, backdrop: npt.NDArray[np.float32]) -> Picture:
    """A lamp that is dimmed or a camera that adapts changes every cell alike, and covers nothing."""
    share = (small.astype(np.float32) + 1) / backdrop
    apart = np.abs(share / np.median(share) - 1) * backdrop
    return cast("Picture", (apart > COVERED_LEVELS).astype(np.uint8))


def _printed(grey: Picture, small: Picture) -> Picture:
    """Print or glare, and a cell around, so that a label and the words beside it are one thing."""
    across = cv2.resize(cv2.absdiff(grey[:, 1:], grey[:, :-1]), GRID, interpolation=cv2.INTER_AREA)
    down = cv2.resize(cv2.absdiff(grey[1:], grey[:-1]), GRID, interpolation=cv2.INTER_AREA)
    steps = np.maximum(across, down)
    printed = (steps > np.median(steps) + PRINT_LEVELS) | (small >= GLARE_LEVEL)
    return cast("Picture", cv2.dilate(printed.astype(np.uint8), np.ones((3, 3))))


def _blobs(covered: Picture, cell: tuple[float, float]) -> list[Box]:
    _, _, stats, _ = cv2.connectedComponentsWithStats(covered, connectivity=8)
    return [
        (x * cell[0], y * cell[1], (x + width) * cell[0], (y + height) * cell[1])
        for x, y, width, height, area in stats[1:].tolist()
        if area >= COVERED_CELLS
    ]


@dataclass(slots=True)
class Presence:
    """The accepted labels in view, by their bytes. Two equal labels side by side are one: a pack may show its code on
    two sides, and nothing proves a second piece; how many pieces is the till's to say.
    """

    scene: Scene = field(default_factory=Scene)
    tracks: dict[bytes, Track] = field(default_factory=dict)
    _clear_since: dict[bytes, int] = field(default_factory=dict)

    def accept(self, data: bytes, box: Box | None, grey: Picture, mono_ms: int) -> None:
        self.tracks[data] = Track(box, _thumb(grey, box), mono_ms)
        if box is not None and self.scene.is_known and not _within_any(box, self.scene.things):
            self.scene.forget_backdrop()  # The label had been taken for a part of the counter.

    def follow(self, grey: Picture, seen: Iterable[Vote], mono_ms: int) -> list[bytes]:
        """Notes where labels were seen, and gives those that have left since."""
        for vote in seen:
            track = self.tracks.get(vote.data)
            if track is not None:
                track.box, track.thumb, track.seen_ms = vote.box or track.box, _thumb(grey, vote.box), mono_ms
        left = [data for data, track in self.tracks.items() if self._has_left(data, track, grey, mono_ms)]
        rest = sorted((data for data in self.tracks if data not in left), key=lambda data: self.tracks[data].seen_ms)
        left += rest[: max(0, len(rest) - TRACKS_MAX)]
        for data in left:
            del self.tracks[data]
            self._clear_since.pop(data, None)
        return left

    def unexplained(self, mono_ms: int, but: bytes = b"") -> list[Box]:
        """Things on which no label (other than `but`) was read lately."""
        read = self._read_lately(mono_ms, but)
        return [thing for thing in self.scene.things if not any(_within_any(box, [thing]) for box in read)]

    def _read_lately(self, mono_ms: int, but: bytes) -> list[Box]:
        return [
            track.box
            for data, track in self.tracks.items()
            if data != but and track.box is not None and mono_ms - track.seen_ms <= LATELY_MS
        ]

    def _has_left(self, data: bytes, track: Track, grey: Picture, mono_ms: int) -> bool:
        known = self.scene.is_known
        if self._could_be_there(data, track, mono_ms):
            self._clear_since.pop(data, None)
            rests = known and self._at_its_place(data, track, mono_ms)
            return mono_ms - track.seen_ms > (RESTING_MS if rests else HIDDEN_MS) and _looks_different(grey, track)
        clear_ms = mono_ms - self._clear_since.setdefault(data, mono_ms)
        return clear_ms >= (CLEAR_MS if known else LEFT_VIEW_MS) and (known or _looks_different(grey, track))

    def _could_be_there(self, data: bytes, track: Track, mono_ms: int) -> bool:
        """Read in this frame, or something lies there that is not another label."""
        is_read = track.seen_ms == mono_ms
        return is_read or bool(self.unexplained(mono_ms, data)) or self._at_its_place(data, track, mono_ms)

    def _at_its_place(self, data: bytes, track: Track, mono_ms: int) -> bool:
        if track.box is None or not _within_any(track.box, self.scene.things):
            return track.box is None
        return not any(boxes_meet(box, track.box, 0) for box in self._read_lately(mono_ms, data))


def region(grey: Picture, box: Box) -> tuple[int, int, Picture]:
    """Left, top and pixels of the box with a margin, within the frame."""
    height, width = grey.shape
    edge = max(16.0, MARGIN * max(box[2] - box[0], box[3] - box[1]))
    left, top = max(0, int(box[0] - edge)), max(0, int(box[1] - edge))
    right, bottom = min(width, int(box[2] + edge) + 1), min(height, int(box[3] + edge) + 1)
    return left, top, grey[top:bottom, left:right]


def _cells_apart(one: Picture, two: Picture) -> int:
    return int((cv2.absdiff(one, two) > MOVED_LEVELS).sum())


def _within_any(box: Box, things: Iterable[Box]) -> bool:
    """Whether the middle of the box lies on one of them."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(thing[0] <= x <= thing[2] and thing[1] <= y <= thing[3] for thing in things)


def _looks_different(grey: Picture, track: Track) -> bool:
    thumb = _thumb(grey, track.box)
    return track.thumb is None or thumb is None or float(cv2.absdiff(track.thumb, thumb).mean()) > CHANGED_LEVELS


def _thumb(grey: Picture, box: Box | None) -> Picture | None:
    if box is None:
        return None
    _, _, part = region(grey, box)
    return cast("Picture", cv2.resize(part, THUMB, interpolation=cv2.INTER_AREA)) if part.size else None
