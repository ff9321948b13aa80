"""Readers that are pulled out, mumble or hang: each loss is told once, and each comes back by itself."""

import errno
import os
import pty
import random
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from evdev import InputEvent

from scanner.clock import SystemClock
from scanner.decode.live import VotingLiveReader
from scanner.sources.camera import CameraSource, pi_frames, usb_frames
from scanner.sources.model import (
    CodeSeen,
    ReadSource,
    SourceEvent,
    SourceFailed,
    SourceLost,
    SourceOpened,
    Unusable,
    follow,
)
from scanner.sources.streams import SerialSource
from scanner.sources.wedge import WedgeSource
from scanner.vitals import FrameTimes
from tests.scanner.till.test_keyboard import keys_of
from tests.scanner.till.test_sources import EAN, label

CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.sources.model.REOPEN_MIN_S", 0.01)
    monkeypatch.setattr("scanner.sources.model.REOPEN_MAX_S", 0.04)


def followed(source: ReadSource, enough: Callable[[list[SourceEvent]], bool]) -> list[SourceEvent]:
    """What the source tells until it is enough."""
    events: list[SourceEvent] = []
    stop = threading.Event()

    def put(event: SourceEvent) -> None:
        events.append(event)
        if enough(events):
            stop.set()

    thread = threading.Thread(target=follow, args=(source, put, stop), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), events
    return events


def kinds(events: list[SourceEvent]) -> list[type]:
    return [type(event) for event in events]


# Cameras, doubled where cv2 and picamera2 begin


class Camera:
    """Stands in cv2.VideoCapture's place: a camera whose plug is pulled and put back."""

    released = 0

    def __init__(self, script: Iterator[Any]) -> None:
        self._script = script

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return next(self._script) == "open"

    def set(self, *_: object) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return step is not None, step

    def release(self) -> None:
        Camera.released += 1


def camera_source() -> CameraSource:
    return CameraSource("cam0", lambda: usb_frames(0, 60, CLOCK), VotingLiveReader, CLOCK, FrameTimes())


@pytest.mark.parametrize("pulled", [None, cv2.error("VIDIOC_DQBUF: No such device")])
def test_a_camera_that_is_pulled_out_is_told_and_reads_again_once_it_is_back(
    pulled: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = cv2.cvtColor(label(EAN), cv2.COLOR_GRAY2BGR)
    blank = np.full_like(picture, 255)
    script = iter(["open", blank, pulled, "absent", "absent", "open", *[picture] * 30])
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: Camera(script))
    Camera.released = 0

    events = followed(camera_source(), lambda events: isinstance(events[-1], CodeSeen))

    assert kinds(events) == [SourceOpened, SourceLost, SourceLost, SourceLost, SourceOpened, CodeSeen]
    assert Camera.released == 4


class PiCamera:
    """Stands in picamera2.Picamera2's place; libcamera lets only one have the camera."""

    held = 0

    def __init__(self, failing: str) -> None:
        if PiCamera.held:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        PiCamera.held += 1
        self._failing = failing

    def create_video_configuration(self, **_: object) -> dict[str, object]:
        return {}

    def configure(self, _: object) -> None:
        return

    def start(self) -> None:
        self._fail_at("start")

    def capture_array(self) -> Any:
        self._fail_at("capture")
        return np.full((100, 100, 3), 255, dtype=np.uint8)

    def close(self) -> None:
        PiCamera.held -= 1

    def _fail_at(self, point: str) -> None:
        if self._failing == point:
            raise RuntimeError("Camera frontend has timed out!")


@pytest.mark.parametrize("failing", ["start", "capture"])
def test_a_pi_camera_that_fails_is_let_go_so_that_it_can_be_opened_again(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([failing, "", ""])
    module = types.SimpleNamespace(Picamera2=lambda: PiCamera(next(failures)))
    monkeypatch.setitem(sys.modules, "picamera2", module)
    source = CameraSource("picam", lambda: pi_frames(60, CLOCK), VotingLiveReader, CLOCK, FrameTimes())
    lost = [SourceOpened, SourceLost] if failing == "capture" else [SourceLost]

    events = followed(source, lambda events: kinds(events) == [*lost, SourceOpened])

    assert kinds(events) == [*lost, SourceOpened]
    assert PiCamera.held == 0


# Serial lines


def test_garbage_on_a_serial_line_is_refused_and_the_next_code_is_whole() -> None:
    ours, theirs = pty.openpty()
    draw = random.Random(9)
    noise = bytes(
        byte for byte in draw.randbytes(40_000) if byte not in b"\r\n\x03\x04\x11\x13\x1a\x1c\x7f\x15\x16\x17"
    )
    source = SerialSource(os.ttyname(theirs), 115_200, 100, CLOCK)

    def speak() -> None:
        # A noisy cable: more than any code, then silence, then half a code, then a whole one.
        for at in range(0, len(noise), 1_000):
            os.write(ours, noise[at : at + 1_000])
        os.write(ours, b"\n")
        time.sleep(0.05)
        os.write(ours, b"69012")
        time.sleep(0.25)
        os.write(ours, b"]E0" + EAN.encode() + b"\r\n")

    speaker = threading.Thread(target=speak)

    def enough(events: list[SourceEvent]) -> bool:
        if kinds(events) == [SourceOpened]:
            speaker.start()
        return isinstance(events[-1], CodeSeen)

    events = followed(source, enough)
    speaker.join()

    assert kinds(events) == [SourceOpened, Unusable, Unusable, CodeSeen]
    refused = [event.refusal.code for event in events if isinstance(event, Unusable)]
    assert refused == ["code_too_long", "partial_code"]
    assert isinstance(events[-1], CodeSeen)
    assert (events[-1].code, events[-1].symbology) == (EAN, "EAN13")
    for end in (ours, theirs):
        os.close(end)


def test_a_serial_reader_that_is_pulled_out_is_opened_again_by_its_name(tmp_path: Path) -> None:
    """The kernel's udev link names a reader; behind it there may be another device after it was plugged in again."""
    name = tmp_path / "reader"
    first, second = pty.openpty(), pty.openpty()
    name.symlink_to(os.ttyname(first[1]))

    def enough(events: list[SourceEvent]) -> bool:
        if kinds(events) == [SourceOpened]:
            os.close(first[1])
            os.close(first[0])
            name.unlink()
        elif kinds(events)[-2:] == [SourceLost, SourceLost] and not name.is_symlink():
            name.symlink_to(os.ttyname(second[1]))
        elif kinds(events)[-1] is SourceOpened:
            os.write(second[0], b"b1\n")
        return isinstance(events[-1], CodeSeen)

    events = followed(SerialSource(str(name), 9_600, 50, CLOCK), enough)

    assert kinds(events)[:2] == [SourceOpened, SourceLost]
    assert kinds(events)[-2:] == [SourceOpened, CodeSeen]
    for end in second:
        os.close(end)


# Keyboard wedges, doubled where evdev begins


PAUSE_S = 0.15
Script = list[list[InputEvent] | OSError]


class Keyboard:
    """Stands in evdev.InputDevice's place: a byte in its pipe stands for events that wait. An empty step is a pause."""

    def __init__(self, script: Script, calls: list[str]) -> None:
        self._script = script
        self._calls = calls
        self.fd, self._into = os.pipe()
        self._later: threading.Timer | None = None
        self._next()

    def grab(self) -> None:
        self._calls.append("grab")

    def read(self) -> list[InputEvent]:
        self._calls.append("read")
        os.read(self.fd, 1)
        step = self._script.pop(0)
        if isinstance(step, OSError):
            raise step
        self._next()
        return step

    def close(self) -> None:
        self._calls.append("close")
        if self._later is not None:
            self._later.join()
        os.close(self.fd)
        os.close(self._into)

    def _next(self) -> None:
        if self._script and self._script[0] == []:
            self._script.pop(0)
            self._later = threading.Timer(PAUSE_S, os.write, (self._into, b"x"))
            self._later.start()
        elif self._script:
            os.write(self._into, b"x")


def test_a_wedge_is_grabbed_before_anything_is_read_and_again_after_it_was_pulled_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    runs: list[Script] = [
        [keys_of("a1\n"), OSError(errno.ENODEV, "No such device")],
        [keys_of("b1\n")],
    ]
    monkeypatch.setattr("evdev.InputDevice", lambda _path: Keyboard(runs.pop(0), calls))

    events = followed(
        WedgeSource("/dev/input/event3", 100, CLOCK), lambda events: kinds(events)[-1] is CodeSeen and len(events) > 3
    )

    assert kinds(events) == [SourceOpened, CodeSeen, SourceLost, SourceOpened, CodeSeen]
    assert [event.code for event in events if isinstance(event, CodeSeen)] == ["a1", "b1"]
    assert calls[:4] == ["grab", "read", "read", "close"]
    assert calls[4:6] == ["grab", "read"]


def test_a_wedge_that_another_program_holds_is_told_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class Held(Keyboard):
        def grab(self) -> None:
            raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr("evdev.InputDevice", lambda _path: Held([], calls))

    with pytest.raises(SourceFailed):
        list(WedgeSource("/dev/input/event3", 100, CLOCK).events(threading.Event()))

    assert calls == ["close"]


def test_a_code_that_is_half_typed_is_dropped_after_a_pause_and_the_next_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script: Script = [keys_of("690123"), [], keys_of(EAN + "\n")]
    monkeypatch.setattr("evdev.InputDevice", lambda _path: Keyboard(script, []))

    events = followed(WedgeSource("/dev/input/event3", 60, CLOCK), lambda events: isinstance(events[-1], CodeSeen))

    assert kinds(events) == [SourceOpened, Unusable, CodeSeen]
    assert isinstance(events[1], Unusable)
    assert events[1].refusal.code == "partial_code"
