"""The second factor: a time-based code (RFC 6238, 30 s, six digits), its secret sealed at rest."""

import hmac
from datetime import datetime

import pyotp
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
STEP_S = 30
DRIFT_STEPS = 1
"""A phone's clock may be 30 s off, either way."""
CODE_DIGITS = 6
ISSUER = "Green Points"
"""As apps show it; in Chinese the picture would be twice as dense."""


def seal(identity_key: bytes, secret: str, nonce: bytes) -> bytes:
    """`nonce`: 12 random bytes."""
    return nonce + AESGCM(_key(identity_key)).encrypt(nonce, secret.encode(), None)


def unseal(identity_key: bytes, sealed: bytes) -> str:
    """Raises cryptography's InvalidTag where it was sealed by another key."""
    return AESGCM(_key(identity_key)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()


def step_of(secret: str, code: str, now: datetime, *, after: int | None) -> int | None:
    """The step whose code this is, later than `after`; None for a wrong or a used one."""
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.at(step * STEP_S), code) and (after is None or step > after):
            return step
    return None


def next_code(secret: str, now: datetime, *, after: int | None) -> str:
    """The code of the present step, or of the first that is later than `after`."""
    present = int(now.timestamp()) // STEP_S
    return pyotp.TOTP(secret).at(max(present, -1 if after is None else after + 1) * STEP_S)


def enrolment_address(secret: str, login: str) -> str:
    """What the QR code holds, for any authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def _key(identity_key: bytes) -> bytes:
    return hmac.digest(identity_key, b"second factors of officials", "sha256")
