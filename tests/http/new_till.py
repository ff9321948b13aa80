"""A till before it is enrolled: it makes its keys and asks, by the contract and not by the product's own code."""

import base64
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

PROVISION, KEYS = "/api/device/v1/provision", "/api/device/v1/keys"
TlsKey = ec.EllipticCurvePrivateKey


@dataclass
class NewTill:
    """`asked_name`: what its request would like to be called."""

    tls: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    asked_name: str = "bridge"

    def csr(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.asked_name)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.tls, hashes.SHA256())
        return request.public_bytes(Encoding.PEM).decode()

    def application(self, claim: str, **changes: Any) -> dict[str, Any]:
        csr = self.csr()
        proof = self.signing.sign(b"pos-provision-v1\0" + claim.encode() + b"\0" + csr.encode())
        usual = {
            "claim": claim,
            "csr": csr,
            "sign_pub": self.public(),
            "hw_serial": "10000000abcd",
            "proof": b64(proof),
        }
        return {**usual, **changes}

    def rotation(self, device: str, key_id: str, present: Ed25519PrivateKey) -> dict[str, Any]:
        """Asks for this till's keys in place of `present`."""
        csr, signing = self.csr(), self.signing.public_key().public_bytes_raw()
        signature = present.sign(b"pos-rotation-v1\0" + device.encode() + b"\0" + signing + csr.encode())
        return {"device": device, "key_id": key_id, "csr": csr, "sign_pub": b64(signing), "signature": b64(signature)}

    def public(self) -> str:
        return b64(self.signing.public_key().public_bytes_raw())


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
