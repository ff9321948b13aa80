"""The source that a setting names."""

import sys
from functools import partial
from pathlib import Path

from scanner.clock import Clock
from scanner.decode.live import VotingLiveReader
from scanner.decode.still import VotingStillReader
from scanner.settings import Settings
from scanner.sources.camera import CameraSource, pi_frames, usb_frames, video_frames
from scanner.sources.model import ReadSource
from scanner.sources.pictures import PictureSource
from scanner.sources.streams import SerialSource, StdinSource, port_and_baud
from scanner.sources.wedge import WedgeSource
from scanner.vitals import FrameTimes


def source_of(settings: Settings, clock: Clock, frames: FrameTimes) -> ReadSource:
    """settings.source has one of the known forms; `frames` learns how fast a camera's are read."""
    kind, _, where = settings.source.partition(":")
    match kind:
        case "pictures":
            return PictureSource(Path(where), VotingStillReader(), clock)
        case "serial":
            return SerialSource(*port_and_baud(where), settings.wedge_gap_ms, clock)
        case "evdev":
            return WedgeSource(where, settings.wedge_gap_ms, clock)
        case "stdin":
            return StdinSource(sys.stdin.fileno(), clock)
        case _:
            return _camera(kind, where, settings, clock, frames)


def reads_otherwise(before: Settings, after: Settings) -> bool:
    """Whether the source must be opened anew to read by `after`."""
    kind = after.source.partition(":")[0]
    if kind in ("camera", "picamera"):
        return before.camera_frames_per_s_max != after.camera_frames_per_s_max
    return kind in ("serial", "evdev") and before.wedge_gap_ms != after.wedge_gap_ms


def _camera(kind: str, where: str, settings: Settings, clock: Clock, frames: FrameTimes) -> ReadSource:
    frames_max = settings.camera_frames_per_s_max
    if kind == "video":
        return CameraSource("video", partial(video_frames, Path(where)), VotingLiveReader, clock, frames)
    if kind == "picamera":
        return CameraSource("picam", partial(pi_frames, frames_max, clock), VotingLiveReader, clock, frames)
    index = int(where)
    return CameraSource(f"cam{index}", partial(usb_frames, index, frames_max, clock), VotingLiveReader, clock, frames)
