"""The till's own signing key and the public keys that it believes, read from files."""

import base64
import binascii
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from firmware_bridge.wire.envelope import Sign, Verify
from scanner.errors import TillRefusal

KEY_FILE_BYTES_MAX = 65_536


class KeyFileUnusable(TillRefusal):
    code = "key_file_unusable"
    text_zh = "密钥文件 {path} 不可用：{reason}。"
    text_en = "The key file {path} is not usable: {reason}."


def signing_key(path: Path) -> Sign:
    """From PKCS 8 PEM. Raises KeyFileUnusable, also where anyone but the owner may read the file."""
    if _mode(path) & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileUnusable(path=path, reason="others may read it; chmod 600")
    try:
        key = load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileUnusable(path=path, reason="not an unencrypted PKCS 8 PEM key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileUnusable(path=path, reason="not an Ed25519 key")
    return key.sign


def city_keys(path: Path) -> dict[str, Verify]:
    """By key id, from lines `keyid base64`. Raises KeyFileUnusable."""
    pairs = [line.split() for line in _lines(path)]
    if not pairs or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004
        raise KeyFileUnusable(path=path, reason="each line must be: keyid base64")
    return {key_id: _verifier(path, text) for key_id, text in pairs}


def receipt_verifier(path: Path) -> Verify:
    """Believes any of the file's keys (lines of base64), so that the backend's can be rotated."""
    verifiers = [_verifier(path, line.split()[-1]) for line in _lines(path)]
    if not verifiers:
        raise KeyFileUnusable(path=path, reason="it holds no key")
    return lambda signature, signed: any(verify(signature, signed) for verify in verifiers)


def _verifier(path: Path, text: str) -> Verify:
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise KeyFileUnusable(path=path, reason="not the base64 of a 32-byte Ed25519 public key") from error
    return _verify_with(key)


def _verify_with(key: Ed25519PublicKey) -> Callable[[bytes, bytes], bool]:
    def verify(signature: bytes, signed: bytes) -> bool:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    return verify


def _lines(path: Path) -> list[str]:
    text = _content(path).decode("ascii", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(KEY_FILE_BYTES_MAX)
    except OSError as error:
        raise KeyFileUnusable(path=path, reason=error.strerror or "unreadable") from error


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise KeyFileUnusable(path=path, reason=error.strerror or "unreadable") from error
