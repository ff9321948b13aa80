"""Laws of the camera's reader on short films: hands, glare, a counter that is bare at first."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from scanner.decode.live import VotingLiveReader
from scanner.decode.presence import CLEAR_MS, LEFT_VIEW_MS
from tests.bench.film import Carried, Film, Glare, Pose, Shot, card

EAN = card("EAN13", "6939400204821", 1)
QR, DATABAR = card("QRCODE", "https://example.cn/l/7", 3), card("DataBar", "06901234567892", 4)
HERE, THERE = Pose(420, 360, 2.4, 8, 10, -12), Pose(900, 380, 2.4, 4, -8, 10)
BARE = Shot((), 0.8)


def read(*shots: Shot, bare: Shot = BARE) -> list[str]:
    film, reader = Film((bare, *shots), seed=5, frames_per_s=10), VotingLiveReader()
    return [code.text for n, frame in enumerate(film.frames()) for code in reader.frame(frame, film.at_ms(n))]


def visit(good: object, pose: Pose, stop_s: float, glares: Sequence[Glare] = ()) -> Carried:
    away = replace(pose, y=1_100.0)
    return Carried(good, ((0, away), (0.4, pose), (stop_s - 0.3, pose), (stop_s, away)), glares=tuple(glares))


def test_each_of_several_labels_in_a_hand_is_one_read() -> None:
    goods = (
        visit(EAN, HERE, 1.1),
        visit(QR, replace(THERE, module_px=4), 1.2),
        visit(DATABAR, Pose(640, 180, 2.4), 1.2),
    )

    assert sorted(read(Shot(goods, 1.2))) == ["0106901234567892", "6939400204821", "https://example.cn/l/7"]


def test_a_label_moved_about_under_glare_is_not_read_again() -> None:
    cover = Glare(0.7, 2.5, (-30, 0), (30, 0), (260, 160), 450)
    poses = ((0.0, replace(HERE, y=1_100.0)), (0.3, HERE), (0.8, HERE), (1.3, THERE), (2.9, THERE))
    assert 1000 * (cover.stop_s - cover.start_s) > LEFT_VIEW_MS

    assert read(Shot((Carried(EAN, poses, glares=(cover,)),), 2.9)) == [EAN.key.decode()]


def test_the_next_piece_of_the_same_product_is_read_once_the_counter_was_bare() -> None:
    assert CLEAR_MS < LEFT_VIEW_MS
    bare = Shot((), CLEAR_MS / 1000 + 0.3)

    assert read(Shot((visit(EAN, HERE, 0.9),), 0.9), bare, Shot((visit(EAN, HERE, 0.9),), 0.9)) == ["6939400204821"] * 2


def test_two_equal_labels_side_by_side_are_one_read() -> None:
    goods = (visit(EAN, replace(HERE, x=320), 1.1), visit(EAN, replace(HERE, x=940), 1.1))

    assert read(Shot(goods, 1.1)) == ["6939400204821"]


@pytest.mark.parametrize("turned", [90, 45])
def test_a_label_is_read_however_it_is_turned(turned: int) -> None:
    held = Carried(EAN, ((0, Pose(640, 360, 2.6, turned)), (0.7, Pose(650, 360, 2.6, turned))))

    assert read(Shot((held,), 0.7), bare=Shot((), 0.1)) == ["6939400204821"]


def test_a_label_under_glare_is_not_read_again_where_the_bare_counter_was_never_seen() -> None:
    cover = Glare(0.6, 2.6, (-30, 0), (30, 0), (200, 130), 450)
    poses = ((0.0, HERE), (0.8, HERE), (1.3, THERE), (2.9, THERE))

    assert read(Shot((Carried(EAN, poses, glares=(cover,)),), 2.9), bare=Shot((), 0)) == [EAN.key.decode()]
