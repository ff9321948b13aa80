"""A reader that types like a keyboard (evdev), grabbed so that no keystroke leaks to a console."""

import select
import threading
from collections.abc import Iterator
from typing import Any

from scanner.clock import Clock
from scanner.sources.model import CodeTooLong, PartialCode, SourceEvent, SourceFailed, SourceOpened, Unusable
from scanner.sources.text import code_seen

CODE_CHARACTERS_MAX = 4_096
_POLL_S = 0.05
_EV_SYN, _EV_KEY = 0, 1
_SYN_REPORT, _SYN_DROPPED = 0, 3
_RELEASED, _PRESSED, _REPEATED = 0, 1, 2
# linux/input-event-codes.h: keys of a US keyboard stand in rows of consecutive codes.
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
)
_PLAIN = {first + n: key for first, plain, _ in _ROWS for n, key in enumerate(plain)}
_SHIFTED = {first + n: key for first, _, shifted in _ROWS for n, key in enumerate(shifted)}
_TAB, _ENTER, _KEYPAD_ENTER = 15, 28, 96
_ENDS = frozenset({_TAB, _ENTER, _KEYPAD_ENTER})
_SHIFTS = frozenset({42, 54})
_CONTROLS = frozenset({29, 97})
_CAPS_LOCK = 58


class KeyDecoder:
    """Keys become codes at Enter, keypad Enter or Tab. A longer pause than `gap_ms` drops what came before it, and a code of
    which the kernel lost a key is dropped whole.
    """

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._typed: list[str] = []
        self._last_ms = 0
        self._held: set[int] = set()
        self._caps = False
        self._lost = self._skipping = False

    def lost(self, at_ms: int) -> None:
        """The kernel had no room for all keys: what is typed has a gap, and until `report` comes what follows is stale."""
        self._lost = self._skipping = True
        self._held.clear()
        self._last_ms = at_ms

    def report(self) -> None:
        self._skipping = False

    def key(self, key: int, value: int, at_ms: int) -> list[str | Unusable]:
        """What this key event brought to an end: usually nothing."""
        if self._skipping:
            return []
        if value == _RELEASED:
            self._held.discard(key)
            return []
        if key in _SHIFTS | _CONTROLS:
            self._held.add(key)
            return []
        if key == _CAPS_LOCK:
            self._caps = not self._caps
            return []
        ended: list[str | Unusable] = list(self.pause(at_ms))
        self._last_ms = at_ms
        return ended + (self._end() if key in _ENDS else self._type(key))

    def pause(self, now_ms: int) -> list[Unusable]:
        if not (self._typed or self._lost) or now_ms - self._last_ms <= self._gap_ms:
            return []
        return [self._partial()]

    def _partial(self) -> Unusable:
        partial = Unusable(PartialCode(size=len(self._typed)))
        self._typed.clear()
        self._lost = False
        return partial

    def _type(self, key: int) -> list[str | Unusable]:
        character = self._character(key)
        if character is None:
            return []
        self._typed.append(character)
        if len(self._typed) <= CODE_CHARACTERS_MAX:
            return []
        self._typed.clear()
        return [Unusable(CodeTooLong(size_max=CODE_CHARACTERS_MAX))]

    def _character(self, key: int) -> str | None:
        plain = _PLAIN.get(key)
        if plain is None:
            return None
        if self._held & _CONTROLS:
            # Readers type the GS of a GS1 element string as Ctrl and ].
            return "\x1d" if plain == "]" else None
        shifted = bool(self._held & _SHIFTS) ^ (self._caps and plain.isalpha())
        return _SHIFTED[key] if shifted else plain

    def _end(self) -> list[str | Unusable]:
        if self._lost:
            return [self._partial()]
        code = "".join(self._typed)
        self._typed.clear()
        return [code] if code else []


class WedgeSource:
    src = "wedge"

    def __init__(self, path: str, gap_ms: int, clock: Clock) -> None:
        self._path = path
        self._gap_ms = gap_ms
        self._clock = clock

    def events(self, stop: threading.Event) -> Iterator[SourceEvent]:
        try:
            import evdev  # noqa: PLC0415 - Linux only; other sources work without it

            device = evdev.InputDevice(self._path)
            try:
                device.grab()
                yield SourceOpened(self.src)
                yield from self._read(device, stop)
            finally:
                device.close()
        except (ImportError, OSError) as error:
            raise SourceFailed(src=self.src, reason=type(error).__name__) from error

    def _read(self, device: Any, stop: threading.Event) -> Iterator[SourceEvent]:
        decoder = KeyDecoder(self._gap_ms)
        while not stop.is_set():
            ready, _, _ = select.select([device.fd], [], [], _POLL_S)
            if ready:
                yield from self.decode(decoder, device.read())
            else:
                yield from decoder.pause(self._clock.mono_ms())

    def decode(self, decoder: KeyDecoder, inputs: Any) -> Iterator[SourceEvent]:
        """`inputs`: evdev.InputEvent objects, all of which have just arrived."""
        for event in inputs:
            now_ms = self._clock.mono_ms()
            if event.type == _EV_SYN:
                _heed(decoder, event.code, now_ms)
            if event.type != _EV_KEY:
                continue
            for found in decoder.key(event.code, event.value, now_ms):
                if isinstance(found, Unusable):
                    yield found
                else:
                    yield code_seen(found.encode(), src=self.src, mono_ms=now_ms)


def _heed(decoder: KeyDecoder, code: int, now_ms: int) -> None:
    """Documentation/input/event-codes.rst of Linux: after SYN_DROPPED, all up to the next SYN_REPORT is to be ignored."""
    if code == _SYN_DROPPED:
        decoder.lost(now_ms)
    elif code == _SYN_REPORT:
        decoder.report()
