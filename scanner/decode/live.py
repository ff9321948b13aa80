"""Camera frames: cheap probes on each, one heavier probe in rotation, votes across frames, one read a label.

A frame costs less than one look of a general reader: the probes are quick ones, the heavier one looks only where
something unread lies, and a view in which nothing moves is only probed. When a label counts as gone: `presence`.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from scanner.decode.engines import OPENCV, PROFILE, ZBAR, ZXING, Engine, ZxingEngine
from scanner.decode.limits import SIDE_MIN
from scanner.decode.model import DecodedCode, Picture
from scanner.decode.presence import Presence, region
from scanner.decode.profile import ProfileEngine
from scanner.decode.still import standard_engines, vote_of
from scanner.decode.views import View, Views, luminance
from scanner.decode.vote import DATABAR, MATRIX, Box, Vote, boxes_meet, decide

VOTES_KEPT_MS = 2_000
VOTES_KEPT_MAX = 400
SURE_FRAMES = 2
# After the last motion the search goes on for so long, and a doubtful code is confirmed at its place for so long.
SETTLE_MS = 2_000
DOUBT_MS = 500
# An accepted label that is not read any more contradicts another text at its place for so long.
RIVAL_MS = 500
# With nothing unread on the counter, every so manyth frame is searched all the same.
SELDOM = 7
ZXING_QUICK = "zxing_quick"
CHECKED = DATABAR | {"CODE128"}

Step = tuple[str, str]

PROBES: tuple[Step, ...] = (("as_is", ZXING_QUICK), ("half", ZXING_QUICK), ("turned_90", ZXING_QUICK))
# One step a frame, in the code's own region: those first whose engine has not seen it yet.
CONFIRM: tuple[Step, ...] = (
    ("as_is", ZBAR),
    ("x2", OPENCV),
    ("as_is", PROFILE),
    ("x2", ZBAR),
    ("clahe", OPENCV),
    ("x2", ZXING),
    ("clahe", ZXING),
)
# Of a symbol with a strong check the same engine's second view is enough.
CONFIRM_CHECKED: tuple[Step, ...] = (("clahe", ZXING), ("x2", ZXING), ("as_is", ZBAR), ("turned_20", ZXING))
# What was seen in one altered view of one frame: the view that shows most of these under uneven light goes first.
CONFIRM_MATRIX: tuple[Step, ...] = (
    ("threshold", ZBAR),
    ("as_is", ZBAR),
    ("threshold", ZXING),
    ("x2", ZXING),
    ("clahe", ZXING),
)
# Where the probes saw nothing new. zbar's time goes with the pixels: a whole frame is halved for it.
SEARCH: tuple[Step, ...] = (
    ("x2", OPENCV),
    ("threshold", ZXING_QUICK),
    ("as_is", PROFILE),
    ("x2", ZBAR),
    ("turned_45", ZXING_QUICK),
    ("x2", ZXING),
)
SEARCH_WIDE: tuple[Step, ...] = (
    ("half", ZBAR),
    ("threshold", ZXING_QUICK),
    ("clahe", OPENCV),
    ("turned_45", ZXING_QUICK),
    ("as_is", PROFILE),
)
WIDE_PIXELS = 300_000
# The third engine's cheap probe, in place.
PROBE_UNREAD: Step = ("as_is", ZBAR)
UNREAD_A_FRAME = 3
# Of the codes in doubt, so many are looked at again in one frame.
CONFIRMED_A_FRAME = 2


def live_engines() -> dict[str, Engine]:
    """Those of this machine at the effort that one frame can bear."""
    quick: dict[str, Engine] = {
        ZXING_QUICK: ZxingEngine(thorough=False),
        PROFILE: ProfileEngine(places_max=3, refined_max=2),
    }
    return standard_engines() | quick


Witness = tuple[str, str, str, bytes]


@dataclass(slots=True)
class Kept:
    """The latest vote of one engine, kind of view and text, and in how many frames it was given, and was a sure one."""

    mono_ms: int
    vote: Vote
    frames: int
    sure_frames: int

    def counted(self) -> Vote:
        """Film gives a mistake many chances: an engine's own certainty must hold in two frames."""
        return replace(self.vote, sure=self.sure_frames >= SURE_FRAMES, frames=self.frames)


@dataclass(slots=True)
class VotingLiveReader:
    engines: Mapping[str, Engine] = field(default_factory=live_engines)
    _presence: Presence = field(default_factory=Presence)
    _votes: dict[Witness, Kept] = field(default_factory=dict)
    _turns: dict[bytes, int] = field(default_factory=dict)
    _turn: int = 0

    def frame(self, image: Picture, mono_ms: int) -> list[DecodedCode]:
        if min(image.shape[:2]) < SIDE_MIN:
            return []
        grey = luminance(image)
        scene = self._presence.scene
        scene.look(grey, mono_ms)
        busy = mono_ms - scene.moved_ms <= SETTLE_MS
        seen = self._probe(grey, PROBES if busy else PROBES[:1])
        unread = self._unread(seen, mono_ms) if busy else None
        if unread:
            seen += self._look_at(grey, unread, PROBE_UNREAD)
        doubtful = self._doubtful(seen, mono_ms)
        for vote in doubtful[:CONFIRMED_A_FRAME]:
            seen += self._confirm(grey, vote)
        if busy and not doubtful:
            seen += self._search(grey, unread)
        self._remember(seen, mono_ms)
        fresh = self._fresh(grey, mono_ms)
        self._forget(self._presence.follow(grey, seen, mono_ms))
        if not self._votes and not self._presence.tracks:
            scene.learn(mono_ms)
        return fresh

    def _probe(self, grey: Picture, steps: Sequence[Step]) -> list[Vote]:
        return [vote for step in steps for vote in self._look(grey, (0, 0), step)]

    def _look(self, part: Picture, at: tuple[int, int], step: Step) -> list[Vote]:
        """What an engine sees in a view of a part of the frame whose corner is `at`."""
        name, engine = step
        view = Views(part).view(name) if engine in self.engines else None
        if view is None:
            return []
        back = view.to_picture.copy()
        back[:, 2] += at
        return [
            vote_of(sighting, View(name, view.family, view.image, back))
            for sighting in self.engines[engine].look(view.image)
        ]

    def _doubtful(self, seen: Sequence[Vote], mono_ms: int) -> list[Vote]:
        """The latest vote for each code that is not accepted yet, those looked at least first."""
        known = self._presence.tracks
        lately = [kept.vote for kept in self._votes.values() if mono_ms - kept.mono_ms <= DOUBT_MS]
        latest = {vote.data: vote for vote in [*lately, *seen] if vote.data not in known and vote.box is not None}
        if not latest:
            return []
        kept_and_new = [
            *(kept.counted() for kept in self._votes.values()),
            *(replace(vote, sure=False) for vote in seen),
        ]
        decided = {code.data for code in decide(kept_and_new)}
        return sorted(
            (vote for data, vote in sorted(latest.items()) if data not in decided),
            key=lambda vote: self._turns.get(vote.data, 0),
        )

    def _confirm(self, grey: Picture, vote: Vote) -> list[Vote]:
        """A second opinion on a code, in its own region."""
        steps = CONFIRM_CHECKED if vote.symbology in CHECKED else CONFIRM
        if vote.symbology in MATRIX:
            steps = CONFIRM_MATRIX
        offered = sorted(
            (step for step in steps if step[1] in self.engines), key=lambda step: step[1] == vote.engine
        ) or [PROBES[0]]
        turn = self._turns.get(vote.data, 0)
        self._turns[vote.data] = turn + 1
        left, top, part = region(grey, self._place(vote))
        return self._look(part, (left, top), offered[turn % len(offered)]) if part.size else []

    def _place(self, vote: Vote) -> Box:
        """Where the whole symbol lies. zbar names the scan lines that read it, which may be a narrow strip of it."""
        assert vote.box is not None
        if vote.engine != ZBAR or vote.symbology in MATRIX:
            return vote.box
        left, top, right, bottom = vote.box
        x, y, reach = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top)
        return x - reach, y - reach, x + reach, y + reach

    def _unread(self, seen: Sequence[Vote], mono_ms: int) -> list[Box] | None:
        """Things on the counter on which no label was read, large ones first; None where the counter is not known."""
        if not self._presence.scene.is_known:
            return None
        read = [vote.box for vote in seen if vote.box is not None]
        unread = self._presence.unexplained(mono_ms)
        return sorted((thing for thing in unread if not any(boxes_meet(thing, box, 0) for box in read)), key=_area)[
            ::-1
        ]

    def _look_at(self, grey: Picture, boxes: Sequence[Box], step: Step) -> list[Vote]:
        parts = [region(grey, box) for box in boxes[:UNREAD_A_FRAME]]
        return [
            vote
            for left, top, part in parts
            if part.size <= WIDE_PIXELS
            for vote in self._look(part, (left, top), step)
        ]

    def _search(self, grey: Picture, unread: Sequence[Box] | None) -> list[Vote]:
        """A look with the next view and engine at something on which no label was read."""
        self._turn += 1
        if unread is not None and not unread and self._turn % SELDOM:
            return []
        left, top, part = region(grey, unread[self._turn % len(unread)]) if unread else (0, 0, grey)
        steps = SEARCH if part.size <= WIDE_PIXELS else SEARCH_WIDE
        offered = [step for step in steps if step[1] in self.engines]
        return self._look(part, (left, top), offered[self._turn % len(offered)]) if offered else []

    def _remember(self, seen: Sequence[Vote], mono_ms: int) -> None:
        known, now = self._presence.tracks, {vote.data for vote in seen}
        before = {key: (kept.frames, kept.sure_frames) for key, kept in self._votes.items()}
        self._votes = {key: kept for key, kept in self._votes.items() if self._still_counts(kept, mono_ms, now)}
        for vote in seen:
            key = (vote.engine, vote.family, vote.symbology, vote.data)
            frames, sure = (0, 0) if vote.data in known else before.get(key, (0, 0))
            self._votes[key] = Kept(mono_ms, vote, frames + 1, sure + vote.sure)
        while len(self._votes) > VOTES_KEPT_MAX:
            del self._votes[min(self._votes, key=lambda key: self._votes[key].mono_ms)]
        self._turns = {kept.vote.data: self._turns.get(kept.vote.data, 0) for kept in self._votes.values()}

    def _still_counts(self, kept: Kept, mono_ms: int, now: AbstractSet[bytes]) -> bool:
        """An accepted label speaks against other texts only where it was last seen, and not for long."""
        if kept.vote.data in self._presence.tracks:
            return kept.vote.data not in now and mono_ms - kept.mono_ms <= RIVAL_MS
        return mono_ms - kept.mono_ms <= VOTES_KEPT_MS

    def _fresh(self, grey: Picture, mono_ms: int) -> list[DecodedCode]:
        fresh = []
        for code in decide(kept.counted() for kept in self._votes.values()):
            if code.data not in self._presence.tracks:
                latest = max(
                    (kept for kept in self._votes.values() if kept.vote.data == code.data),
                    key=lambda kept: kept.mono_ms,
                )
                self._presence.accept(code.data, latest.vote.box, grey, mono_ms)
                fresh.append(code)
        return fresh

    def _forget(self, left: Sequence[bytes]) -> None:
        """Old votes of a label that has left must not accept it again by themselves."""
        self._votes = {key: kept for key, kept in self._votes.items() if kept.vote.data not in left}


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
