import numpy as np
import pytest

from scanner.decode.live import VotingLiveReader
from scanner.decode.model import DecodedCode, Picture
from scanner.decode.presence import LEFT_VIEW_MS
from tests.scanner.decode.drawing import barcode, on_table, photographed, qr

FRAME_MS = 100
RED, GREEN = barcode("6939400204821", "EAN13", 2), barcode("6901234567892", "EAN13", 2)
EMPTY = on_table()


@pytest.fixture
def reader() -> VotingLiveReader:
    return VotingLiveReader()


class Film:
    """Frames at ten a second, shaken by a hand."""

    def __init__(self, reader: VotingLiveReader) -> None:
        self._reader, self._number = reader, 0

    def show(self, *labels: Picture, frames: int, shaken: bool = True) -> list[DecodedCode]:
        given = []
        for _ in range(frames):
            still = on_table(*labels)
            picture = photographed(still, self._number, tilt=0.015, blur=0.7, noise=4) if shaken else still
            given += self._reader.frame(picture, self._number * FRAME_MS)
            self._number += 1
        return given


def texts(codes: list[DecodedCode]) -> list[str]:
    return [code.text for code in codes]


def test_a_label_in_view_for_many_frames_is_one_read(reader: VotingLiveReader) -> None:
    assert texts(Film(reader).show(RED, frames=20)) == ["6939400204821"]


def test_every_label_in_view_is_read_once(reader: VotingLiveReader) -> None:
    given = Film(reader).show(RED, GREEN, qr("https://example.cn/l/7", 3), frames=20)

    assert sorted(texts(given)) == ["6901234567892", "6939400204821", "https://example.cn/l/7"]


def test_a_label_that_comes_back_after_it_had_left_is_read_again(reader: VotingLiveReader) -> None:
    film = Film(reader)
    film.show(RED, frames=10)

    assert film.show(frames=LEFT_VIEW_MS // FRAME_MS + 3) == []
    assert texts(film.show(RED, frames=10)) == ["6939400204821"]


def test_a_label_that_hides_for_a_moment_is_not_read_again(reader: VotingLiveReader) -> None:
    film = Film(reader)
    film.show(RED, frames=10)
    film.show(frames=LEFT_VIEW_MS // FRAME_MS // 2)

    assert film.show(RED, frames=10) == []


def test_a_label_that_lies_unread_at_its_place_has_not_left(reader: VotingLiveReader) -> None:
    film = Film(reader)
    film.show(RED, frames=8, shaken=False)
    veiled = on_table(RED)
    veiled = np.clip(veiled.astype(np.int16) // 2 * 2, 0, 255).astype(np.uint8)
    veiled[12:40] = np.maximum(veiled[12:40], 40)
    reader.engines = {name: Blind() for name in reader.engines}
    for number in range(8, 8 + 3 * LEFT_VIEW_MS // FRAME_MS):
        assert reader.frame(veiled, number * FRAME_MS) == []

    reader.engines = VotingLiveReader().engines
    start = 8 + 3 * LEFT_VIEW_MS // FRAME_MS

    assert [c for n in range(10) for c in reader.frame(on_table(RED), (start + n) * FRAME_MS)] == []


class Blind:
    name = "blind"

    def look(self, grey: Picture) -> list[object]:
        assert grey.ndim == 2
        return []


def test_the_next_label_at_the_same_place_is_read(reader: VotingLiveReader) -> None:
    film = Film(reader)

    assert texts(film.show(RED, frames=8)) == ["6939400204821"]
    assert texts(film.show(GREEN, frames=12)) == ["6901234567892"]


def test_an_empty_table_gives_nothing_and_costs_no_heavy_look(reader: VotingLiveReader) -> None:
    film = Film(reader)
    film.show(frames=2, shaken=False)
    reader.engines = {}

    assert film.show(frames=10, shaken=False) == []
