from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Report = Callable[[], tuple[bool, dict[str, object]]]


class HealthServer(ThreadingHTTPServer):
    """Loopback only: `/health` the threads live, `/ready` a basket would now be recorded, `/metrics`."""

    daemon_threads = True

    def __init__(self, port: int, *, health: Report, ready: Report, registry: CollectorRegistry) -> None:
        """Port 0 takes a free one; `server_port` says which. Raises OSError where the port is taken."""
        super().__init__(("127.0.0.1", port), _Page)
        self.health = health
        self.ready = ready
        self.registry = registry


class _Page(BaseHTTPRequestHandler):
    server: HealthServer

    def do_GET(self) -> None:
        match self.path:
            case "/health":
                self._report(self.server.health)
            case "/ready":
                self._report(self.server.ready)
            case "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.server.registry))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/health /ready /metrics\n")

    def _report(self, report: Report) -> None:
        good, facts = report()
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, "application/json", orjson.dumps({"ok": good} | facts))

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Probes every few seconds are not worth a line."""
