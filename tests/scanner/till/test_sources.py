import os
import pty
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from scanner.decode.live import VotingLiveReader
from scanner.decode.still import VotingStillReader
from scanner.sources.camera import CameraSource, video_frames
from scanner.sources.model import (
    ButtonPressed,
    CashierSeen,
    CodeSeen,
    FinishSeen,
    SourceEnded,
    SourceEvent,
    SourceFailed,
    SourceLost,
    SourceOpened,
    Unusable,
    follow,
)
from scanner.sources.pictures import PictureSource
from scanner.sources.streams import SerialSource, StdinSource
from scanner.sources.text import LINE_BYTES_MAX, LineBuffer, code_seen, feed_events
from scanner.sources.wedge import WedgeSource
from scanner.vitals import FrameTimes

EAN = "6901234567892"


class TickingClock:
    boot = "b"

    def __init__(self) -> None:
        self.now = 0

    def mono_ms(self) -> int:
        self.now += 1
        return self.now

    def wall_ms(self) -> int:
        return self.now


def codes(events: list[SourceEvent]) -> list[str]:
    return [event.code for event in events if isinstance(event, CodeSeen)]


def reasons(events: list[SourceEvent]) -> list[str]:
    return [event.refusal.code for event in events if isinstance(event, Unusable)]


# Text


@pytest.mark.parametrize(
    ("data", "code", "symbology", "aim"),
    [
        (b"]E06901234567892", EAN, "EAN13", "]E0"),
        (b"]E412345670", "12345670", "EAN8", "]E4"),
        (b"]d201069012345678921\x1d21A", "01069012345678921\x1d21A", "DATAMATRIX", "]d2"),
        (b"]Q3https://x", "https://x", "QRCODE", "]Q3"),
        (b"6901234567892", EAN, "UNKNOWN", None),
        (b"]", "]", "UNKNOWN", None),
    ],
)
def test_an_aim_identifier_before_a_code_names_its_symbology(
    data: bytes, code: str, symbology: str, aim: str | None
) -> None:
    seen = code_seen(data, src="s", mono_ms=1)

    assert (seen.code, seen.symbology, seen.aim, seen.raw) == (code, symbology, aim, None)


def test_a_chinese_code_in_gb18030_keeps_its_bytes() -> None:
    data = "有机产品".encode("gb18030")

    seen = code_seen(data, src="s", mono_ms=1)

    assert (seen.code, seen.raw) == ("有机产品", data)


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda line: not set(line) & set(b"\r\n"))), st.data())
def test_lines_come_out_whole_however_the_bytes_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + data.draw(st.sampled_from([b"\n", b"\r", b"\r\n"])) for line in lines)
    buffer = LineBuffer()
    found: list[bytes | Unusable] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += buffer.feed(stream[:size])
        stream = stream[size:]

    assert found == lines
    assert buffer.give_up() is None


def test_an_overlong_line_is_refused_once_and_the_next_is_read() -> None:
    buffer = LineBuffer()

    found = buffer.feed(b"x" * (LINE_BYTES_MAX + 1)) + buffer.feed(b"yyy\nnext\n")

    assert isinstance(found[0], Unusable)
    assert found[0].refusal.code == "code_too_long"
    assert found[1:] == [b"next"]


def test_a_pause_in_the_middle_drops_the_half_that_came() -> None:
    buffer = LineBuffer()
    buffer.feed(b"69012345")

    dropped = buffer.give_up()

    assert dropped is not None
    assert dropped.refusal.code == "partial_code"
    assert buffer.feed(b"67892\n") == [b"67892"]


def test_the_shops_till_says_quantity_price_and_cashier() -> None:
    line = orjson.dumps({"code": EAN, "sym": "EAN13", "qty": 2, "price_fen": 1990, "sn": "S1", "cashier": "c07"})

    cashier, seen = feed_events(line, src="stdin", mono_ms=5)

    assert cashier == CashierSeen("c07")
    assert isinstance(seen, CodeSeen)
    assert (seen.code, seen.qty, seen.price_fen, seen.sn) == (EAN, 2, 1990, "S1")


def test_finish_and_button_may_stand_alone() -> None:
    assert feed_events(b'{"finish":true}', src="s", mono_ms=1) == [FinishSeen()]
    assert feed_events(b'{"button":true}', src="s", mono_ms=1) == [ButtonPressed()]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"{}x",
        b'{"code":1}',
        b'{"code":"a","qty":"2"}',
        b'{"code":"a","qty":true}',
        b'{"code":"a","raw":"?"}',
        b'{"kode":"a"}',
    ],
)
def test_a_feed_line_that_is_not_understood_is_refused_and_not_read(line: bytes) -> None:
    assert reasons(feed_events(line, src="s", mono_ms=1)) == ["feed_line_unusable"]


@given(st.binary(max_size=200))
def test_no_bytes_whatever_break_the_feed(line: bytes) -> None:
    for event in feed_events(line, src="s", mono_ms=1):
        assert isinstance(event, CodeSeen | CashierSeen | FinishSeen | ButtonPressed | Unusable)


# Streams


def test_standard_input_is_read_to_its_end_even_without_a_last_newline() -> None:
    out_of, into = os.pipe()
    os.write(into, b"a\n\nb")
    os.close(into)

    events = list(StdinSource(out_of, TickingClock()).events(threading.Event()))

    assert codes(events) == ["a", "b"]
    os.close(out_of)


@pytest.fixture
def serial_line() -> Iterator[tuple[int, str]]:
    ours, theirs = pty.openpty()
    yield ours, os.ttyname(theirs)
    for end in (ours, theirs):
        os.close(end)


def test_a_serial_reader_gives_whole_codes_and_drops_halves(serial_line: tuple[int, str]) -> None:
    ours, port = serial_line
    stop = threading.Event()
    events: list[SourceEvent] = []
    for event in SerialSource(port, 9600, 50, TickingClock()).events(stop):
        events.append(event)
        match event:
            case SourceOpened():
                os.write(ours, b"]E06901234567892\r\n69012")
            case Unusable():
                os.write(ours, b"b\r")
            case CodeSeen(code="b"):
                break
            case _:
                pass

    assert codes(events) == [EAN, "b"]
    assert reasons(events) == ["partial_code"]


def test_a_reader_that_is_unplugged_is_reported_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.sources.model.REOPEN_MIN_S", 0.01)

    class Loose:
        src = "loose"
        runs = 0

        def events(self, _stop: threading.Event) -> Iterator[SourceEvent]:
            self.runs += 1
            yield SourceOpened(self.src)
            if self.runs < 3:
                raise SourceFailed(src=self.src, reason="unplugged")

    seen: list[SourceEvent] = []
    follow(Loose(), seen.append, threading.Event())

    assert [type(event) for event in seen] == [
        SourceOpened,
        SourceLost,
        SourceOpened,
        SourceLost,
        SourceOpened,
        SourceEnded,
    ]


@pytest.mark.parametrize(
    "source",
    [
        SerialSource("/dev/no-such-port", 9600, 50, TickingClock()),
        WedgeSource("/dev/input/no-such-event", 50, TickingClock()),
        CameraSource(
            "video", lambda: video_frames(Path("no-such-film.mp4")), VotingLiveReader, TickingClock(), FrameTimes()
        ),
    ],
    ids=lambda source: str(source.src),
)
def test_a_device_that_is_not_there_is_named(source: SerialSource | WedgeSource | CameraSource) -> None:
    with pytest.raises(SourceFailed) as failure:
        list(source.events(threading.Event()))

    assert source.src in failure.value.sentence_zh


# Pictures and films


def label(text: str) -> np.ndarray:
    image = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.EAN13).to_image(scale=3))
    return cv2.copyMakeBorder(image, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)


def test_a_picture_with_its_sidecar_is_a_whole_sale(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), label(EAN))
    (tmp_path / "a.json").write_text(
        '{"member":"GPM1.x","cashier":"c1","qty":3,"price_fen":500,"finish":true}', encoding="utf-8"
    )
    cv2.imwrite(str(tmp_path / "b.png"), np.full((200, 200), 255, dtype=np.uint8))
    (tmp_path / "b.json").write_text('{"price_fen":"5"}', encoding="utf-8")
    (tmp_path / "c.png").write_bytes(b"not a picture")

    events = list(PictureSource(tmp_path, VotingStillReader(), TickingClock()).events(threading.Event()))

    opened, cashier, member, read, finish, *rest = events
    assert (opened, cashier, finish) == (SourceOpened("pictures"), CashierSeen("c1"), FinishSeen())
    assert isinstance(member, CodeSeen)
    assert isinstance(read, CodeSeen)
    assert member.code == "GPM1.x"
    assert (read.code, read.symbology, read.qty, read.price_fen) == (EAN, "EAN13", 3, 500)
    assert reasons(rest) == ["feed_line_unusable", "nothing_decoded", "picture_unusable"]


def test_the_price_of_a_package_counts_for_its_retail_code_only(tmp_path: Path) -> None:
    qr = np.array(zxingcpp.create_barcode("https://x.example", zxingcpp.BarcodeFormat.QRCode).to_image(scale=6))
    ean = label(EAN)
    canvas = np.full((ean.shape[0] + qr.shape[0], max(ean.shape[1], qr.shape[1])), 255, dtype=np.uint8)
    canvas[: qr.shape[0], : qr.shape[1]] = qr
    canvas[qr.shape[0] :, : ean.shape[1]] = ean
    cv2.imwrite(str(tmp_path / "a.png"), canvas)
    (tmp_path / "a.json").write_text('{"price_fen":500,"qty":2}', encoding="utf-8")

    events = list(PictureSource(tmp_path, VotingStillReader(), TickingClock()).events(threading.Event()))

    priced = {event.symbology: (event.qty, event.price_fen) for event in events if isinstance(event, CodeSeen)}
    assert priced == {"EAN13": (2, 500), "QRCODE": (1, None)}


def test_a_label_held_before_the_camera_for_two_seconds_is_one_read(tmp_path: Path) -> None:
    image = cv2.cvtColor(label(EAN), cv2.COLOR_GRAY2BGR)
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (image.shape[1], image.shape[0]))
    for _ in range(20):
        writer.write(image)
    writer.release()

    source = CameraSource("video", lambda: video_frames(film), VotingLiveReader, TickingClock(), FrameTimes())
    events = list(source.events(threading.Event()))

    assert codes(events) == [EAN]
    assert events[0] == SourceOpened("video")
