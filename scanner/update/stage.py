"""A slot from a bundle: a tar of `requirements.txt`, every package with its hash, and `wheels/`."""

import errno
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scanner import launch
from scanner.update.release import UpdateRefused

WHEELS, REQUIREMENTS = "wheels", "requirements.txt"
MEMBERS_MAX: Final = 500
UNPACKED_BYTES_MAX: Final = 2 * 2**30
INSTALL_S_MAX: Final = 1_800
SPACE_LEFT_BYTES_MIN: Final = 4 * 2**20
_MEMBER = re.compile(rf"{REQUIREMENTS}|{WHEELS}/[A-Za-z0-9_][A-Za-z0-9_.+-]{{0,199}}\.whl")

Install = Callable[[Path, Path], None]
"""Makes the virtual environment (first) from the unpacked bundle (second). Raises InstallFailed."""


class BundleUnusable(UpdateRefused):
    code = "bundle_unusable"
    text_zh = "更新包内容不合规（{what}），已拒绝。"
    text_en = "The bundle holds what it must not ({what}); the update was refused."


class InstallFailed(UpdateRefused):
    code = "install_failed"
    text_zh = "更新包安装失败：{what}"
    text_en = "The bundle could not be installed: {what}"


class DiskFull(UpdateRefused):
    code = "disk_full"
    text_zh = "磁盘空间不足，更新已取消。"
    text_en = "The disk is full; the update was given up."


def build(bundle: Path, slot: Path, rollout: str, version: str, install: Install) -> None:
    """Makes `slot` anew; what says that it is whole comes last, when all the rest is on disk.

    Raises BundleUnusable, InstallFailed, DiskFull; nothing of the slot is then left.
    """
    try:
        with full_disk_refused():
            clear(slot)
            slot.mkdir()
            _unpack(bundle, slot / "bundle")
            install(slot / "venv", slot / "bundle")
            shutil.rmtree(slot / "bundle")
            os.sync()
            launch.save(slot / launch.READY, {"v": 1, "version": version, "rollout": rollout})
            launch.sync_folder(slot.parent)
    except UpdateRefused:
        clear(slot)
        raise


def clear(slot: Path) -> None:
    """What says that the slot is whole goes first: half a slot must never look like one."""
    if slot.exists():
        launch.remove(slot / launch.READY)
        shutil.rmtree(slot)


def install_by_pip(venv: Path, bundle: Path) -> None:
    """Nothing is fetched from anywhere, and every wheel is held against its hash. The environment sees the system's packages
    where the one that runs does: a Pi's camera and pins have libraries that no index holds.
    """
    configured = Path(sys.prefix, "pyvenv.cfg")
    system = configured.is_file() and "include-system-site-packages = true" in configured.read_text(encoding="utf-8")
    _run(venv, sys.executable, "-m", "venv", *(["--system-site-packages"] if system else []), str(venv))
    pip = (str(launch.program(venv.parent)), "-m", "pip", "--isolated", "--disable-pip-version-check", "install")
    wheels = ("--no-index", "--find-links", str(bundle / WHEELS), "--no-cache-dir")
    _run(venv, *pip, *wheels, "--require-hashes", "-r", str(bundle / REQUIREMENTS))


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Raises DiskFull for what the system says of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull from None
        raise


def _unpack(bundle: Path, folder: Path) -> None:
    folder.mkdir()
    try:
        with tarfile.open(bundle, "r:*") as tar:
            size_bytes = 0
            for number, member in enumerate(tar, start=1):
                size_bytes += member.size
                if number > MEMBERS_MAX or size_bytes > UNPACKED_BYTES_MAX:
                    raise BundleUnusable(what="size")
                if not member.isreg() or _MEMBER.fullmatch(member.name) is None:
                    raise BundleUnusable(what=member.name[:80])
                tar.extract(member, folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise BundleUnusable(what=type(error).__name__) from None
    if not (folder / REQUIREMENTS).is_file():
        raise BundleUnusable(what=REQUIREMENTS)


def _run(venv: Path, *command: str) -> None:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S_MAX, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise InstallFailed(what=f"{command[2]} > {INSTALL_S_MAX} s") from None
    if ran.returncode != 0:
        if shutil.disk_usage(venv.parent).free < SPACE_LEFT_BYTES_MIN:
            raise DiskFull
        last = (ran.stderr or ran.stdout).strip().splitlines()[-1:]
        raise InstallFailed(what="".join(last)[:200])
