"""One phone scan a POST at 32 connections, against floor H; the load comes from wrk, which costs both the same."""

import hashlib
import re
import secrets
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg

from tests.bench import city, floors, server
from tests.bench.ground import Ground
from tests.bench.report import Ratio, say

CONNECTIONS = 32
SECONDS = 6
SIGNED_IN = 5_000
"""Residents whose phones scan. Their tokens are looked up again every few seconds, as those of a city would be."""


def one_scan_http_vs_floor_h(ground: Ground, alternations: int) -> Ratio:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk 未安装 / wrk is missing: sudo apt-get install -y wrk")
    place, floor = ground.place(), ground.floor()
    loads = _written(ground.home / "load", place.url, place.sold_at)
    pairs = []
    with server.backend(place.url, ground.home / "keys") as ours, server.floor_h(floor) as theirs:
        for number in range(alternations + 1):
            pair = _rate(f"{ours}", "ours", loads), _rate(theirs, "floor", loads)
            if number:
                pairs.append(pair)
                say(f"  ours {pair[0]:6.0f} scans/s   floor H {pair[1]:6.0f} scans/s")
    place.verify()
    floors.verify(floor)
    return Ratio("one_scan_http_vs_floor_h", median(ours / theirs for ours, theirs in pairs), 0.50)


def _rate(address: str, target: str, loads: dict[str, str]) -> float:
    """201 answers a second. Raises AssertionError when any answer was something else."""
    command = [
        "wrk",
        "-t2",
        f"-c{CONNECTIONS}",
        f"-d{SECONDS}s",
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


def _written(folder: Path, url: str, now: datetime) -> dict[str, str]:
    """Tokens of signed-in residents and product codes, in files that the load reads."""
    folder.mkdir()
    tokens = [secrets.token_urlsafe(32) for _ in range(SIGNED_IN)]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO resident_sessions (token_hash, city, resident, issued_at, expires_at) VALUES (%s, %s, %s, %s, %s)",
            [
                (
                    hashlib.sha256(token.encode()).digest(),
                    city.CITY,
                    city.resident(number),
                    now,
                    now + timedelta(days=1),
                )
                for number, token in enumerate(tokens)
            ],
        )
    (folder / "tokens").write_text("\n".join(tokens))
    (folder / "codes").write_text("\n".join(city.gtin(number) for number in range(city.PRODUCTS)))
    return {"BENCH_TOKENS": str(folder / "tokens"), "BENCH_CODES": str(folder / "codes"), "PATH": "/usr/bin:/bin"}
