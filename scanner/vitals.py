"""What the till knows of its own body: the source it reads from, power, heat, its certificate (devices.md 1.10)."""

import shutil
import subprocess
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from scanner.sources.model import SourceEvent, SourceLost, SourceOpened

_FRAMES_KEPT = 300
_CPU_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_CERTIFICATE_BYTES_MAX = 65_536
_ASK_S = 2.0


class FrameTimes:
    """The last 300 frames: when each was done with, and how long its reading took. Written by one thread."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, int]] = deque(maxlen=_FRAMES_KEPT)

    def observe(self, done_ms: int, took_ms: int) -> None:
        self._kept.append((done_ms, took_ms))

    def frames_per_s(self) -> int | None:
        """Rounded; of a source without frames, None."""
        kept = list(self._kept)
        if len(kept) < 2:  # noqa: PLR2004 - a speed needs two
            return None
        return round(1000 * (len(kept) - 1) / max(1, kept[-1][0] - kept[0][0]))

    def decode_ms_p95(self) -> int | None:
        took = sorted(took for _, took in list(self._kept))
        return took[len(took) * 95 // 100] if took else None


@dataclass(slots=True)
class Vitals:
    certificate: Path | None
    source: str | None = None
    source_open: bool | None = None
    part_deaths: int = 0
    """How often, since the start, a part died that sales can do without."""
    frames: FrameTimes = field(default_factory=FrameTimes)

    def hear(self, event: SourceEvent | None) -> None:
        if isinstance(event, SourceOpened | SourceLost):
            self.source_open = isinstance(event, SourceOpened)

    def source_facts(self) -> dict[str, object]:
        return {
            "src": self.source,
            "open": self.source_open,
            "frames_per_s": self.frames.frames_per_s(),
            "decode_ms_p95": self.frames.decode_ms_p95(),
        }

    def machine_facts(self) -> dict[str, object]:
        return {
            "cpu_millicelsius": _cpu_millicelsius(),
            "throttled": throttled(),
            "cert_ends_s": None if self.certificate is None else _ends_s(self.certificate),
        }


def _cpu_millicelsius() -> int | None:
    try:
        return int(_CPU_TEMPERATURE.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def throttled() -> int | None:
    """Bits of power and heat, on a Raspberry Pi: 0 when there was no trouble since boot."""
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        # It prints `throttled=0x50005`.
        asked = subprocess.run([program, "get_throttled"], capture_output=True, timeout=_ASK_S, check=True)  # noqa: S603
        return int(asked.stdout.decode("ascii").partition("=")[2], 16)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _ends_s(certificate: Path) -> int | None:
    """Unix seconds. Read anew each time: a certificate is renewed while the till runs."""
    try:
        with certificate.open("rb") as file:
            return int(
                x509.load_pem_x509_certificate(file.read(_CERTIFICATE_BYTES_MAX)).not_valid_after_utc.timestamp()
            )
    except (OSError, ValueError):
        return None
