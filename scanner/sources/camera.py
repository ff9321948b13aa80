"""Frames: a USB camera, a Raspberry Pi camera, a video file. One label held before them is one read."""

import contextlib
import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2

from scanner.clock import Clock
from scanner.decode.model import LiveReader, Picture
from scanner.sources.model import SourceEvent, SourceFailed, SourceOpened
from scanner.sources.pictures import seen
from scanner.vitals import FrameTimes

PICTURE_SIZE = (1280, 720)


@dataclass(frozen=True, slots=True)
class Frame:
    """`at_ms`: the reader's own time line, which a film brings with it and a camera takes from the clock."""

    image: Picture
    at_ms: int


Frames = AbstractContextManager[Iterator[Frame]]


class CameraSource:
    def __init__(
        self,
        src: str,
        open_frames: Callable[[], Frames],
        new_reader: Callable[[], LiveReader],
        clock: Clock,
        times: FrameTimes,
    ) -> None:
        """A reader a run: what it remembers of a view ends with the view."""
        self.src = src
        self._open_frames = open_frames
        self._new_reader = new_reader
        self._clock = clock
        self._times = times

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        reader = self._new_reader()
        with self._open_frames() as frames:
            yield SourceOpened(self.src)
            for frame in frames:
                if stop.is_set():
                    return
                began_ms = self._clock.mono_ms()
                codes = reader.frame(frame.image, frame.at_ms)
                done_ms = self._clock.mono_ms()
                self._times.observe(done_ms, done_ms - began_ms)
                for code in codes:
                    yield seen(code, src=self.src, mono_ms=self._clock.mono_ms())


@contextmanager
def video_frames(path: Path) -> Iterator[Iterator[Frame]]:
    """Every frame of a film, as fast as it can be read, with the film's own times."""
    capture = _opened(cv2.VideoCapture(str(path)), "video")
    try:
        yield _film(capture)
    finally:
        capture.release()


@contextmanager
def usb_frames(index: int, frames_per_s_max: int, clock: Clock) -> Iterator[Iterator[Frame]]:
    """Video4Linux. libcamera's cameras do not speak it: those are `picamera`."""
    capture = _opened(cv2.VideoCapture(index, cv2.CAP_V4L2), f"cam{index}")
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, PICTURE_SIZE[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, PICTURE_SIZE[1])
    # An old frame is no use: the label may be gone.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    try:
        yield _live(lambda: _grab(capture, f"cam{index}"), 1000 // frames_per_s_max, clock)
    finally:
        capture.release()


@contextmanager
def pi_frames(frames_per_s_max: int, clock: Clock) -> Iterator[Iterator[Frame]]:
    try:
        # Debian's python3-picamera2, on a Pi only: no package index has it.
        picamera2: Any = importlib.import_module("picamera2")
    except ImportError as error:
        raise SourceFailed(src="picam", reason="python3-picamera2 is not installed") from error
    with _pi_failures():
        camera: Any = picamera2.Picamera2()
    try:
        with _pi_failures():
            camera.configure(camera.create_video_configuration(main={"size": PICTURE_SIZE, "format": "RGB888"}))
            camera.start()
        yield _live(lambda: _grab_pi(camera), 1000 // frames_per_s_max, clock)
    finally:
        # Stops it, too. Whatever happened: a camera that is still held cannot be opened again.
        with contextlib.suppress(RuntimeError, OSError):
            camera.close()


@contextmanager
def _pi_failures() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, IndexError, OSError) as error:
        raise SourceFailed(src="picam", reason=type(error).__name__) from error


def _grab_pi(camera: Any) -> Picture:
    with _pi_failures():
        return cast("Picture", camera.capture_array())


def _film(capture: cv2.VideoCapture) -> Iterator[Frame]:
    number = 0
    per_s = capture.get(cv2.CAP_PROP_FPS) or 25.0
    while True:
        ok, image = capture.read()
        if not ok:
            return
        yield Frame(cast("Picture", image), round(1000 * number / per_s))
        number += 1


def _live(grab: Callable[[], Picture], every_ms: int, clock: Clock) -> Iterator[Frame]:
    pause = threading.Event()
    while True:
        began_ms = clock.mono_ms()
        yield Frame(grab(), began_ms)
        pause.wait(max(0, every_ms - (clock.mono_ms() - began_ms)) / 1000)


def _grab(capture: cv2.VideoCapture, src: str) -> Picture:
    try:
        ok, image = capture.read()
    except cv2.error as error:
        raise SourceFailed(src=src, reason="the driver failed") from error
    if not ok:
        raise SourceFailed(src=src, reason="no picture came")
    return cast("Picture", image)


def _opened(capture: cv2.VideoCapture, src: str) -> cv2.VideoCapture:
    if not capture.isOpened():
        capture.release()
        raise SourceFailed(src=src, reason="it cannot be opened")
    return capture
