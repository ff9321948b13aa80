"""How long a resident waits for a read: its p99 beside that of a route that does nothing, on one server at one time.

An open loop: requests leave at their times, whether earlier ones are answered or not, and a wait counts from there. The
kinds take turns in one stream, so each meets the same machine.
"""

import http.client
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.bench import city, http_scans, server
from tests.bench.ground import Ground
from tests.bench.report import Ratio, say

READERS = 200
FILLED_S = 6
A_SECOND = 120
SECONDS = 10
"""For each alternation; a kind gets half of it all."""
THREADS = 32
HELLO, BALANCE, HISTORY = "/healthz", "/api/resident/v1/balances", "/api/resident/v1/scans"
OFTEN = 0.99
BAR = 3.0


class Waited(NamedTuple):
    """Seconds, sorted."""

    hello: list[float]
    read: list[float]


def balance_p99_vs_hello(ground: Ground, alternations: int) -> Ratio:
    return Ratio("balance_p99_vs_hello", _compared(ground, alternations, BALANCE), BAR, at_most=True)


def history_p99_vs_hello(ground: Ground, alternations: int) -> Ratio:
    return Ratio("history_p99_vs_hello", _compared(ground, alternations, HISTORY), BAR, at_most=True)


def _compared(ground: Ground, alternations: int, path: str) -> float:
    place = ground.place()
    tokens = city.sign_in(place.url, READERS, place.sold_at)
    with server.backend(place.url, ground.home / "keys") as address:
        http_scans.fill(ground.home / "load", address, tokens, FILLED_S)
        _asked(address, path, tokens, A_SECOND)
        waited = _asked(address, path, tokens, A_SECOND * SECONDS * alternations)
    place.verify()
    hello, read = (_p99(one) for one in waited)
    for name, times, p99 in ((HELLO, waited.hello, hello), (path, waited.read, read)):
        say(f"  {name:28} p50 {times[len(times) // 2] * 1e3:6.1f} ms   p99 {p99 * 1e3:6.1f} ms   of {len(times)}")
    return read / hello


def _p99(times: Sequence[float]) -> float:
    return times[int(len(times) * OFTEN)]


def _asked(address: str, path: str, tokens: Sequence[str], requests: int) -> Waited:
    kept = local()
    start = time.perf_counter() + 0.1

    def ask(number: int) -> float:
        due = start + number / A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        if not hasattr(kept, "connection"):
            kept.connection = http.client.HTTPConnection(urlsplit(address).netloc)
        asked = HELLO if number % 2 else path
        kept.connection.request("GET", asked, headers={"Authorization": f"Bearer {random.choice(tokens)}"})
        answer = kept.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        return time.perf_counter() - due

    with ThreadPoolExecutor(THREADS) as pool:
        times = list(pool.map(ask, range(requests)))
    return Waited(sorted(times[1::2]), sorted(times[::2]))
