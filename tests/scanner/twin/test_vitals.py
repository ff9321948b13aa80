"""What the till says of its own body."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding

from scanner.vitals import FrameTimes, Vitals

ENDS = datetime(2028, 11, 27, tzinfo=UTC)


def certificate(folder: Path) -> Path:
    key, name = generate_private_key(SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, ENDS - timedelta(days=730), ENDS)
    path = folder / "till.pem"
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return path


def test_frames_are_told_by_their_pace_and_their_slowest_twentieth() -> None:
    times = FrameTimes()
    for number in range(101):
        times.observe(100 * number, 90 if number >= 95 else 20)

    assert (times.frames_per_s(), times.decode_ms_p95()) == (10, 90)
    assert (FrameTimes().frames_per_s(), FrameTimes().decode_ms_p95()) == (None, None)


def test_the_end_of_the_certificate_is_read_anew_each_time(tmp_path: Path) -> None:
    vitals = Vitals(tmp_path / "till.pem")
    assert vitals.machine_facts()["cert_ends_s"] is None

    certificate(tmp_path)

    assert vitals.machine_facts()["cert_ends_s"] == int(ENDS.timestamp())


@pytest.mark.parametrize(
    ("printed", "bits"), [("throttled=0x50005", 0x50005), ("throttled=0x0", 0), ("nonsense", None)]
)
def test_power_and_heat_are_asked_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, bits: int | None
) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\necho {printed}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert Vitals(None).machine_facts()["throttled"] == bits
