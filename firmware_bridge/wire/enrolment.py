"""What a till signs to be let in, and to change its keys. Each names its purpose, so that it is good for nothing else."""

from typing import Final

CLAIM_PREFIX: Final = "GPE1."
PROVISION_PATH: Final = "/api/device/v1/provision"
ROTATION_PATH: Final = "/api/device/v1/keys"


def provision_bytes(claim: str, csr: str) -> bytes:
    """Signed by the new signing key; `claim` as it is sent, `csr` in PEM."""
    return b"pos-provision-v1\0" + claim.encode() + b"\0" + csr.encode()


def rotation_bytes(device: str, csr: str, signing: bytes) -> bytes:
    """Signed by the present key, to vouch for the next: `signing` is its public half, 32 bytes."""
    return b"pos-rotation-v1\0" + device.encode() + b"\0" + signing + csr.encode()


def split_claim(scanned: str) -> tuple[str, str | None]:
    """The claim, and the server's address where the code holds one: `GPE1.…@https://points.example`."""
    claim, _, url = scanned.strip().partition("@")
    return claim, url or None
