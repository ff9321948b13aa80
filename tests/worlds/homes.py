"""Where the servers of tests keep their data: in memory where there is room, since SIGKILL takes nothing of it either."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.kernel.ids import new_id

MEMORY, DISK = Path("/dev/shm"), Path("/var/tmp")  # noqa: S108 - what is made there has 48 random bits in its name
ROOM_BYTES = 4 * 2**30
"""Of all servers of a whole run, several times over."""


def in_memory() -> bool:
    """Whether there is room in memory, in which the server's own programs may run as well."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(MEMORY)
    return found.f_bavail * found.f_frsize >= ROOM_BYTES and not found.f_flag & os.ST_NOEXEC


def new_home(name: str) -> Path:
    """A short path that the services' own user can enter, and that does not exist yet: it makes it for itself."""
    return (MEMORY if in_memory() else DISK) / f"gp-{name}-{new_id()[-12:]}"


@contextmanager
def home(name: str) -> Iterator[Path]:
    """As `new_home`; what is there at the end goes."""
    place = new_home(name)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
