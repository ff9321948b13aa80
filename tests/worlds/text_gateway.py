"""A gateway of text messages as operators run it, on a port of its own: it checks the signature and its age, sends a message id
once, and has its moods.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY, SECRET, TEMPLATE, SIGN_NAME = "app-0042", "gateway-secret-0123456789", "SMS_1001", "绿色积分"
PATH = "/v1/messages"
STALE_S = 300


@dataclass
class TextGatewayServer:
    """`mood`: busy, away, quota, refused, slow, garbage, or None; it lasts for `mood_for` calls, or for good."""

    url: str = ""
    mood: str | None = None
    mood_for: int | None = None
    slow_s: float = 0.6
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By message id: what reached a phone."""
    calls: int = 0
    nonces: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, headers: dict[str, str], path: str, body: bytes) -> tuple[int, bytes]:
        with self.lock:
            self.calls += 1
            mood = self._mood()
        if mood == "away":
            return 503, b"upstream"
        if not self._is_signed(headers, path, body):
            return 401, b'{"code":"SIGNATURE"}'
        if mood == "garbage":
            return 200, b"<html>\xff</html>"
        if mood in {"busy", "quota", "refused"}:
            return 200, json.dumps({"code": mood.upper()}).encode()
        said = json.loads(body)
        with self.lock:
            self.sent.setdefault(said["message_id"], said)
        if mood == "slow":
            time.sleep(self.slow_s)
        return 200, b'{"code":"OK","request_id":"r1"}'

    def _mood(self) -> str | None:
        if self.mood_for == 0:
            return None
        if self.mood_for is not None:
            self.mood_for -= 1
        return self.mood

    def _is_signed(self, headers: dict[str, str], path: str, body: bytes) -> bool:
        stamp, nonce = headers["x-timestamp"], headers["x-nonce"]
        text = f"{stamp}\n{nonce}\n{path}\n{hashlib.sha256(body).hexdigest()}".encode()
        good = hmac.digest(SECRET.encode(), text, "sha256").hex()
        fresh = abs(time.time() - int(stamp)) < STALE_S and nonce not in self.nonces
        self.nonces.add(nonce)
        return fresh and headers["x-app-key"] == KEY and hmac.compare_digest(good, headers["x-signature"])


@contextmanager
def serving() -> Iterator[TextGatewayServer]:
    fake = TextGatewayServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = fake.answer({k.lower(): v for k, v in self.headers.items()}, self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_said: object) -> None:
            """Nothing: a test says what it sees."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}{PATH}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
