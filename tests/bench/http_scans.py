"""One phone scan a POST at 32 connections, against floor H; the load comes from wrk, which costs both the same."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench import city, floors, server
from tests.bench.ground import Ground
from tests.bench.report import Ratio, say

CONNECTIONS = 32
SECONDS = 6
SIGNED_IN = 5_000
"""Residents whose phones scan. Their tokens are looked up again every few seconds, as those of a city would be."""
A_CITY = 120_000
"""So many that a token hardly comes twice while it is still known: each request looks its session up."""


def one_scan_http_vs_floor_h(ground: Ground, alternations: int) -> Ratio:
    return Ratio("one_scan_http_vs_floor_h", _compared(ground, alternations, SIGNED_IN), 0.50)


def login_scan_vs_floor_h(ground: Ground, alternations: int) -> Ratio:
    """The same where nearly every request is somebody's first: nothing of a session is known beforehand."""
    return Ratio("login_scan_vs_floor_h", _compared(ground, alternations, A_CITY), 0.45)


def _compared(ground: Ground, alternations: int, signed_in: int) -> float:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk 未安装 / wrk is missing: sudo apt-get install -y wrk")
    place, floor = ground.place(), ground.floor()
    tokens = city.sign_in(place.url, signed_in, place.sold_at)
    loads = _written(ground.home / "load", tokens)
    pairs = []
    with server.backend(place.url, ground.home / "keys") as ours, server.floor_h(floor) as theirs:
        for number in range(alternations + 1):
            pair = _rate(f"{ours}", "ours", loads), _rate(theirs, "floor", loads)
            if number:
                pairs.append(pair)
                say(f"  ours {pair[0]:6.0f} scans/s   floor H {pair[1]:6.0f} scans/s")
    place.verify()
    floors.verify(floor)
    return median(ours / theirs for ours, theirs in pairs)


def fill(folder: Path, address: str, tokens: Sequence[str], seconds: int) -> None:
    """Lets these residents scan for a while, so that they have a history."""
    _rate(address, "ours", _written(folder, tokens), seconds)


def _rate(address: str, target: str, loads: dict[str, str], seconds: int = SECONDS) -> float:
    """201 answers a second. Raises AssertionError when any answer was something else."""
    command = [
        "wrk",
        "-t2",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "-s",
        str(Path(__file__).parent / "scans.lua"),
        address,
    ]
    said = subprocess.run(
        command, env={**loads, "BENCH_TARGET": target}, capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


def _written(folder: Path, tokens: Sequence[str]) -> dict[str, str]:
    """Tokens of signed-in residents and product codes, in files that the load reads."""
    folder.mkdir()
    (folder / "tokens").write_text("\n".join(tokens))
    (folder / "codes").write_text("\n".join(city.gtin(number) for number in range(city.PRODUCTS)))
    return {"BENCH_TOKENS": str(folder / "tokens"), "BENCH_CODES": str(folder / "codes"), "PATH": "/usr/bin:/bin"}
