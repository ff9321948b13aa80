"""A till keeps its snapshot fresh from a server that it believes by signature alone."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.wire.errors import BadSignature
from firmware_bridge.wire.snapshots import SnapshotMessage
from scanner.feedback import Notice
from scanner.snapshot.fetch import SnapshotFetcher, SnapshotUnavailable
from scanner.snapshot.file import SnapshotFile
from tests.scanner.snapshot.conftest import DEVICE, USUAL, difference, message, sealed
from tests.scanner.till.scene import wait_until

CHANGED = {**USUAL, "g:01": '["新商品","one",9]'}


@dataclass
class Server:
    """Answers by what was asked: None for the whole snapshot, or the version held."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    answers: dict[int | None, SnapshotMessage] = field(default_factory=dict)
    asked: list[int | None] = field(default_factory=list)
    url: str = ""

    def verify(self, signature: bytes, signed: bytes) -> bool:
        try:
            self.key.public_key().verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    def answer(self, path: str) -> bytes | None:
        parts = urlsplit(path)
        after = parse_qs(parts.query).get("after")
        self.asked.append(None if after is None else int(after[0]))
        assert parts.path == f"/api/public/v1/tills/{DEVICE}/snapshot"
        said = self.answers.get(self.asked[-1])
        return None if said is None else sealed(said, self.key)


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.answer(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        served.url = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        yield served
        http.shutdown()


@pytest.fixture
def shown() -> list[Notice]:
    return []


@pytest.fixture
def fetcher(server: Server, file: SnapshotFile, shown: list[Notice]) -> Iterator[SnapshotFetcher]:
    made = SnapshotFetcher(
        DEVICE,
        file,
        server.verify,
        shown.append,
        lambda: 0.5,
        backend_url=server.url,
        ca_path=None,
        interval_s=0.02,
    )
    yield made
    made.stop()


def test_the_whole_once_and_then_what_differs(server: Server, fetcher: SnapshotFetcher, file: SnapshotFile) -> None:
    server.answers[None] = message(USUAL, version=100)
    server.answers[100] = message(CHANGED, version=101, after=100, changes=difference(USUAL, CHANGED))
    server.answers[101] = message(CHANGED, version=101, after=101)

    for _ in range(3):
        fetcher.fetch()

    assert server.asked == [None, 100, 101]
    assert file.version() == 101


def test_a_difference_that_does_not_come_out_is_followed_by_the_whole(
    server: Server, fetcher: SnapshotFetcher, file: SnapshotFile
) -> None:
    server.answers[None] = message(USUAL, version=100)
    fetcher.fetch()
    server.answers[100] = message(CHANGED, version=101, after=100)
    server.answers[None] = message(CHANGED, version=101)

    fetcher.fetch()

    assert server.asked == [None, 100, None]
    assert file.version() == 101


def test_what_another_key_signed_is_not_taken(server: Server, fetcher: SnapshotFetcher, file: SnapshotFile) -> None:
    server.answers[None] = message(USUAL, version=100)
    fetcher.fetch()
    server.answers[100] = message(CHANGED, version=101, after=100, changes=difference(USUAL, CHANGED))
    fetcher._verify = Server().verify

    with pytest.raises(BadSignature):
        fetcher.fetch()

    assert file.version() == 100


def test_trouble_is_told_once_and_ends_by_itself(
    server: Server, fetcher: SnapshotFetcher, file: SnapshotFile, shown: list[Notice]
) -> None:
    fetcher.start()
    wait_until(lambda: len(server.asked) > 3)
    server.answers[None] = message(USUAL, version=100)
    server.answers[100] = message(USUAL, version=100, after=100)
    wait_until(lambda: 100 in server.asked)

    assert fetcher.stop()
    assert [notice.facts["state"] for notice in shown] == ["snapshot_not_renewed"]
    assert file.version() == 100


def test_a_backend_that_is_away_changes_nothing(file: SnapshotFile, server: Server) -> None:
    file.apply(message(USUAL, version=100))
    nowhere = SnapshotFetcher(
        DEVICE, file, server.verify, lambda _: None, lambda: 0.5,
        backend_url="http://127.0.0.1:1", ca_path=None, interval_s=1,
    )  # fmt: skip

    with pytest.raises(SnapshotUnavailable):
        nowhere.fetch()

    assert file.version() == 100
