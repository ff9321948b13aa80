"""What a till installs: its own wheel and all that it needs, each with its hash, in one file."""

import hashlib
import io
import re
import tarfile
from collections import defaultdict
from pathlib import Path

from backend.kernel.errors import DomainError

# PEP 427: name, version, an optional build number, then what it runs on.
WHEEL = re.compile(r"([A-Za-z0-9_.]+)-([A-Za-z0-9_.!+]+)(-[0-9][A-Za-z0-9_]*)?-[^-]+-[^-]+-[^-]+\.whl")
WHEELS_MAX = 400


class WheelsUnusable(DomainError):
    code = "wheels-unusable"
    text_zh = "{folder} 不能打包：{reason}。"
    text_en = "{folder} cannot be bundled: {reason}."


def pack(folder: Path, bundle: Path) -> int:
    """Writes the wheels of `folder` to `bundle`; how many. The same wheels make the same bytes. Raises WheelsUnusable."""
    wheels = sorted(folder.glob("*.whl"))
    if not 1 <= len(wheels) <= WHEELS_MAX:
        raise WheelsUnusable(folder=folder, reason=f"{len(wheels)} wheels; 1-{WHEELS_MAX}")
    with tarfile.open(bundle, "w") as tar:
        _add(tar, "requirements.txt", _requirements(folder, wheels).encode())
        for wheel in wheels:
            _add(tar, f"wheels/{wheel.name}", wheel.read_bytes())
    return len(wheels)


def _requirements(folder: Path, wheels: list[Path]) -> str:
    hashes: defaultdict[str, list[str]] = defaultdict(list)
    for wheel in wheels:
        match = WHEEL.fullmatch(wheel.name)
        if match is None:
            raise WheelsUnusable(folder=folder, reason=wheel.name)
        hashes[f"{match[1]}=={match[2]}"].append(f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
    return "".join(f"{pinned} {' '.join(hashes[pinned])}\n" for pinned in sorted(hashes))


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))
