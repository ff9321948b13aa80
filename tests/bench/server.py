"""The backend as a process of its own, and floor H beside it: both under granian with 2 workers of 8 threads."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
THREADS = "8"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def backend(url: str, keys: Path) -> Iterator[str]:
    """Its base address."""
    keys.mkdir(parents=True, exist_ok=True)
    for name in ("receipt", "member"):
        (keys / name).write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    (keys / "identity").write_bytes(bytes(32))
    port = free_port()
    settings = {
        "ENV": "test",
        "DATABASE_URL": url,
        "GREENPOINTS_RECEIPT_KEY_FILE": str(keys / "receipt"),
        "GREENPOINTS_MEMBER_CODE_KEY_FILE": str(keys / "member"),
        "GREENPOINTS_MEMBER_CODE_KEY_ID": "k1",
        "GREENPOINTS_IDENTITY_HASH_KEY_FILE": str(keys / "identity"),
        "GREENPOINTS_SERVER_PORT": str(port),
        "GREENPOINTS_SERVER_THREADS": "16",
        "GREENPOINTS_LOG_LEVEL": "warning",
    }
    with running([sys.executable, "-m", "backend.web"], settings, f"http://127.0.0.1:{port}/readyz") as address:
        yield address


@contextmanager
def floor_h(url: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", THREADS]
    command += ["--no-ws", "--log-level", "warning", "--port", str(port), "tests.bench.floor_app:app"]
    with running(command, {"DATABASE_URL": url}, f"http://127.0.0.1:{port}/ready") as address:
        yield address


@contextmanager
def running(command: list[str], settings: Mapping[str, str], ready: str) -> Iterator[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **settings}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, process_group=0)
    try:
        _wait_for(ready, process)
        yield ready.rpartition("/")[0]
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(url, timeout=1) as response:  # noqa: S310 - our own loopback address
                if response.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not get ready")
