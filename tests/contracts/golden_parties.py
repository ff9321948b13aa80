"""Who speaks in the golden files, and with which keys."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.wire.envelope import Sign

DEVICE = "nj-0042-3"
OTHER_DEVICE = "nj-0042-4"
STREAM = "9f3c0a1b2c3d4e5f60718293a4b5c6d7"
BOOT = "6a1f0b7e-3f57-4b0e-9a53-2f6f1c0d8e11"
CITY = "320100"
SOLD_MS = 1_790_000_000_123
NOW_S = 1_790_000_000

# Published on purpose: these keys sign nothing but test files.
DEVICE_SEED, OTHER_SEED, RECEIPT_SEED, CITY_SEED = (bytes([number]) * 32 for number in (1, 2, 3, 4))


def signer(seed: bytes) -> Sign:
    return Ed25519PrivateKey.from_private_bytes(seed).sign


def verifier(seed: bytes) -> Callable[[bytes, bytes], bool]:
    from cryptography.exceptions import InvalidSignature

    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()

    def verify(signature: bytes, message: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify
