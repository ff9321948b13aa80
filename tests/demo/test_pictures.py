"""Label pictures are readable by the till's own decoder, and the same for the same seed."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.demo.city import VIDEO_TILL, Goods, picture_sales, video_sale
from backend.demo.pictures import HARD, label_card, photograph
from backend.demo.stage import stage_pictures, stage_video
from scanner.decode.live import VotingLiveReader
from scanner.decode.still import VotingStillReader
from scanner.pictures import load_picture

MEMBER = "GPM1." + "A" * 123


def test_the_same_seed_takes_the_same_picture() -> None:
    card = label_card("EAN13", "9521234000013", "能效 1 级", "冰箱")

    assert np.array_equal(photograph(card, 7, HARD), photograph(card, 7, HARD))
    assert not np.array_equal(photograph(card, 7, HARD), photograph(card, 8, HARD))


def test_the_title_is_drawn_without_any_font_of_the_machine() -> None:
    named, unnamed = label_card("EAN13", "9521234000013", "能效", ""), label_card("EAN13", "9521234000013", "", "")

    assert np.count_nonzero(named[:52] != unnamed[:52]) > 100


def test_every_staged_picture_reads_as_what_was_drawn(tmp_path: Path) -> None:
    sales = picture_sales(3)
    stage_pictures(tmp_path / "now", tmp_path / "kept", sales, [MEMBER if sale.member else None for sale in sales])

    reader = VotingStillReader()
    pictures = [load_picture(path) for path in sorted((tmp_path / "now").glob("*.jpg"))]
    found = [[code.text for code in reader.read(picture)] for picture in pictures]

    wanted: list[list[str]] = []
    for sale in sales:
        wanted += [[MEMBER]] if sale.member else []
        wanted += [[_as_read(goods)] for goods in sale.goods]
    assert [[_plain(text) for text in texts] for texts in found] == wanted


def _as_read(goods: Goods) -> str:
    return _plain(goods.code)


def _plain(text: str) -> str:
    return text.replace("(", "").replace(")", "") if text.startswith("(01)") else text


def test_a_second_staging_draws_only_what_changed(tmp_path: Path) -> None:
    for run_no in (1, 2):
        sales = picture_sales(run_no)
        stage_pictures(tmp_path / "now", tmp_path / "kept", sales, [None] * len(sales))

    assert len(list((tmp_path / "kept").iterdir())) == sum(len(sale.goods) for sale in picture_sales(1)) + 1


def test_the_shops_prices_lie_beside_the_pictures(tmp_path: Path) -> None:
    sales = picture_sales(1)[:1]
    stage_pictures(tmp_path / "now", tmp_path / "kept", sales, [MEMBER])

    said = [json.loads(path.read_text()) for path in sorted((tmp_path / "now").glob("*.json"))]

    assert [line["price_fen"] for line in said] == [goods.price_fen for goods in sales[0].goods]
    assert [line.get("finish", False) for line in said] == [False, False, True]


@pytest.mark.parametrize("device", [VIDEO_TILL.device])
def test_each_label_of_the_video_is_read_once_in_order(tmp_path: Path, device: str) -> None:
    sale = video_sale()
    stage_video(tmp_path / device / "labels.avi", sale, MEMBER)

    reader, video, read = VotingLiveReader(), cv2.VideoCapture(str(tmp_path / device / "labels.avi")), []
    for number in range(1000):
        present, frame = video.read()
        if not present:
            break
        read += [code.text for code in reader.frame(frame, number * 100)]

    assert read == [MEMBER, *(goods.code for goods in sale.goods), "GPFIN"]
