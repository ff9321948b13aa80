import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.decode.model import Picture
from scanner.decode.profile import ProfileEngine
from scanner.decode.still import VotingStillReader
from scanner.decode.symbols import MODULES, QUIET, SAMPLES, positions, whole
from tests.scanner.decode.drawing import barcode, ground_of_words, photographed, qr


def out_of_focus(text: str, symbology: str, sigma_modules: float, seed: int = 0) -> Picture:
    """A module is 4 px before the picture is halved, as from a camera too close."""
    sharp = photographed(barcode(text, symbology, module=4), seed, tilt=0.02, blur=0.6, noise=0, light=0.3)
    soft = cv2.GaussianBlur(sharp, (0, 0), 4 * sigma_modules)
    small = cv2.resize(soft, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(seed).normal(0, 1, small.shape)
    return np.clip(small + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0.9, 1.1])
@pytest.mark.parametrize(("symbology", "text"), [("EAN13", "6939400204821"), ("UPCA", "036000291452")])
def test_bars_blurred_wider_than_themselves_are_read(symbology: str, text: str, sigma: float) -> None:
    engine = ProfileEngine()

    found = {s.data.decode() for s in engine.look(out_of_focus(text, symbology, sigma))}

    assert found == {text.rjust(13, "0")}


def test_a_label_that_lies_upside_down_out_of_focus_is_read() -> None:
    picture = np.ascontiguousarray(out_of_focus("6939400204821", "EAN13", 1.0)[::-1, ::-1])

    found = ProfileEngine().look(picture)

    assert {s.data for s in found} == {b"6939400204821"}
    middle = np.mean([s.corners for s in found], axis=(0, 1))
    assert abs(middle[0] - picture.shape[1] / 2) < 40


def test_what_only_the_profile_reads_is_accepted_when_it_is_sure() -> None:
    reader, alone = VotingStillReader(), VotingStillReader({"profile": ProfileEngine()})
    picture = out_of_focus("6939400204821", "EAN13", 1.1)

    assert [code.text for code in reader.read(picture)] == ["6939400204821"]
    assert [code.engines for code in alone.read(picture)] == [frozenset({"profile"})]


@pytest.mark.parametrize("sigma", [1.4, 1.8, 2.4])
def test_hopeless_blur_gives_the_truth_or_nothing_sure(sigma: float) -> None:
    for seed in range(3):
        found = ProfileEngine().look(out_of_focus("6939400204821", "EAN13", sigma, seed))

        assert {s.data for s in found if s.sure} <= {b"6939400204821"}


OTHERS = [
    ("code 128", out_of_focus("6939400204821", "Code128", 0.8)),
    ("itf", out_of_focus("16901234567892", "ITF", 0.8)),
    ("ean 8", out_of_focus("69012341", "EAN8", 0.8)),
    ("upc e", out_of_focus("01234565", "UPCE", 0.8)),
    ("qr", qr("https://example.cn/l/7")),
    ("words", ground_of_words(2)),
    ("half", out_of_focus("6939400204821", "EAN13", 0.8)[:, 60:140]),
    (
        "random bars",
        np.tile(np.repeat(np.random.default_rng(8).integers(0, 2, 95) * 200, 3).astype(np.uint8), (120, 1)),
    ),
]


@pytest.mark.parametrize("picture", [pytest.param(p, id=name) for name, p in OTHERS])
def test_other_bars_are_never_taken_for_a_retail_code(picture: Picture) -> None:
    assert [s for s in ProfileEngine().look(picture) if s.sure] == []


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 400), st.integers(0, 2**32 - 1), st.booleans())
def test_any_picture_is_survived(height: int, width: int, seed: int, striped: bool) -> None:  # noqa: FBT001
    rows = 1 if striped else height
    noise = np.random.default_rng(seed).integers(0, 256, (rows, width), dtype=np.uint8)

    assert all(not s.sure for s in ProfileEngine().look(np.ascontiguousarray(np.broadcast_to(noise, (height, width)))))


def test_a_symbol_is_ninety_five_modules_between_its_quiet_zones() -> None:
    darkness = whole((6, 9, 3, 9, 4, 0, 0, 2, 0, 4, 8, 2, 1), 0.35)

    assert len(darkness) == len(positions()) == (MODULES + 2 * QUIET) * SAMPLES
    assert darkness[: (QUIET - 1) * SAMPLES].max() < 0.01
    assert darkness[QUIET * SAMPLES + 2] > 0.5
