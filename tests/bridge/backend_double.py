"""The backend's side of the HTTP contract: commits nothing, remembers what it answered 200 for."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-this-test-only"


def receipt_for(payload: bytes) -> bytes:
    """Stands for the signed receipt; the bridge must not care what it is."""
    return b"\x01receipt:" + hashlib.sha256(payload).digest()


@dataclass
class Verdicts:
    """How the next requests are answered: statuses are used up first, then 200."""

    statuses: list[int] = field(default_factory=list)
    messages_max: int = 500
    reads_max: int = 10**9
    body: bytes | None = None
    refused_topics: set[str] = field(default_factory=set)


class BackendDouble(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.verdicts = Verdicts()
        self.recorded: list[tuple[str, bytes]] = []
        self.requests: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.pages: dict[str, dict[str, Any]] = {}
        self.cursors: list[str] = []
        self.active: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.recorded]

    def devices(self, query: str) -> dict[str, Any]:
        """Two a page, so that there are pages."""
        after = parse_qs(query).get("after", [""])[0]
        page = [device for device in sorted(self.active) if device > after][:2]
        return {"devices": page, "next": page[-1] if len(page) == 2 else None}

    def batch(self, body: dict[str, Any]) -> tuple[int, bytes]:
        messages = [(item["topic"], base64.b64decode(item["payload_b64"])) for item in body["messages"]]
        self.requests.append(len(messages))
        self.gate.wait(20)
        if self.verdicts.statuses:
            return self.verdicts.statuses.pop(0), b"{}"
        reads = sum(payload.count(b'"sym"') for _, payload in messages)
        if len(messages) > self.verdicts.messages_max or reads > self.verdicts.reads_max:
            return 413, b'{"code":"batch-too-large"}'
        if self.verdicts.body is not None:
            return 200, self.verdicts.body
        self.recorded.extend(messages)
        return 200, json.dumps({"results": [self._result(*message) for message in messages]}).encode()

    def _result(self, topic: str, payload: bytes) -> dict[str, Any]:
        if topic in self.verdicts.refused_topics or not topic.endswith("/up/baskets"):
            return {"state": "refused", "topic": None, "payload_b64": None, "code": "malformed", "detail": "x"}
        receipt = base64.b64encode(receipt_for(payload)).decode()
        down = topic.replace("/up/baskets", "/down/receipt")
        return {"state": "recorded", "topic": down, "payload_b64": receipt, "code": None, "detail": None}


class _Handler(BaseHTTPRequestHandler):
    server: BackendDouble
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._authorised():
            return
        assert self.path == "/api/pos/v1/baskets:batch"
        self._answer(*self.server.batch(json.loads(body)))

    def do_GET(self) -> None:
        if not self._authorised():
            return
        address = urlsplit(self.path)
        if address.path == "/api/bridge/v1/devices":
            self._answer(200, json.dumps(self.server.devices(address.query)).encode())
            return
        assert address.path == "/api/bridge/v1/downlink"
        after = parse_qs(address.query).get("after", [""])[0]
        self.server.cursors.append(after)
        page = self.server.pages.get(after, {"messages": [], "next": after or None})
        self._answer(200, json.dumps(page).encode())

    def _authorised(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._answer(401, b"{}")
        return False

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
