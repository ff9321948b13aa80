"""Still pictures: one view and engine after the other until the vote is decided or the ladder ends."""

from collections.abc import Mapping, Sequence

import numpy as np
import zxingcpp

from scanner.decode.engines import (
    OPENCV,
    PROFILE,
    ZBAR,
    ZXING,
    ZXING_GLOBAL,
    Engine,
    OpencvBarcodeEngine,
    Sighting,
    ZbarEngine,
    ZxingEngine,
)
from scanner.decode.limits import SIDE_MIN
from scanner.decode.model import DecodedCode, Picture
from scanner.decode.profile import ProfileEngine
from scanner.decode.views import View, Views
from scanner.decode.vote import Box, Vote, decide, undecided

Step = tuple[str, tuple[str, ...]]

# Joined from two orders, each chosen by new codes per millisecond on one half of a collection of real photographs and
# checked on the other half.
# The picture as it is goes first: it shows most of the labels when there are several.
LADDER: tuple[Step, ...] = (
    ("as_is", (ZXING, ZBAR)),
    ("clahe", (ZXING_GLOBAL, OPENCV)),
    ("half", (ZXING_GLOBAL, ZBAR, OPENCV)),
    ("clahe", (ZBAR,)),
    ("x2_clahe", (OPENCV,)),
    ("threshold", (ZXING_GLOBAL, ZBAR)),
    ("as_is", (PROFILE,)),
    ("x2_sharp", (ZXING_GLOBAL, OPENCV)),
    ("x3_rows_sharp", (OPENCV,)),
    ("x2_otsu", (ZBAR,)),
    ("x2_rows", (ZXING_GLOBAL,)),
    ("turned_-20", (ZXING, ZBAR)),
    ("turned_20", (ZXING, ZBAR)),
    ("turned_45", (ZXING, ZBAR)),
    ("x2_threshold", (ZXING_GLOBAL, ZBAR)),
)


def standard_engines() -> dict[str, Engine]:
    """Those that this machine has."""
    engines: dict[str, Engine] = {
        ZXING: ZxingEngine(),
        ZXING_GLOBAL: ZxingEngine(binarizer=zxingcpp.Binarizer.GlobalHistogram),
        OPENCV: OpencvBarcodeEngine(),
        PROFILE: ProfileEngine(),
    }
    zbar = ZbarEngine.make()
    if zbar is not None:
        engines[ZBAR] = zbar
    return engines


class VotingStillReader:
    def __init__(self, engines: Mapping[str, Engine] | None = None, ladder: Sequence[Step] = LADDER) -> None:
        self._engines = standard_engines() if engines is None else engines
        self._ladder = ladder

    def read(self, image: Picture) -> list[DecodedCode]:
        if min(image.shape[:2]) < SIDE_MIN:
            return []
        views = Views(image)
        votes: list[Vote] = []
        codes: list[DecodedCode] = []
        for name, engines in self._ladder:
            view = views.view(name)
            if view is not None:
                votes += self._look(view, engines)
                codes = decide(votes)
            if codes and not undecided(votes, codes):
                break
        return codes

    def _look(self, view: View, engines: tuple[str, ...]) -> list[Vote]:
        present = [self._engines[name] for name in engines if name in self._engines]
        return [vote_of(sighting, view) for engine in present for sighting in engine.look(view.image)]


def vote_of(sighting: Sighting, view: View) -> Vote:
    return Vote(
        engine=sighting.engine,
        family=view.family,
        symbology=sighting.symbology,
        data=sighting.data,
        aim=sighting.aim,
        declared=sighting.declared,
        box=_box(sighting, view),
        sure=sighting.sure,
    )


def _box(sighting: Sighting, view: View) -> Box | None:
    if not sighting.corners:
        return None
    corners = np.array(sighting.corners) @ view.to_picture[:, :2].T + view.to_picture[:, 2]
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
