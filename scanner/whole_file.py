"""Files that are there whole or not at all, whenever the power goes."""

import os
from collections.abc import Callable
from pathlib import Path


def replace_private(path: Path, content: bytes, written: Callable[[], None] | None = None) -> None:
    """`path` with `content`, on the medium, name and all, for its owner alone. Raises OSError; the old one then stays.

    `written`: called when the new content is safe under another name.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if written is not None:
        written()
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names in it are on the medium too, not only what they name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
