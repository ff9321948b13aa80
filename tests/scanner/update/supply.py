"""A repository of updates, signed and served for real, and slots with programs in them."""

import hashlib
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from backend.adapters import update_bundle, update_repository
from backend.adapters.update_repository import Keys
from backend.devices.updates.model import Release
from backend.settings import signing_key
from firmware_bridge.wire.jobs import JobReport, UpdateOffer
from scanner import launch
from scanner.update.machine import Machine
from scanner.update.repository import Repository
from scanner.update.slots import Slots
from scanner.update.stage import Install

ROLLOUT = "01980000-0000-7000-8000-000000000001"
OTHER_ROLLOUT = "01980000-0000-7000-8000-000000000002"
HARDWARE = "pi4"


@dataclass
class Supply:
    """`cut_after`: bytes of a target after which the server breaks the connection, once each."""

    folder: Path
    keys: Keys
    url: str = ""
    cut_after: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path, now: datetime | None = None) -> "Supply":
        update_repository.make_keys(folder / "keys")
        keys = Keys(*(signing_key(folder / "keys" / f"{role}.pem") for role in update_repository.ROLES))
        supply = cls(folder / "repository", keys)
        first = update_repository.create(supply.folder, keys, now or datetime.now(UTC))
        supply.root.write_bytes(first.read_bytes())
        return supply

    @property
    def root(self) -> Path:
        """As it came with the till."""
        return self.folder.parent / "root.json"

    def publish(
        self,
        bundle: Path,
        version: str = "2.0",
        now: datetime | None = None,
        signed: dict[str, object] | None = None,
    ) -> UpdateOffer:
        """`signed`: where what is signed differs from what the offer repeats."""
        release = Release(f"till-{version}.tar", version, (HARDWARE,), "1.0")
        told = release._replace(**(signed or {}))  # type: ignore[arg-type]
        update_repository.publish(self.folder, bundle, told, self.keys.targets, self.keys.online, now or days_ago(0))
        return offer(target=release.target, version=version)

    @contextmanager
    def served(self) -> Iterator[None]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield
        server.shutdown()
        server.server_close()


def offer(rollout: str = ROLLOUT, target: str = "till-2.0.tar", version: str = "2.0") -> UpdateOffer:
    return UpdateOffer(rollout=rollout, target=target, version=version, hardware=(HARDWARE,), min_version="1.0")


def wheel(folder: Path, version: str, main: str, name: str = "greenpoints") -> Path:
    """A package `scanner` with nothing but a `__main__`; the same bytes whenever it is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    files = {
        "scanner/__init__.py": "",
        "scanner/__main__.py": main,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(zipfile.ZipInfo(file), content)
        archive.writestr(
            zipfile.ZipInfo(f"{info}/RECORD"), "".join(f"{file},,\n" for file in files) + f"{info}/RECORD,,\n"
        )
    return path


def bundle(folder: Path, version: str = "2.0", main: str = "") -> Path:
    wheel(folder / f"wheels-{version}", version, main)
    path = folder / f"bundle-{version}.tar"
    update_bundle.pack(folder / f"wheels-{version}", path)
    return path


def furnish(root: Path, script: str = "exit 0") -> Path:
    """Slots with a good slot `a`, whose program is `script`."""
    fill(root / "a", script, version="1.0")
    (root / "current").symlink_to("a")
    return root


def fill(slot: Path, script: str, version: str, rollout: str | None = None) -> None:
    write_program(slot / "venv", script)
    launch.save(slot / "ready.json", {"v": 1, "version": version, "rollout": rollout})


def write_program(venv: Path, script: str) -> None:
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text(f"#!/bin/sh\n{script}\n")
    (venv / "bin" / "python").chmod(0o755)


def install_script(script: str = "exit 0") -> Install:
    """Instead of a virtual environment, which takes seconds."""
    return lambda venv, _bundle: write_program(venv, script)


def machine(
    slots: Path, supply: Supply, told: list[JobReport], running: str = "a", install: Install | None = None
) -> Machine:
    return Machine(
        Slots(slots, running),
        Repository(supply.url, supply.root, slots / "metadata", None),
        install or install_script(),
        told.append,
        hardware=HARDWARE,
        release="1.0",
        trial_s=5,
    )


def work(one: Machine) -> None:
    while one.step():
        pass


def fingerprint(folder: Path) -> str:
    """Every name, content and mode below `folder`."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        found.update(f"{path.relative_to(folder)} {path.stat().st_mode} {path.stat().st_mtime_ns}".encode() + content)
    return found.hexdigest()


def tamper(path: Path, **signed: object) -> None:
    """Changes what stands in metadata and leaves its signatures."""
    found = json.loads(path.read_bytes())
    found["signed"].update(signed)
    path.write_bytes(json.dumps(found).encode())


def days_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def _handler(supply: Supply) -> type[SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, directory=str(supply.folder), **more)  # type: ignore[arg-type]

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            supply.asked.append((self.path, wanted))
            if not self.path.startswith("/targets/"):
                super().do_GET()
                return
            path = Path(self.translate_path(self.path))
            if not path.exists():
                self.send_error(404)
                return
            content, begin = path.read_bytes(), int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            end = begin + supply.cut_after.pop(0) if supply.cut_after else len(content)
            self.wfile.write(content[begin:end])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
