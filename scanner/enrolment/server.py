"""The server that enrols tills, over HTTPS; what it answers is checked before it is kept."""

import base64
import binascii
import http.client
import ipaddress
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.topics import check_device_id
from scanner.enrolment import identity as files
from scanner.enrolment.identity import Identity
from scanner.errors import TillRefusal
from scanner.keys import KeyFileUnusable

ALIVE_PATH = "/healthz"
TIMEOUT_S = 20.0
ANSWER_BYTES_MAX = 65_536
_KEY_ID = re.compile(r"[a-z0-9]{1,8}")
_CITY_KEY = re.compile(r"[a-z0-9]{2} [A-Za-z0-9+/=]{44}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}")


class ServerAddressRefused(TillRefusal):
    code = "server_address_refused"
    text_zh = "服务器地址须为 https://（仅本机可用 http://）。"
    text_en = "The server's address must be https:// (http:// on this machine only)."


class ServerUnreachable(TillRefusal):
    code = "server_unreachable"
    text_zh = "无法连接服务器（{reason}）；请检查网络和时钟后用同一登记码重试，不会重复登记。"
    text_en = "The server cannot be reached ({reason}): check network and clock, then try again with the same claim."


class ServerRefused(TillRefusal):
    code = "server_refused"
    text_zh = "服务器没有同意：{detail_zh}"
    text_en = "The server refused: {detail_en} [{problem}]"


class AnswerNotUnderstood(TillRefusal):
    code = "answer_not_understood"
    text_zh = "服务器的回答不完整或与本机密钥不符（{reason}）。"
    text_en = "The server's answer is not whole, or not for this till's keys ({reason})."


class Server:
    """`ca`: whom to believe it from; the system's authorities by default. No proxy and no redirection is followed."""

    def __init__(self, url: str, ca: Path | None) -> None:
        """Raises ServerAddressRefused."""
        parts = urlsplit(url)
        if parts.hostname is None or not (parts.scheme == "https" or _is_loopback(parts.scheme, parts.hostname)):
            raise ServerAddressRefused
        self.url = url.rstrip("/")
        self.ca = ca
        self._host, self._port, self._root = parts.hostname, parts.port, parts.path.rstrip("/")
        self._secure = parts.scheme == "https"

    def ask(self, path: str, body: Mapping[str, str]) -> dict[str, Any]:
        """Raises ServerUnreachable (also 429 and 5xx: try again), ServerRefused, AnswerNotUnderstood."""
        status, content, _ = self._asked("POST", path, orjson.dumps(body))
        try:
            answer = dict(orjson.loads(content))
        except (ValueError, TypeError):
            answer = {}
        if status == http.client.OK:
            return answer
        if status == http.client.TOO_MANY_REQUESTS or (
            status >= http.client.INTERNAL_SERVER_ERROR and status != http.client.NOT_IMPLEMENTED
        ):
            raise ServerUnreachable(reason=status)
        raise ServerRefused(
            detail_zh=answer.get("detail", status), detail_en=answer.get("detail_en", ""), problem=answer.get("code")
        )

    def moment(self) -> datetime:
        """What time it is there, to the second. Raises ServerUnreachable, AnswerNotUnderstood."""
        _, _, date = self._asked("GET", ALIVE_PATH, None)
        try:
            return parsedate_to_datetime(date).astimezone(UTC)
        except ValueError as error:
            raise AnswerNotUnderstood(reason="no date") from error

    def _asked(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes, str]:
        """Status, content, date. Raises ServerUnreachable."""
        connection = self._connection()
        try:
            connection.request(method, self._root + path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read(ANSWER_BYTES_MAX), response.getheader("Date", "")
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(reason=type(error).__name__) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        trust = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=trust)


def identity_files(identity: Identity, answer: Mapping[str, Any], server: Server) -> dict[str, str]:
    """What the answer makes of an identity's folder. Raises AnswerNotUnderstood, KeyFileUnusable.

    With a copy of `server.ca`: the operator's file may be on a stick, or where the till's own user does not see it.
    """
    try:
        certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
        authority = x509.load_pem_x509_certificates(answer["authority"].encode())[0]
        certificate.verify_directly_issued_by(authority)
        device, key_id = check_device_id(answer["device"]), _fitting(_KEY_ID, answer["key_id"])
        receipt_keys = [_public_key(text) for text in answer["receipt_keys"]]
        city_keys = [_fitting(_CITY_KEY, text) for text in answer["city_keys"]]
        (host, port), *more = [(_fitting(_HOST, one["host"]), int(one["port"])) for one in answer["brokers"]]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, WireError, InvalidSignature) as error:
        raise AnswerNotUnderstood(reason=type(error).__name__) from error
    if certificate.public_key() != identity.tls_key().public_key():
        raise AnswerNotUnderstood(reason="certificate of another key")
    backend_authority = None if server.ca is None else _authority(server.ca)
    settings = {
        "DEVICE_ID": device,
        "KEY_ID": key_id,
        "KEY_PATH": identity.folder / files.SIGNING_KEY,
        "CITY_KEYS_PATH": identity.folder / files.CITY_KEYS,
        "RECEIPT_KEY_PATH": identity.folder / files.RECEIPT_KEYS,
        "BROKER_HOST": host,
        "BROKER_PORT": port,
        **({"BROKERS_MORE": ",".join(f"{other}:{at}" for other, at in more)} if more else {}),
        "BROKER_CA_PATH": identity.folder / files.AUTHORITY,
        "BROKER_CERT_PATH": identity.folder / files.CERTIFICATE,
        "BROKER_TLS_KEY_PATH": identity.folder / files.TLS_KEY,
        "BACKEND_URL": server.url,
        **({} if backend_authority is None else {"BACKEND_CA_PATH": identity.folder / files.BACKEND_AUTHORITY}),
    }
    return {
        files.CERTIFICATE: answer["certificate"],
        files.AUTHORITY: answer["authority"],
        **({} if backend_authority is None else {files.BACKEND_AUTHORITY: backend_authority}),
        files.RECEIPT_KEYS: "".join(f"{key}\n" for key in receipt_keys),
        files.CITY_KEYS: "".join(f"{key}\n" for key in city_keys),
        files.SETTINGS: "".join(f"{files.PREFIX}{name}={value}\n" for name, value in settings.items()),
    }


def _authority(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise KeyFileUnusable(path=path, reason=type(error).__name__) from error


def _fitting(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(pattern.pattern)
    return text


def _public_key(text: str) -> str:
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError("base64") from error
    return text


def _is_loopback(scheme: str, host: str) -> bool:
    try:
        return scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
