"""The camera's reader on a film, beside zxing-cpp as it comes and pyzbar as it comes, on the very same frames.

All three take each frame in turn, in changing order, and their CPU is counted by thread. A single engine "accepts" at
its first decode; it has no votes and no memory, which is what the comparison of wrong texts shows.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import mean, median, quantiles

import zxingcpp

from scanner.decode.engines import ZbarEngine
from scanner.decode.live import VotingLiveReader
from scanner.decode.model import Picture
from tests.bench.film import Film, Presence
from tests.bench.ground import Ground
from tests.bench.report import Ratio, say
from tests.bench.scenes import standard_film

SEED = 20261127
LIVE, ZXING, PYZBAR = "live", "zxing-cpp", "pyzbar"
# A label that is decided by votes of its last frames may be out of view by then.
LATE_FRAMES = 8
Look = Callable[[Picture, int], list[bytes]]


@dataclass
class Watched:
    """What one reader cost and said: milliseconds of CPU by frame, and texts with the frames in which they came."""

    cpu_ms: list[float] = field(default_factory=list)
    said: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def p95_ms(self) -> float:
        return quantiles(self.cpu_ms, n=20)[-1]

    def times(self, label: Presence) -> list[int]:
        """Frames after the label was whole in view; negative where a reader did with less of it."""
        last = label.last + LATE_FRAMES
        return [
            n - label.first for n, key in self.said if key == label.card.key and label.first - LATE_FRAMES <= n <= last
        ]

    def wrong(self, labels: Sequence[Presence]) -> set[bytes]:
        return {key for _, key in self.said} - {label.card.key for label in labels}


def live_cpu_median_vs_zxing(_ground: Ground, _alternations: int) -> Ratio:
    """Of a frame's CPU, ours to that of zxing-cpp with its default options."""
    watched = standard()[1]
    ratio = median(watched[LIVE].cpu_ms) / median(watched[ZXING].cpu_ms)
    return Ratio("live_cpu_median_vs_zxing", ratio, 1.0, at_most=True)


def live_cpu_p95_vs_zxing(_ground: Ground, _alternations: int) -> Ratio:
    watched = standard()[1]
    return Ratio("live_cpu_p95_vs_zxing", watched[LIVE].p95_ms / watched[ZXING].p95_ms, 2.0, at_most=True)


def live_labels_read_once(_ground: Ground, _alternations: int) -> Ratio:
    """The share of the film's labels that were accepted exactly once while they were in view."""
    labels, watched = standard()
    return Ratio("live_labels_read_once", sum(len(watched[LIVE].times(one)) == 1 for one in labels) / len(labels), 1.0)


def live_wrong_texts(_ground: Ground, _alternations: int) -> Ratio:
    labels, watched = standard()
    return Ratio("live_wrong_texts", len(watched[LIVE].wrong(labels)), 0.0, at_most=True)


@cache
def standard() -> tuple[list[Presence], Mapping[str, Watched]]:
    """One film for all four figures."""
    film = standard_film(SEED)
    watched = watch(film, readers())
    _tell(film, watched)
    return film.presences(), watched


def readers() -> dict[str, Look]:
    """pyzbar only where its library is."""
    live = VotingLiveReader()
    looks: dict[str, Look] = {
        LIVE: lambda frame, at_ms: [code.data for code in live.frame(frame, at_ms)],
        ZXING: lambda frame, _at_ms: [bytes(code.bytes) for code in zxingcpp.read_barcodes(frame)],
    }
    if ZbarEngine.make() is not None:
        from pyzbar import pyzbar

        looks[PYZBAR] = lambda frame, _at_ms: [code.data for code in pyzbar.decode(frame)]
    return looks


def watch(film: Film, looks: Mapping[str, Look]) -> dict[str, Watched]:
    watched = {name: Watched() for name in looks}
    order = list(looks)
    for number, frame in enumerate(film.frames()):
        order.append(order.pop(0))
        for name in order:
            began = time.thread_time()
            keys = looks[name](frame, film.at_ms(number))
            watched[name].cpu_ms.append((time.thread_time() - began) * 1e3)
            watched[name].said += [(number, key) for key in keys]
    return watched


def _tell(film: Film, watched: Mapping[str, Watched]) -> None:
    labels = film.presences()
    say(f"  {len(film)} 帧，{len(labels)} 个标签 / frames, labels")
    ours = {label.first: min(watched[LIVE].times(label), default=None) for label in labels}
    for name, one in watched.items():
        firsts = {label.first: min(one.times(label), default=None) for label in labels}
        read = [first for first in firsts.values() if first is not None]
        say(
            f"  {name:9} CPU {median(one.cpu_ms):5.1f} / p95 {one.p95_ms:5.1f} ms a frame   never read"
            f" {len(labels) - len(read):2}   wrong texts {len(one.wrong(labels)):2}   to accept, frames: median"
            f" {median(read):4.1f} mean {mean(read):4.1f}, ms: {median(read) * 1000 / film.frames_per_s:4.0f}"
        )
        both = [(ours[n], first) for n, first in firsts.items() if first is not None and ours[n] is not None]
        if name != LIVE and both:
            say(
                f"    of {len(both)} that both read: live first {sum(a < b for a, b in both)}, in the same frame"
                f" {sum(a == b for a, b in both)}, later {sum(a > b for a, b in both)}; in the mean"
                f" {mean(b - a for a, b in both):+.1f} frames earlier"
            )
