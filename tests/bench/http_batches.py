"""Tills' messages over HTTP, signatures checked, against the engine alone: what the road to it costs."""

import base64
import http.client
import time
from datetime import datetime, timedelta
from multiprocessing import get_context
from statistics import median
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.issue_token import issue_token
from backend.usecases.open_store import open_store
from firmware_bridge.wire.envelope import seal
from tests.bench import city, recording, server
from tests.bench.ground import Ground, Place
from tests.bench.report import Ratio, say

CLIENTS = 12
"""Connections, enough that the kernel spreads them over the server's two processes."""
POSTS = 5
READS_A_BASKET = 2
BASKETS_A_POST = 240
TOKEN = "token-of-the-load"
PATH = "/api/pos/v1/baskets:batch"


def batch_http_vs_engine(ground: Ground, alternations: int) -> Ratio:
    place = ground.place()
    tills = [Ed25519PrivateKey.generate() for _ in range(CLIENTS)]
    _enrol(place, tills)
    pairs, singles = [], []
    with server.backend(place.url, ground.home / "keys") as address:
        for number in range(alternations + 1):
            alone = recording.run_engine(place, 1_000 + number).rate
            twenty = _rate(address, _posts(place, tills, baskets_a_message=20))
            one = _rate(address, _posts(place, tills, baskets_a_message=1))
            if number:
                pairs.append((twenty, alone))
                singles.append(one / alone)
                say(f"  HTTP {twenty:7.0f} scans/s (one basket a message {one:7.0f})   engine {alone:7.0f} scans/s")
    place.verify()
    say(f"  每条消息一个篮子 / one basket a message: {median(singles):.2f} of the engine")
    return Ratio("batch_http_vs_engine", median(ours / engine for ours, engine in pairs), 0.80)


def device_of(till: int) -> str:
    return f"bench-till-{till:02d}"


def _enrol(place: Place, tills: list[Ed25519PrivateKey]) -> None:
    database = Database(place.url, role=None, pool_size=1)
    store = Store(city.CITY, "s1", "基准", "基准门店", "320102")
    database.write(lambda c: open_store(c, store, place.sold_at))
    for number, key in enumerate(tills):
        enrolment = Enrolment(device_of(number), city.CITY, "s1", "k1", key.public_key().public_bytes_raw())
        database.write(lambda c, e=enrolment: enrol_device(c, e, place.sold_at))  # type: ignore[misc]
    database.write(lambda c: issue_token(c, TOKEN, service="bridge", name="load", now=place.sold_at))
    database.close()


def _posts(place: Place, tills: list[Ed25519PrivateKey], *, baskets_a_message: int) -> list[list[bytes]]:
    """For each client its request bodies, signed before the clock starts."""
    first = place.take(CLIENTS * POSTS * BASKETS_A_POST)
    found = []
    for till, key in enumerate(tills):
        lines = city.basket_lines(
            first + till * POSTS * BASKETS_A_POST, POSTS * BASKETS_A_POST, place.sold_at, first + till
        )
        messages = [
            message(till, key, lines[at : at + baskets_a_message], place.sold_at)
            for at in range(0, len(lines), baskets_a_message)
        ]
        size = BASKETS_A_POST // baskets_a_message
        found.append([orjson.dumps({"messages": messages[at : at + size]}) for at in range(0, len(messages), size)])
    return found


def message(till: int, key: Ed25519PrivateKey, lines: list[bytes], sold_at: datetime) -> dict[str, object]:
    topic = f"pos/v1/{device_of(till)}/up/baskets"
    return {
        "topic": topic,
        "payload_b64": base64.b64encode(sealed(till, key, lines)).decode(),
        "received_at_ms": int((sold_at + timedelta(seconds=1)).timestamp() * 1000),
    }


def sealed(till: int, key: Ed25519PrivateKey, lines: list[bytes]) -> bytes:
    header = {
        "v": 1,
        "dev": device_of(till),
        "stream": city.stream(100 + till),
        "key": "k1",
        "boot": "b1",
        "sent_mono": 10_000,
        "low": 1,
        "clk": {"src": "ntp", "off_ms": 0, "err_ms": 1},
    }
    return seal(f"pos/v1/{device_of(till)}/up/baskets", orjson.dumps(header), lines, key.sign)


def _rate(address: str, posts: list[list[bytes]]) -> float:
    """Scans a second over all clients, from the first POST to the last answer."""
    with get_context("fork").Pool(len(posts)) as pool:
        runs = pool.starmap(_send, [(address, bodies) for bodies in posts], chunksize=1)
    baskets = sum(recorded for _, _, recorded in runs)
    assert baskets == sum(len(bodies) for bodies in posts) * BASKETS_A_POST
    wall_s = max(ended for _, ended, _ in runs) - min(began for began, _, _ in runs)
    return baskets * READS_A_BASKET / wall_s


def _send(address: str, bodies: list[bytes]) -> tuple[float, float, int]:
    """When it began and ended, and how many baskets were receipted as recorded."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port or 80, timeout=60)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    answers = []
    began = time.monotonic()
    for body in bodies:
        connection.request("POST", PATH, body, headers)
        response = connection.getresponse()
        answers.append(response.read())
        assert response.status == 200, answers[-1][:300]
    ended = time.monotonic()
    connection.close()
    receipts = [base64.b64decode(each["payload_b64"]) for body in answers for each in orjson.loads(body)["results"]]
    return began, ended, sum(receipt.count(b'"state":"recorded"') for receipt in receipts)
