"""Which accepted labels are still in view: one that cannot be read for a while, under glare or a hand, has not left.

A label that is not read has left when nothing lies on the counter that could be it. Where the bare counter has not
been seen yet, the place where the label was must look different, and a longer time must pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from scanner.decode.model import Picture
from scanner.decode.vote import Box, Vote

LEFT_VIEW_MS = 1_500
# With the counter known: nothing there could be the label for so long; and something could, but was never read.
CLEAR_MS = 800
HIDDEN_MS = 5_000
STILL_FOR_BACKDROP_MS = 600
# A label that was read so lately says what lies there.
LATELY_MS = 400
TRACKS_MAX = 64
# Levels of a cell of the grid: the sensor's noise averages out, a hand or another product does not.
GRID = (64, 36)
MOVED_LEVELS, MOVED_CELLS = 6, 3
COVERED_LEVELS, COVERED_CELLS = 12, 4
CHANGED_LEVELS = 12.0
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
    """What moves, and what lies on the counter, on a coarse grid. `things` is None until the bare counter was seen."""

    moved_ms: int = 0
    things: list[Box] | None = None
    _last: Picture | None = None
    _backdrop: npt.NDArray[np.float32] | None = None

    def look(self, grey: Picture, mono_ms: int) -> None:
        small = cast("Picture", cv2.resize(grey, GRID, interpolation=cv2.INTER_AREA))
        last, self._last = self._last, small
        if last is None or _cells_apart(last, small) >= MOVED_CELLS:
            self.moved_ms = mono_ms
        self.things = self._things(small, (grey.shape[1] / GRID[0], grey.shape[0] / GRID[1]))

    def learn(self, mono_ms: int) -> None:
        """Takes what is seen now as the bare counter, if it rests: call when no label is in view."""
        if self._last is not None and mono_ms - self.moved_ms >= STILL_FOR_BACKDROP_MS:
            self._backdrop = self._last.astype(np.float32) + 1

    def forget_backdrop(self) -> None:
        self._backdrop, self.things = None, None

    def _things(self, small: Picture, cell: tuple[float, float]) -> list[Box] | None:
        if self._backdrop is None:
            return None
        share = (small.astype(np.float32) + 1) / self._backdrop
        # A lamp that is dimmed or a camera that adapts changes every cell alike.
        apart = np.abs(share / np.median(share) - 1) * self._backdrop
        covered = (apart > COVERED_LEVELS).astype(np.uint8)
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
    left_view_ms: int = LEFT_VIEW_MS
    tracks: dict[bytes, Track] = field(default_factory=dict)
    _clear_since: dict[bytes, int] = field(default_factory=dict)

    def accept(self, data: bytes, box: Box | None, grey: Picture, mono_ms: int) -> None:
        self.tracks[data] = Track(box, _thumb(grey, box), mono_ms)
        if box is not None and self.scene.things is not None and not _within_any(box, self.scene.things):
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

    def unexplained(self, mono_ms: int, but: bytes = b"") -> list[Box] | None:
        """Things on the counter on which no label (other than `but`) was read lately."""
        if self.scene.things is None:
            return None
        read = self._read_lately(mono_ms, but)
        return [thing for thing in self.scene.things if not any(_within_any(box, [thing]) for box in read)]

    def _read_lately(self, mono_ms: int, but: bytes) -> list[Box]:
        return [
            track.box
            for data, track in self.tracks.items()
            if data != but and track.box is not None and mono_ms - track.seen_ms <= LATELY_MS
        ]

    def _has_left(self, data: bytes, track: Track, grey: Picture, mono_ms: int) -> bool:
        if self.scene.things is None:
            return mono_ms - track.seen_ms > self.left_view_ms and _looks_different(grey, track)
        if self._could_be_there(data, track, mono_ms):
            self._clear_since.pop(data, None)
            return mono_ms - track.seen_ms > HIDDEN_MS and _looks_different(grey, track)
        return mono_ms - self._clear_since.setdefault(data, mono_ms) >= CLEAR_MS

    def _could_be_there(self, data: bytes, track: Track, mono_ms: int) -> bool:
        """Read lately, or something lies there that is not another label: anywhere, or at its place."""
        if mono_ms - track.seen_ms <= LATELY_MS or self.unexplained(mono_ms, data):
            return True
        at_its_place = track.box is None or _within_any(track.box, self.scene.things or [])
        return at_its_place and not any(
            _overlap(box, track.box) for box in self._read_lately(mono_ms, data) if track.box is not None
        )


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


def _overlap(one: Box, two: Box) -> bool:
    return min(one[2], two[2]) > max(one[0], two[0]) and min(one[3], two[3]) > max(one[1], two[1])


def _looks_different(grey: Picture, track: Track) -> bool:
    thumb = _thumb(grey, track.box)
    return track.thumb is None or thumb is None or float(cv2.absdiff(track.thumb, thumb).mean()) > CHANGED_LEVELS


def _thumb(grey: Picture, box: Box | None) -> Picture | None:
    if box is None:
        return None
    _, _, part = region(grey, box)
    return cast("Picture", cv2.resize(part, THUMB, interpolation=cv2.INTER_AREA)) if part.size else None
