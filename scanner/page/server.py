"""The page's server: loopback, a handful of threads, the standard library."""

import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, Final

import zxingcpp

from scanner.errors import TillRefusal
from scanner.page import requests
from scanner.page.feed import BODY_BYTES_MAX as FEED_BYTES_MAX
from scanner.page.feed import Feed
from scanner.page.page import Page
from scanner.sources.model import ButtonPressed, SourceEvent, VoidAsked

THREADS_MAX: Final = 24
STREAMS_MAX: Final = 4
"""Screens that watch at once."""
LOOK_S: Final = 0.5
"""How soon the page shows what no notice told: a clock that was set, a void that is possible again."""
QUIET_S_MAX: Final = 10.0
"""A screen that was switched off is found by writing to it."""
SOCKET_S: Final = 15.0
_FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_SLIP: Final = re.compile(r"/slips/([1-9][0-9]{0,14})\.svg")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PagePortTaken(TillRefusal):
    code = "page_port_taken"
    text_zh = "收银台页面的端口 {port} 不可用，可能已被别的程序占用。"
    text_en = "The port {port} of the cashier's page is not available; another program may use it."


@dataclass(frozen=True, slots=True)
class Till:
    """What the page may ask of the till. `put` says whether there was room."""

    put: Callable[[SourceEvent], bool]
    slip_shown: Callable[[int], None]
    feed: Feed | None = None


class PageServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, port: int, page: Page, till: Till) -> None:
        """Port 0 takes a free one; `server_port` says which. Raises PagePortTaken."""
        self.page = page
        self.till = till
        self.stopping = threading.Event()
        self.streams = threading.BoundedSemaphore(STREAMS_MAX)
        self.files = {path: (_asset(name), kind) for path, (name, kind) in _FILES.items()}
        self._room = threading.BoundedSemaphore(THREADS_MAX)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise PagePortTaken(port=port) from error

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.1,), name="page", daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each, as long as there are some; more callers than that are hung up on."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away in mid-answer is none; anything else is told as ever."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = SOCKET_S
    server_version = "greenpoints-till"
    sys_version = ""

    def do_GET(self) -> None:
        self._guarded(self._get)

    def do_POST(self) -> None:
        self._guarded(self._post)

    def log_message(self, *_: object) -> None:
        """The till's own output is for notices."""

    def _guarded(self, answer: Callable[[str], None]) -> None:
        try:
            answer(requests.check_host(self._headers(), self.server.server_port))
        except requests.PageRefusal as refusal:
            body = requests.problem(refusal, refusal.status)
            self._send(body, "application/problem+json", refusal.status)

    def _headers(self) -> dict[str, str]:
        """By names As-Here, however they were written: RFC 9110, 5.1."""
        return {name.title(): value for name, value in self.headers.items()}

    def _get(self, _origin: str) -> None:
        if self.path in self.server.files:
            self._send(*self.server.files[self.path])
        elif self.path == "/events":
            self._stream()
        elif slip := _SLIP.fullmatch(self.path):
            self._send(self._symbol(int(slip[1])), "image/svg+xml")
        else:
            raise requests.NoSuchPage

    def _post(self, origin: str) -> None:
        if self.path == "/feed/lines" and self.server.till.feed is not None:
            self._feed(self.server.till.feed)
            return
        requests.check_own_page(self._headers(), origin)
        body = self.rfile.read(requests.body_size(self._headers(), requests.BODY_BYTES_MAX))
        match self.path:
            case "/finish":
                self._ask(ButtonPressed())
            case "/void":
                self._ask(VoidAsked(requests.seq_of(body)))
            case "/slips/shown":
                self.server.till.slip_shown(requests.seq_of(body))
            case _:
                raise requests.NoSuchPage
        self._send(b"", "text/plain", HTTPStatus.ACCEPTED)

    def _feed(self, feed: Feed) -> None:
        """No page may come here: a browser sends no token of its own accord, and asks first where a script would."""
        headers = self._headers()
        feed.check_token(headers)
        body = self.rfile.read(requests.body_size(headers, FEED_BYTES_MAX))
        self._send(feed.take(body), "application/json")

    def _ask(self, event: SourceEvent) -> None:
        if not self.server.till.put(event):
            raise requests.PageBusy

    def _symbol(self, seq: int) -> bytes:
        claim = self.server.page.claim(seq)
        if claim is None:
            raise requests.NoSuchPage
        svg: str = zxingcpp.create_barcode(claim, zxingcpp.BarcodeFormat.QRCode).to_svg()
        return svg.encode()

    def _stream(self) -> None:
        """Server-sent events (HTML Standard, 9.2): the whole screen, whenever it is another."""
        if not self.server.streams.acquire(blocking=False):
            raise requests.PageBusy
        try:
            self._begin("text/event-stream", HTTPStatus.OK)
            self._follow()
        finally:
            self.server.streams.release()

    def _follow(self) -> None:
        told, last, quiet_s = -1, b"", 0.0
        while not self.server.stopping.is_set():
            shown = self.server.page.screen()
            if shown != last or quiet_s >= QUIET_S_MAX:
                self.wfile.write(b"data: " + shown + b"\n\n" if shown != last else b":\n\n")
                last, quiet_s = shown, 0.0
            told = self.server.page.wait(told, LOOK_S)
            quiet_s += LOOK_S

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._begin(kind, status, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def _begin(self, kind: str, status: HTTPStatus, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **_HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()


def _asset(name: str) -> bytes:
    return resources.files("scanner.page").joinpath(name).read_bytes()
