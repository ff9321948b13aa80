r"""Text messages by a gateway of the kind that operators in China offer: a template, signed, by HTTPS.

`POST <url>` with `{"message_id", "phone", "sign_name", "template_id", "params": {"code", "minutes"}}`; the headers are
`X-App-Key`, `X-Timestamp` (Unix seconds), `X-Nonce` and `X-Signature`, the hexadecimal HMAC-SHA-256 of
`<timestamp>\n<nonce>\n<path>\n<SHA-256 of the body, hexadecimal>` under the secret. It answers `{"code": …}`: OK, BUSY, QUOTA
or REFUSED. A gateway that speaks otherwise is asked through a relay of the operator's own.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson
import structlog

from backend.kernel.ids import new_id
from backend.residents.phone_codes import GOOD_FOR
from backend.usecases.send_phone_code import PhoneRefused, TextMessageNotSent

TIMEOUT_S = 3.0
WAITS_S = (0.2, 0.6)
"""Before the second and the third attempt, which carry the id of the first: the gateway sends it once."""
CALLS_MAX = 4
"""Messages of a process that wait for the gateway at once: when it hangs, the threads that tills need stay free."""
OK, BUSY, QUOTA, REFUSED = "OK", "BUSY", "QUOTA", "REFUSED"
_AGAIN = frozenset({429, 500, 502, 503, 504})

log = structlog.get_logger()


class GatewayAccount(NamedTuple):
    url: str
    key: str
    secret: bytes
    template: str
    sign_name: str


class TextGateway:
    """Safe to share between threads. No number and no code is ever logged."""

    def __init__(self, account: GatewayAccount, *, pause: Callable[[float], None] = time.sleep, **http: Any) -> None:
        """`http` goes to httpx.Client."""
        self._account = account
        self._path = urlsplit(account.url).path or "/"
        self._pause = pause
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False, **http)
        self._room = threading.BoundedSemaphore(CALLS_MAX)

    def close(self) -> None:
        self._http.close()

    def send(self, number: str, code: str) -> None:
        """Raises PhoneRefused where the number cannot be reached, else TextMessageNotSent."""
        if not self._room.acquire(blocking=False):
            log.warning("text_gateway", outcome="too many at once")
            raise TextMessageNotSent
        try:
            self._send(number, code)
        finally:
            self._room.release()

    def _send(self, number: str, code: str) -> None:
        message = new_id()
        body = self._body(message, number, code)
        for wait_s in (*WAITS_S, None):
            said = self._attempt(body)
            if said == OK:
                log.info("text_gateway", outcome="sent", message=message)
                return
            if said != BUSY or wait_s is None:
                break
            self._pause(wait_s)
        # What is to be paid or set right is the operator's to see; the resident hears that it did not work.
        log.error("text_gateway", outcome=said.lower(), message=message)
        raise PhoneRefused if said == REFUSED else TextMessageNotSent

    def _attempt(self, body: bytes) -> str:
        """OK, BUSY where another attempt may help, or why none does."""
        try:
            answer = self._http.post(self._account.url, content=body, headers=self._headers(body))
        except httpx.HTTPError as fault:
            log.warning("text_gateway", outcome="away", error=type(fault).__name__)
            return BUSY
        if answer.status_code in _AGAIN:
            return BUSY
        try:
            said = orjson.loads(answer.content)["code"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return "UNREADABLE"
        if said in (OK, BUSY, QUOTA, REFUSED):
            return str(said)
        return "UNKNOWN"

    def _body(self, message: str, number: str, code: str) -> bytes:
        return orjson.dumps(
            {
                "message_id": message,
                "phone": number,
                "sign_name": self._account.sign_name,
                "template_id": self._account.template,
                "params": {"code": code, "minutes": str(GOOD_FOR.seconds // 60)},
            }
        )

    def _headers(self, body: bytes) -> dict[str, str]:
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        signed = f"{stamp}\n{nonce}\n{self._path}\n{hashlib.sha256(body).hexdigest()}".encode()
        return {
            "Content-Type": "application/json",
            "X-App-Key": self._account.key,
            "X-Timestamp": stamp,
            "X-Nonce": nonce,
            "X-Signature": hmac.digest(self._account.secret, signed, "sha256").hex(),
        }
