import contextlib
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.__main__ import main
from scanner.decode.limits import PICTURE_PIXELS_MAX
from scanner.errors import TillRefusal
from scanner.pictures import PictureTooLarge, load_picture, measure, unpack_picture
from tests.scanner.decode.drawing import barcode, qr

ENCODINGS = [".png", ".jpg", ".webp", ".bmp"]


def rows_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    cv2.imwrite(str(tmp_path / "b" / "one.png"), barcode("6939400204821", "EAN13"))
    cv2.imwrite(str(tmp_path / "a.jpg"), qr("绿色食品".encode("gb18030")))
    cv2.imwrite(str(tmp_path / "c.bmp"), np.full((90, 90), 255, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    return tmp_path


def test_one_line_a_picture_in_sorted_order(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["read", "--json", str(folder)]) == 0

    rows = rows_of(capfdbinary.readouterr().out.decode())
    assert [row["file"] for row in rows] == ["a.jpg", "b/one.png", "c.bmp"]
    assert rows[1]["readings"][0].items() >= {"symbology": "EAN13", "text": "6939400204821", "aim": "]E0"}.items()
    assert rows[0]["readings"][0]["bytes_hex"] == "绿色食品".encode("gb18030").hex()
    assert rows[2]["readings"] == []
    assert all(row["cpu_ms"] >= 0 for row in rows)


def test_a_broken_file_is_a_row_and_the_rest_is_read(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (folder / "b" / "cut.png").write_bytes((folder / "b" / "one.png").read_bytes()[:90])
    (folder / "b" / "empty.webp").write_bytes(b"")

    assert main(["read", "--json", str(folder), str(folder / "gone.png")]) == 1

    rows = {row["file"]: row for row in rows_of(capfdbinary.readouterr().out.decode())}
    assert rows["b/cut.png"]["error"]["code"] == "picture_unreadable"
    assert rows["b/empty.webp"]["error"]["code"] == "picture_unreadable"
    assert rows[(folder / "gone.png").as_posix()]["error"]["code"] == "picture_missing"
    assert rows["b/one.png"]["readings"]


def test_people_get_readable_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["read", str(folder)])

    said = capsys.readouterr().out.splitlines()
    assert "6939400204821" in said[1]
    assert "未识读" in said[2]


def test_lines_are_given_as_they_come_and_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    command = [sys.executable, "-m", "scanner", "read", "--json", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()

    assert json.loads(first)["file"] == "a.jpg"
    assert complaint == b""


def png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize(("width", "height"), [(PICTURE_PIXELS_MAX + 1, 1), (50_000, 50_000), (30_000, 2)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(PictureTooLarge):
        unpack_picture(png_header(width, height))


def test_a_folder_named_like_a_picture_and_a_pipe_are_refused(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.png")

    with pytest.raises(TillRefusal, match="picture_not_a_file"):
        load_picture(tmp_path / "pipe.png")


@pytest.mark.parametrize("suffix", ENCODINGS)
def test_the_header_states_the_size_of_every_format(suffix: str) -> None:
    drawn, content = cv2.imencode(suffix, np.full((37, 53, 3), 200, np.uint8))

    assert drawn
    assert measure(content.tobytes()) == (53, 37)


def test_lossless_webp_and_extended_webp_are_measured() -> None:
    drawn, content = cv2.imencode(".webp", np.full((37, 53, 4), 200, np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 101])

    assert drawn
    assert measure(content.tobytes()) == (53, 37)


def test_what_is_transparent_lies_on_white() -> None:
    label = barcode("6939400204821", "EAN13")
    drawn = np.dstack([np.zeros((*label.shape, 3), np.uint8), 255 - label])

    picture = unpack_picture(cv2.imencode(".png", drawn)[1].tobytes())

    assert np.array_equal(picture[:, :, 0], label)


def test_sixteen_bit_pictures_are_read_as_eight() -> None:
    picture = unpack_picture(cv2.imencode(".png", np.full((20, 20), 0xABCD, np.uint16))[1].tobytes())

    assert picture.dtype == np.uint8
    assert picture[0, 0] == 0xAB


@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF0000WEBP", b"BM"]), st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_a_named_refusal(magic: bytes, rest: bytes) -> None:
    with contextlib.suppress(TillRefusal):
        assert unpack_picture(magic + rest).dtype == np.uint8
