"""Camera frames: a cheap probe on each, one heavier probe in rotation, votes across frames, one read a label.

A label is released for another read only when it has not been read for LEFT_VIEW_MS and the place where it was
looks different: a label that lies still under glare for a minute is one read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np

from scanner.decode.engines import OPENCV, PROFILE, ZBAR, ZXING, Engine, ZxingEngine
from scanner.decode.limits import SIDE_MIN
from scanner.decode.model import DecodedCode, Picture
from scanner.decode.profile import ProfileEngine
from scanner.decode.still import standard_engines, vote_of
from scanner.decode.views import View, Views, luminance
from scanner.decode.vote import Box, Vote, boxes_meet, decide

LEFT_VIEW_MS = 1_500
VOTES_KEPT_MS = 2_000
VOTES_KEPT_MAX = 400
TRACKS_MAX = 64
# Mean difference of grey levels: sensor noise stays below, a hand or another product does not.
MOTION_LEVELS = 2.0
CHANGED_LEVELS = 12.0
THUMB = (16, 16)
MARGIN = 0.2

Step = tuple[str, str]

# One step a frame. A code that only the probe saw is confirmed in its own region, by other engines first.
CONFIRM: tuple[Step, ...] = (
    ("as_is", ZBAR),
    ("clahe", OPENCV),
    ("clahe", ZXING),
    ("as_is", PROFILE),
    ("x2_rows", ZBAR),
    ("x2", OPENCV),
    ("x2", ZXING),
)
# Where the probe saw nothing new and the picture moves.
SEARCH: tuple[Step, ...] = (
    ("half", ZBAR),
    ("turned_90", ZXING),
    ("clahe", OPENCV),
    ("turned_45", ZXING),
    ("clahe", ZXING),
)


def live_engines() -> dict[str, Engine]:
    """Those of this machine at the effort that one frame can bear."""
    quick: dict[str, Engine] = {ZXING: ZxingEngine(thorough=False), PROFILE: ProfileEngine(places_max=3, refined_max=2)}
    return standard_engines() | quick


@dataclass(slots=True)
class Track:
    """An accepted label that may still be in view."""

    box: Box | None
    thumb: Picture | None
    seen_ms: int


@dataclass(slots=True)
class Timed:
    mono_ms: int
    vote: Vote


@dataclass(slots=True)
class VotingLiveReader:
    engines: Mapping[str, Engine] = field(default_factory=live_engines)
    probe: Engine = field(default_factory=lambda: ZxingEngine(thorough=False))
    left_view_ms: int = LEFT_VIEW_MS
    _votes: list[Timed] = field(default_factory=list)
    _tracks: dict[bytes, Track] = field(default_factory=dict)
    _last: Picture | None = None
    _turn: int = 0

    def frame(self, image: Picture, mono_ms: int) -> list[DecodedCode]:
        if min(image.shape[:2]) < SIDE_MIN:
            return []
        grey = luminance(image)
        moving = self._moves(grey)
        seen = self._probe(grey)
        if moving or any(vote.data not in self._tracks for vote in seen):
            seen += self._heavier(grey, seen)
        self._remember(seen, mono_ms)
        fresh = self._fresh(grey, mono_ms)
        self._follow(grey, seen, mono_ms)
        return fresh

    def _moves(self, grey: Picture) -> bool:
        small = cast("Picture", cv2.resize(grey, (64, 36), interpolation=cv2.INTER_AREA))
        last, self._last = self._last, small
        return last is None or _levels_apart(last, small) > MOTION_LEVELS

    def _probe(self, grey: Picture) -> list[Vote]:
        view = View("as_is", "plain", grey, np.eye(2, 3))
        return [vote_of(sighting, view) for sighting in self.probe.look(grey)]

    def _heavier(self, grey: Picture, seen: list[Vote]) -> list[Vote]:
        """A second opinion on what the probe saw, else a look with the next view and engine of the rotation."""
        doubtful = [vote.box for vote in seen if vote.data not in self._tracks and vote.box is not None]
        left, top, part = _region(grey, doubtful[0]) if doubtful else (0, 0, grey)
        offered = [step for step in (CONFIRM if doubtful else SEARCH) if step[1] in self.engines]
        name, engine = offered[self._turn % len(offered)]
        self._turn += 1
        view = Views(part).view(name)
        if view is None:
            return []
        view.to_picture[:, 2] += (left, top)
        return [vote_of(sighting, view) for sighting in self.engines[engine].look(view.image)]

    def _remember(self, seen: list[Vote], mono_ms: int) -> None:
        """Keeps the votes that still count. Where a new label lies, those of the accepted one before it do not."""
        new = [vote for vote in seen if vote.data not in self._tracks]
        stays = {vote.data for vote in seen}
        self._votes = [
            old
            for old in self._votes
            if mono_ms - old.mono_ms <= VOTES_KEPT_MS
            and not (
                old.vote.data in self._tracks
                and old.vote.data not in stays
                and any(boxes_meet(old.vote.box, vote.box) for vote in new)
            )
        ]
        self._votes = (self._votes + [Timed(mono_ms, vote) for vote in seen])[-VOTES_KEPT_MAX:]

    def _fresh(self, grey: Picture, mono_ms: int) -> list[DecodedCode]:
        fresh = []
        for code in decide(timed.vote for timed in self._votes):
            if code.data not in self._tracks:
                box = next((t.vote.box for t in reversed(self._votes) if t.vote.data == code.data), None)
                self._tracks[code.data] = Track(box, _thumb(grey, box), mono_ms)
                fresh.append(code)
        return fresh

    def _follow(self, grey: Picture, seen: list[Vote], mono_ms: int) -> None:
        for vote in seen:
            track = self._tracks.get(vote.data)
            if track is not None:
                track.box, track.thumb, track.seen_ms = vote.box, _thumb(grey, vote.box), mono_ms
        for data, track in list(self._tracks.items()):
            if mono_ms - track.seen_ms > self.left_view_ms and _looks_different(grey, track):
                self._forget(data)
        while len(self._tracks) > TRACKS_MAX:
            self._forget(min(self._tracks, key=lambda data: self._tracks[data].seen_ms))

    def _forget(self, data: bytes) -> None:
        """Old votes of a released label must not accept it again by themselves."""
        del self._tracks[data]
        self._votes = [timed for timed in self._votes if timed.vote.data != data]


def _levels_apart(one: Picture, two: Picture) -> float:
    return float(cv2.absdiff(one, two).mean())


def _looks_different(grey: Picture, track: Track) -> bool:
    thumb = _thumb(grey, track.box)
    return track.thumb is None or thumb is None or _levels_apart(track.thumb, thumb) > CHANGED_LEVELS


def _thumb(grey: Picture, box: Box | None) -> Picture | None:
    if box is None:
        return None
    _, _, part = _region(grey, box)
    return cast("Picture", cv2.resize(part, THUMB, interpolation=cv2.INTER_AREA)) if part.size else None


def _region(grey: Picture, box: Box) -> tuple[int, int, Picture]:
    """Left, top and pixels of the box with a margin, within the frame."""
    height, width = grey.shape
    edge = max(16.0, MARGIN * max(box[2] - box[0], box[3] - box[1]))
    left, top = max(0, int(box[0] - edge)), max(0, int(box[1] - edge))
    right, bottom = min(width, int(box[2] + edge) + 1), min(height, int(box[3] + edge) + 1)
    return left, top, grey[top:bottom, left:right]
