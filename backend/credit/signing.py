"""Signed tokens (RFC 7515, compact) by one named suite; the verifier takes no other, whatever a token says of itself."""

import base64
import binascii
from typing import Any, Protocol

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backend.kernel.errors import DomainError

EDDSA, SM2 = "EdDSA", "SM2"
TOKEN_CHARS_MAX = 4_096


class SuiteUnavailable(DomainError):
    code = "suite-unavailable"
    text_zh = "签名算法 {suite} 没有可用且仍在维护的实现，未启用。"
    text_en = "There is no well-kept implementation of {suite} here; it is not in use."


class TokenRefused(DomainError):
    code = "token-refused"
    text_zh = "出示的凭证无效、已被改动或已过期。"
    text_en = "What was shown is not valid, was changed, or is out of date."


class Signer(Protocol):
    """A key with its suite. `jwk` is the public half as published (RFC 7517)."""

    @property
    def suite(self) -> str: ...
    @property
    def jwk(self) -> dict[str, str]: ...
    def sign(self, message: bytes) -> bytes: ...
    def verify(self, signature: bytes, message: bytes) -> bool: ...


class Ed25519Signer:
    suite = EDDSA

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public: Ed25519PublicKey = key.public_key()
        raw = self._public.public_bytes_raw()
        self.jwk = {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": encoded(raw),
            "kid": encoded(raw)[:16],
            "alg": EDDSA,
            "use": "sig",
        }

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def verify(self, signature: bytes, message: bytes) -> bool:
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def signer_of(suite: str, key: Ed25519PrivateKey) -> Signer:
    """Raises SuiteUnavailable: SM2 is behind this very interface, and waits for a library that is kept."""
    if suite != EDDSA:
        raise SuiteUnavailable(suite=suite)
    return Ed25519Signer(key)


def token(signer: Signer, kind: str, claims: dict[str, Any]) -> str:
    """`kind` is the type in its header, which keeps a token of one kind from being taken for another (RFC 8725, 3.11)."""
    header = {"alg": signer.suite, "typ": kind, "kid": signer.jwk["kid"]}
    signed = f"{encoded(orjson.dumps(header))}.{encoded(orjson.dumps(claims))}"
    return f"{signed}.{encoded(signer.sign(signed.encode()))}"


def claims_of(signer: Signer, kind: str, text: str) -> dict[str, Any]:
    """The claims of a token of ours. Raises TokenRefused; whether it is out of date is the caller's to look at."""
    parts = text.split(".")
    if len(text) > TOKEN_CHARS_MAX or len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise TokenRefused
    try:
        header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts)
        said = orjson.loads(header)
        held = orjson.loads(claims)
    except (binascii.Error, ValueError):
        raise TokenRefused from None
    expected = {"alg": signer.suite, "typ": kind, "kid": signer.jwk["kid"]}
    if said != expected or not isinstance(held, dict):
        raise TokenRefused
    if not signer.verify(signature, f"{parts[0]}.{parts[1]}".encode()):
        raise TokenRefused
    return held


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
