"""Byte streams: standard input and serial readers."""

import os
import select
import threading
from collections.abc import Iterator

import serial

from scanner.clock import Clock
from scanner.sources.model import SourceEvent, SourceFailed, SourceOpened, Unusable
from scanner.sources.text import LineBuffer, code_seen, feed_events

_CHUNK_BYTES = 4_096
_POLL_S = 0.2


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
    """A reader on a serial line that ends each code with CR or LF."""

    src = "serial"

    def __init__(self, port: str, baud: int, gap_ms: int, clock: Clock) -> None:
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
                    yield code_seen(found, src=self.src, mono_ms=self._clock.mono_ms())
