"""Byte streams: standard input and serial readers."""

import os
import select
import threading
from collections.abc import Callable, Iterator

import serial

from scanner.clock import Clock
from scanner.sources.model import SourceEvent, SourceFailed, SourceOpened, Unusable
from scanner.sources.text import LineBuffer, code_seen, feed_events

_CHUNK_BYTES = 4_096
_POLL_S = 0.2
DEFAULT_BAUD = 9_600


class StdinSource:
    """The shop's till, or a person, writes lines. Ends with its input."""

    src = "stdin"

    def __init__(self, descriptor: int, clock: Clock) -> None:
        self._descriptor = descriptor
        self._clock = clock

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        yield SourceOpened(self.src)
        buffer = LineBuffer()
        while not stop.is_set():
            # Never blocks for long: a thread stuck in a read would hold up the end of the program.
            ready, _, _ = select.select([self._descriptor], [], [], _POLL_S)
            if not ready:
                continue
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
            if not chunk:
                last = buffer.last_line()
                yield from self._of([last] if last else [])
                return
            yield from self._of(buffer.feed(chunk))

    def _of(self, lines: list[bytes | Unusable] | list[bytes]) -> Iterator[SourceEvent]:
        for line in lines:
            if isinstance(line, Unusable):
                yield line
            else:
                yield from feed_events(line, src=self.src, mono_ms=self._clock.mono_ms())


class SerialSource:
    """A reader, or whatever else writes lines: each ends with CR or LF."""

    def __init__(
        self,
        port: str,
        baud: int,
        gap_ms: int,
        clock: Clock,
        *,
        src: str = "serial",
        of_line: Callable[[bytes, int], SourceEvent] | None = None,
    ) -> None:
        """`of_line` makes an event of a line and when it came; without it a line is a code."""
        self.src = src
        self._of_line = of_line or self._code
        self._port = port
        self._baud = baud
        self._gap_s = gap_ms / 1000
        self._clock = clock

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        try:
            with serial.Serial(self._port, self._baud, timeout=self._gap_s) as line:
                yield SourceOpened(self.src)
                yield from self._read(line, stop)
        except (serial.SerialException, OSError, ValueError) as error:
            raise SourceFailed(src=self.src, reason=type(error).__name__) from error

    def _read(self, line: serial.Serial, stop: threading.Event) -> Iterator[SourceEvent]:
        buffer = LineBuffer()
        while not stop.is_set():
            chunk = line.read(max(1, line.in_waiting))
            if not chunk:
                partial = buffer.give_up()
                yield from [partial] if partial else []
            for found in buffer.feed(chunk):
                if isinstance(found, Unusable):
                    yield found
                else:
                    yield self._of_line(found, self._clock.mono_ms())

    def _code(self, line: bytes, mono_ms: int) -> SourceEvent:
        return code_seen(line, src=self.src, mono_ms=mono_ms)


def port_and_baud(where: str) -> tuple[str, int]:
    """/dev/ttyUSB0@9600."""
    port, _, baud = where.partition("@")
    return port, int(baud or DEFAULT_BAUD)
