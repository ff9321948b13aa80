"""WeChat's server API as it behaves towards an app, on a port of its own: codes good once, one stable token for all who
ask, success without an errcode, and its moods: busy, slow, broken, garbage.
"""

import hmac
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

APPID, SECRET = "wx0123456789abcdef", "s3cret0123456789s3cret0123456789"
Answer = tuple[int, bytes]


@dataclass
class WechatServer:
    """`logins` and `phones`: code -> openid, code -> number; each is good once. `errcodes`: code -> what it is refused by."""

    logins: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    errcodes: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """openid -> the session key that is good."""
    grants: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(openid, template) -> one-time grants that the user gave and that are left."""
    sent: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the subscribe messages that were accepted."""
    risky: str = "违法"
    """A text that holds it is refused."""
    busy: int = 0
    """How many more calls are answered -1."""
    mood: str | None = None
    """garbage, broken, or None."""
    lasts_s: int = 7_200
    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def login(self, openid: str) -> str:
        """A new code of wx.login."""
        code = f"0a1{secrets.token_hex(14)}"
        self.logins[code] = openid
        return code

    def share_phone(self, number: str) -> str:
        """A new code of a getPhoneNumber button; `number` without its country code."""
        code = secrets.token_hex(32)
        self.phones[code] = number
        return code

    def expire_token(self) -> None:
        """As when the secret was reset: the old token is good for nothing."""
        self.tokens.append(f"79_{secrets.token_urlsafe(96)}")

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        with self.lock:
            self.calls[path] += 1
            if self.mood == "garbage":
                return 200, b"<html>\xff maintenance</html>"
            if self.mood == "broken":
                return 502, b"bad gateway"
            if self.busy:
                self.busy -= 1
                return _error(-1, "system error")
            routes = {
                ("GET", "/sns/jscode2session"): lambda: self._code_to_session(query),
                ("POST", "/cgi-bin/stable_token"): lambda: self._stable_token(body),
                ("POST", "/wxa/business/getuserphonenumber"): lambda: self._phone(query, body),
                ("GET", "/wxa/checksession"): lambda: self._check_session(query),
                ("POST", "/wxa/msg_sec_check"): lambda: self._check_text(query, body),
                ("POST", "/cgi-bin/message/subscribe/send"): lambda: self._notice(query, body),
            }
            found = routes.get((method, path))
            return found() if found else (404, b"")

    def _code_to_session(self, query: dict[str, str]) -> Answer:
        if query.get("appid") != APPID:
            return _error(40013, "invalid appid")
        if query.get("secret") != SECRET:
            return _error(40125, "invalid appsecret")
        code = query.get("js_code", "")
        refused = self._refused(code, self.logins)
        # No errcode at all on success.
        return refused or _said({"openid": self.logins[code], "session_key": "tiihtNczf5v6AKRyjwEUhQ=="})

    def _stable_token(self, body: Any) -> Answer:
        if body.get("secret") != SECRET or body.get("appid") != APPID:
            return _error(40125, "invalid appsecret")
        if not self.tokens:
            self.expire_token()
        return _said({"access_token": self.tokens[-1], "expires_in": self.lasts_s})

    def _check_session(self, query: dict[str, str]) -> Answer:
        key = self.sessions.get(query.get("openid", ""), "")
        signed = hmac.new(key.encode(), b"", "sha256").hexdigest()
        good = bool(key) and query.get("sig_method") == "hmac_sha256" and query.get("signature") == signed
        return self._stranger(query) or (_error(0, "ok") if good else _error(87009, "invalid signature"))

    def _check_text(self, query: dict[str, str], body: Any) -> Answer:
        if body.get("version") != 2 or len(body.get("content", "")) > 2_500:
            return self._stranger(query) or _error(47001, "data format error")
        suggest = "risky" if self.risky in body["content"] else "review" if "?" in body["content"] else "pass"
        result = {"suggest": suggest, "label": 100 if suggest == "pass" else 20_003}
        return self._stranger(query) or _said({"errcode": 0, "errmsg": "ok", "result": result, "trace_id": "60ae120f"})

    def _notice(self, query: dict[str, str], body: Any) -> Answer:
        stranger = self._stranger(query)
        if stranger:
            return stranger
        if any(len(one["value"]) > 20 for name, one in body["data"].items() if name.startswith("thing")):
            return _error(47003, "argument invalid! data.thing1.value invalid")
        key = body["touser"], body["template_id"]
        if not self.grants[key]:
            return _error(43101, "user refuse to accept the msg")
        self.grants[key] -= 1
        self.sent.append(body)
        return _said({"errcode": 0, "errmsg": "ok", "msgid": 3_017_000})

    def _stranger(self, query: dict[str, str]) -> Answer | None:
        if not self.tokens or query.get("access_token") != self.tokens[-1]:
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        return None

    def _phone(self, query: dict[str, str], body: Any) -> Answer:
        if not self.tokens or query.get("access_token") != self.tokens[-1]:
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        code = body.get("code", "")
        refused = self._refused(code, self.phones)
        number = self.phones.get(code, "")
        info = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": "86", "watermark": {"appid": APPID}}
        return refused or _said({"errcode": 0, "errmsg": "ok", "phone_info": info})

    def _refused(self, code: str, known: dict[str, str]) -> Answer | None:
        if code in self.errcodes:
            return _error(self.errcodes[code], "refused")
        if code not in known:
            return _error(40029, "invalid code")
        if code in self.used:
            return _error(40163, "code been used")
        self.used.add(code)
        return None


@contextmanager
def serving() -> Iterator[WechatServer]:
    state = WechatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            split = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(split.query).items()}
            status, said = state.answer(self.command, split.path, query, json.loads(content) if content else None)
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")  # as WeChat does
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _said(fields: dict[str, object]) -> Answer:
    return 200, json.dumps(fields).encode()


def _error(errcode: int, errmsg: str) -> Answer:
    return _said({"errcode": errcode, "errmsg": f"{errmsg}, rid: 5f3e-1"})
