"""A memory card that loses its power: SQLite's own writes and syncs, recorded by a VFS that stands before the real one.

The till's code runs unchanged. What was written before a file's last sync is on the card for certain; of what was written
after it any part may be there, up to half a sector. https://www.sqlite.org/vfs.html, sqlite3.h
"""

import _sqlite3
import ctypes
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

SECTOR_BYTES = 512
_KEPT: list[Any] = []
"""For the life of the process: a connection that a failed test left open still calls what it was given."""
OK = 0
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
# The path as a bare pointer: SQLite keeps it, and Python's copy of it would not live as long as the file.
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)


class _Methods(ctypes.Structure):
    """sqlite3_io_methods."""

    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", _Write),
        ("truncate", _Truncate),
        ("sync", _Sync),
        ("others", c_void_p * 13),
    ]


class _File(ctypes.Structure):
    """sqlite3_file."""

    _fields_ = [("methods", POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """sqlite3_vfs."""

    _fields_ = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("path_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("app_data", c_void_p),
        ("open", _Open),
        ("delete", _Delete),
        ("others", c_void_p * 14),
    ]


class What(Enum):
    WRITE = auto()
    TRUNCATE = auto()
    SYNC = auto()
    DELETE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """`at`: the offset of a write, the new size of a truncation."""

    what: What
    name: str
    at: int = 0
    data: bytes = b""


class Recording:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def write(self, name: str, at: int, data: bytes) -> None:
        self.steps.append(Step(What.WRITE, name, at, data))


def library() -> ctypes.CDLL | None:
    """The very SQLite that Python's module uses; None where it shows no symbols."""
    try:
        found = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        found.sqlite3_vfs_find.restype = POINTER(_Vfs)
    except (OSError, AttributeError):
        return None
    return found


@contextmanager
def recording() -> Iterator[Recording]:
    """Everything that SQLite writes meanwhile, in this process, is noted and done."""
    sqlite = library()
    assert sqlite is not None
    real = sqlite.sqlite3_vfs_find(None)
    vfs = _Vfs.from_buffer_copy(real.contents)
    vfs.name = b"recording"
    found = Recording()
    _KEPT.append(vfs)

    def open_file(_vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
        code: int = real.contents.open(ctypes.cast(real, c_void_p), path, file, flags, out)
        if code == OK and path is not None:
            name = Path(ctypes.string_at(path).decode()).name
            _KEPT.append(_watched(ctypes.cast(file, POINTER(_File)), name, found))
        return code

    def delete(_vfs: int, path: bytes, sync: int) -> int:
        found.steps.append(Step(What.DELETE, Path(path.decode()).name))
        return int(real.contents.delete(ctypes.cast(real, c_void_p), path, sync))

    _KEPT.append((found, open_file, delete))
    vfs.open, vfs.delete = _Open(open_file), _Delete(delete)
    sqlite.sqlite3_vfs_register(ctypes.byref(vfs), 1)
    try:
        yield found
    finally:
        sqlite.sqlite3_vfs_register(real, 1)
        sqlite.sqlite3_vfs_unregister(ctypes.byref(vfs))


def _watched(file: Any, name: str, found: Recording) -> list[Any]:
    """What must live as long as the file."""
    real = file.contents.methods.contents
    mine = _Methods.from_buffer_copy(real)

    def write(handle: int, data: int, size: int, at: int) -> int:
        found.write(name, at, ctypes.string_at(data, size))
        return int(real.write(handle, data, size, at))

    def truncate(handle: int, size: int) -> int:
        found.steps.append(Step(What.TRUNCATE, name, size))
        return int(real.truncate(handle, size))

    def sync(handle: int, flags: int) -> int:
        code = int(real.sync(handle, flags))
        found.steps.append(Step(What.SYNC, name))
        return code

    mine.write, mine.truncate, mine.sync = _Write(write), _Truncate(truncate), _Sync(sync)
    file.contents.methods = ctypes.pointer(mine)
    return [mine, real]


Survives = Callable[[list[Step]], list[Step]]
"""Of a file's steps since its last sync: those that reached the card."""


def nothing(_pending: list[Step]) -> list[Step]:
    return []


def everything(pending: list[Step]) -> list[Step]:
    return pending


def some(draw: random.Random) -> Survives:
    """Any of them, in any company, and one of them torn at a sector."""

    def choose(pending: list[Step]) -> list[Step]:
        chosen = [step for step in pending if draw.random() < 0.5]
        if chosen and chosen[-1].what is What.WRITE:
            last = chosen[-1]
            size = SECTOR_BYTES * draw.randint(0, len(last.data) // SECTOR_BYTES)
            chosen[-1] = Step(What.WRITE, last.name, last.at, last.data[:size])
        return chosen

    return choose


def card_after(steps: list[Step], survives: Survives) -> dict[str, bytes]:
    """What each file holds when the power goes after the last of `steps`."""
    files: dict[str, bytearray] = {}
    pending: dict[str, list[Step]] = {}
    for step in steps:
        waiting = pending.setdefault(step.name, [])
        if step.what is What.SYNC:
            _apply(files, step.name, waiting)
            waiting.clear()
        elif step.what is What.DELETE:
            files.pop(step.name, None)
            waiting.clear()
        else:
            waiting.append(step)
    for name, waiting in pending.items():
        _apply(files, name, survives(waiting))
    return {name: bytes(content) for name, content in files.items()}


def _apply(files: dict[str, bytearray], name: str, steps: list[Step]) -> None:
    for step in steps:
        content = files.setdefault(name, bytearray())
        if step.what is What.TRUNCATE:
            del content[step.at :]
            continue
        if len(content) < step.at + len(step.data):
            content.extend(bytes(step.at + len(step.data) - len(content)))
        content[step.at : step.at + len(step.data)] = step.data
