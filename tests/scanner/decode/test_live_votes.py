"""Which texts a film's votes let through; the engines here say what a test wants."""

from dataclasses import dataclass, field

import numpy as np

from scanner.decode.engines import OPENCV, PROFILE, ZBAR, Sighting
from scanner.decode.live import ZXING_QUICK, VotingLiveReader
from scanner.decode.model import Picture

FRAME = np.full((360, 640), 120, np.uint8)
TRUE, FALSE = b"6939400204821", b"6901234567892"


@dataclass
class Says:
    """Sees a text in the middle of whatever it is shown, from one call to another."""

    name: str
    text: bytes
    sure: bool = False
    times: int = 1_000
    seen: list[tuple[int, int]] = field(default_factory=list)

    def look(self, grey: Picture) -> list[Sighting]:
        self.seen.append(grey.shape)
        if len(self.seen) > self.times:
            return []
        y, x = grey.shape[0] / 2, grey.shape[1] / 2
        corners = ((x - 40, y - 20), (x + 40, y - 20), (x + 40, y + 20), (x - 40, y + 20))
        return [Sighting(self.name, "EAN13", self.text, None, corners, sure=self.sure)]


def read(*, frames: int = 12, **engines: Says) -> list[bytes]:
    reader = VotingLiveReader(engines=engines)
    return [code.data for n in range(frames) for code in reader.frame(FRAME, 100 * n)]


def test_a_second_engine_lets_a_text_through() -> None:
    assert read(**{ZXING_QUICK: Says("zxing", TRUE), ZBAR: Says("zbar", TRUE)}) == [TRUE]


def test_one_engine_alone_is_not_believed_however_often_it_repeats_itself() -> None:
    assert read(**{ZXING_QUICK: Says("zxing", FALSE)}) == []


def test_a_rival_text_at_the_same_place_keeps_a_text_out_that_two_engines_agree_on() -> None:
    agreeing = {OPENCV: Says(OPENCV, FALSE), PROFILE: Says(PROFILE, FALSE)}

    assert read(**{ZXING_QUICK: Says("zxing", FALSE)}, **agreeing) == [FALSE]
    assert read(**{ZXING_QUICK: Says("zxing", TRUE)}, **agreeing) == []


def test_an_engine_that_is_sure_in_one_frame_only_is_not_believed() -> None:
    assert read(**{PROFILE: Says(PROFILE, FALSE, sure=True, times=1)}) == []
    assert read(**{PROFILE: Says(PROFILE, TRUE, sure=True)}) == [TRUE]


def test_doubt_is_looked_into_at_its_own_place() -> None:
    second = Says("zbar", FALSE)
    read(frames=2, **{ZXING_QUICK: Says("zxing", TRUE), ZBAR: second})

    assert all(shape[0] < FRAME.shape[0] and shape[1] < FRAME.shape[1] for shape in second.seen)
    assert second.seen
