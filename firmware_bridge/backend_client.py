import base64
import binascii
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import orjson

from firmware_bridge.inbox import Delivery
from firmware_bridge.settings import Settings
from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.topics import check_device_id

BATCH_PATH: Final = "/api/pos/v1/baskets:batch"
DOWNLINK_PATH: Final = "/api/bridge/v1/downlink"
DOWNLINK_LIMIT: Final = 500
DEVICES_PATH: Final = "/api/bridge/v1/devices"
CONNECT_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message; `topic` and `payload` are the receipt to pass on, unopened."""

    state: str
    topic: str | None
    payload: bytes | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """200: every message is committed, as record or in quarantine; one result a message, in order."""

    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """413: the batch, not a message, is at fault."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Another 4xx: this bridge's own fault (token, address, version); needs a human, nothing is dropped."""

    status: int


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No answer, 5xx, or an answer that cannot be understood: to be tried again."""

    reason: str
    retry_after_s: float = 0.0


Answer = Answered | TooLarge | Refused | Unavailable


@dataclass(frozen=True, slots=True)
class Downlink:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None


@dataclass(frozen=True, slots=True)
class DownlinkPage:
    messages: tuple[Downlink, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Active devices in order of their ids; `next` None ends the list."""

    devices: tuple[str, ...]
    next: str | None


class BackendClient:
    """One connection kept alive; used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._token = _token_reader(settings.token, settings.token_file)
        self._http = httpx.Client(
            base_url=settings.backend_url.rstrip("/"),
            timeout=httpx.Timeout(settings.backend_timeout_s, connect=CONNECT_TIMEOUT_S),
            verify=_trust(settings.backend_ca_file),
            trust_env=False,  # a proxy variable of the host must not see the token
            headers={"User-Agent": f"greenpoints-bridge/{settings.name}"},
        )

    def record(self, deliveries: Sequence[Delivery]) -> Answer:
        """One POST; never raises for what the other side or the network does."""
        headers = {"Content-Type": "application/json"}
        response = self._send("POST", BATCH_PATH, content=_batch_body(deliveries), headers=headers)
        if isinstance(response, Unavailable):
            return response
        if response.status_code == httpx.codes.OK:
            return _results(response.content, len(deliveries))
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            return TooLarge()
        return _failure(response)

    def downlink(self, after: str | None) -> DownlinkPage | Refused | Unavailable:
        params: dict[str, str | int] = {"limit": DOWNLINK_LIMIT} | ({} if after is None else {"after": after})
        response = self._send("GET", DOWNLINK_PATH, params=params)
        if isinstance(response, Unavailable):
            return response
        return _page(response.content) if response.status_code == httpx.codes.OK else _failure(response)

    def devices(self, after: str | None) -> DevicePage | Refused | Unavailable:
        response = self._send("GET", DEVICES_PATH, params={} if after is None else {"after": after})
        if isinstance(response, Unavailable):
            return response
        return _device_page(response.content) if response.status_code == httpx.codes.OK else _failure(response)

    def close(self) -> None:
        self._http.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str | int] | None = None,
    ) -> httpx.Response | Unavailable:
        try:
            # Read at each request: a rotated token file takes effect without a restart.
            authorization = {"Authorization": f"Bearer {self._token()}"}
            return self._http.request(
                method, path, content=content, params=params, headers=(headers or {}) | authorization
            )
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            return Unavailable(type(error).__name__)


def _batch_body(deliveries: Sequence[Delivery]) -> bytes:
    messages = [
        {
            "topic": delivery.topic,
            "payload_b64": base64.b64encode(delivery.payload).decode(),
            "received_at_ms": delivery.received_at_ms,
        }
        for delivery in deliveries
    ]
    return orjson.dumps({"messages": messages})


def _results(body: bytes, count: int) -> Answered | Unavailable:
    """A result too few or too many would acknowledge the wrong message: such an answer is none."""
    try:
        results = tuple(_result(item) for item in orjson.loads(body)["results"])
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return Unavailable("answer_not_understood")
    return Answered(results) if len(results) == count else Unavailable("answer_of_wrong_length")


def _result(item: dict[str, object]) -> Result:
    payload = item.get("payload_b64")
    return Result(
        state=_text(item["state"]),
        topic=_optional_text(item.get("topic")),
        payload=None if payload is None else base64.b64decode(_text(payload), validate=True),
        code=_optional_text(item.get("code")),
    )


def _page(body: bytes) -> DownlinkPage | Unavailable:
    try:
        page = orjson.loads(body)
        messages = tuple(_downlink(item) for item in page["messages"])
        return DownlinkPage(messages, _optional_text(page.get("next")))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return Unavailable("answer_not_understood")


def _downlink(item: dict[str, object]) -> Downlink:
    expiry_s = item.get("expiry_s")
    if not (expiry_s is None or (type(expiry_s) is int and 0 < expiry_s < 2**32)):
        raise ValueError
    return Downlink(
        topic=_text(item["topic"]),
        payload=base64.b64decode(_text(item["payload_b64"]), validate=True),
        qos=0 if item.get("qos", 1) == 0 else 1,
        retain=item.get("retain") is True,
        expiry_s=expiry_s,
    )


def _device_page(body: bytes) -> DevicePage | Unavailable:
    try:
        page = orjson.loads(body)
        return DevicePage(tuple(check_device_id(_text(item)) for item in page["devices"]), _optional_text(page["next"]))
    except (ValueError, KeyError, TypeError, WireError):
        return Unavailable("answer_not_understood")


def _failure(response: httpx.Response) -> Refused | Unavailable:
    if httpx.codes.is_client_error(response.status_code) and response.status_code not in _RETRIED_4XX:
        return Refused(response.status_code)
    return Unavailable(f"status_{response.status_code}", _retry_after_s(response))


_RETRIED_4XX: Final = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0


def _token_reader(token: str | None, token_file: Path | None) -> Callable[[], str]:
    if token_file is not None:
        return lambda: token_file.read_text(encoding="ascii").strip()
    assert token is not None
    return lambda: token


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)
