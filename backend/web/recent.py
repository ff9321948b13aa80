"""Callers found in the last seconds, so that not every request asks the database who it comes from."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Caller = TypeVar("Caller")

KEPT_S = 5.0
"""How long a looked-up token is believed: a revoked one is refused within this, far below the 60 s that are promised."""
KEPT_MAX = 50_000
COMING_S = 30.0
"""Who came again within this is taken to come once more."""
DUE_MAX = 32
"""As many are looked up beside another: they cost the database less than the one more statement."""


@dataclass(slots=True)
class _Known(Generic[Caller]):
    """Believed until `until`; `came` is when it was last asked about again. Both in seconds of the clock."""

    caller: Caller
    until: float
    came: float | None = None


class Recent(Generic[Caller]):
    """By token hash; bounded, shared by threads. In the order in which they will cease to be believed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[bytes, _Known[Caller]] = {}
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Caller | None:
        found, now = self._found.get(key), self._clock()
        if found is None or found.until < now:
            return None
        found.came = now
        return found.caller

    def put(self, key: bytes, caller: Caller) -> None:
        now = self._clock()
        with self._lock:
            came = now if self._found.pop(key, None) is not None else None
            if len(self._found) >= KEPT_MAX:
                self._found.clear()
            self._found[key] = _Known(caller, now + KEPT_S, came)

    def forget(self, key: bytes) -> None:
        with self._lock:
            self._found.pop(key, None)

    def due(self) -> list[bytes]:
        """Those who keep coming and will soon not be believed: who has to look one up looks them up too, by one statement.
        Who does not come any more is dropped.
        """
        now, due = self._clock(), []
        with self._lock:
            for key, known in list(islice(self._found.items(), DUE_MAX)):
                if known.came is not None and known.came > now - COMING_S:
                    if known.until > now + KEPT_S / 2:
                        break
                    due.append(key)
                elif known.until < now:
                    del self._found[key]
        return due

    def renew(self, due: Collection[bytes], found: Mapping[bytes, Caller]) -> None:
        """What a look-up of `due` found; the others have ended. One that was forgotten meanwhile stays forgotten."""
        until = self._clock() + KEPT_S
        with self._lock:
            for key in due:
                known = self._found.pop(key, None)
                if known is not None and key in found:
                    self._found[key] = _Known(found[key], until, known.came)
