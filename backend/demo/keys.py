"""The demonstration's own authority: TLS certificates (P-256) and signing keys (Ed25519), made once and kept.

In production the city's authority takes this module's place. Tills make their own keys when they enrol; here are keys only
of those that are entered by hand.
"""

import base64
import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.storage.children import write_private

BACK_DATED = timedelta(days=7)  # a till without a clock battery may wake some days ago
DEVICE_VALIDITY = timedelta(days=730)
AUTHORITY_VALIDITY = timedelta(days=3650)
RENEWAL = timedelta(days=30)
BROKER, BRIDGE, SERVER = "broker", "bridge", "server"
CITY_KEY_ID = "n1"


@dataclass(frozen=True)
class Keyring:
    """Paths by convention: `<name>.pem` and `<name>.key.pem` for TLS, `<name>.sign.pem` for signing."""

    place: Path

    @property
    def authority(self) -> Path:
        return self.place / "ca.pem"

    @property
    def city_public(self) -> Path:
        """Lines `keyid base64`, as tills read them."""
        return self.place / "city-keys"

    @property
    def receipt_public(self) -> Path:
        return self.place / "receipt-keys"

    @property
    def identity_hash(self) -> Path:
        """The secret with which the backend hashes residents' outside identities."""
        return self.place / "identity-hash.key"

    def certificate(self, name: str) -> Path:
        return self.place / f"{name}.pem"

    def tls_key(self, name: str) -> Path:
        return self.place / f"{name}.key.pem"

    def signing(self, name: str) -> Path:
        return self.place / f"{name}.sign.pem"

    def load_signing(self, name: str) -> Ed25519PrivateKey:
        key = load_pem_private_key(self.signing(name).read_bytes(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    def key_id(self, name: str) -> str:
        """Eight characters made from the key itself: another key never goes by the same id."""
        return hashlib.sha256(self.public_raw(name)).hexdigest()[:8]

    def public_raw(self, name: str) -> bytes:
        """32 bytes, as a device register holds them."""
        return self.load_signing(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def ensure_keys(place: Path, tills: Sequence[str], now: datetime) -> Keyring:
    """Everything in `place`, files readable by their owner only. What is there stays, but a TLS certificate within
    30 days of its end is issued anew over the same authority; signing keys never change by themselves.
    """
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyring = Keyring(place)
    _ensure_authority(keyring, now)
    for name in (BROKER, BRIDGE, SERVER, *tills):
        _ensure_certificate(keyring, name, now)
    for name in ("city", "receipt", "ledger", "passport", *tills):
        if not keyring.signing(name).exists():
            write_private(keyring.signing(name), _pem(Ed25519PrivateKey.generate()))
    if not keyring.identity_hash.exists():
        write_private(keyring.identity_hash, f"{secrets.token_hex(32)}\n")
    write_private(keyring.city_public, f"{CITY_KEY_ID} {_base64(keyring.public_raw('city'))}\n")
    write_private(keyring.receipt_public, f"{_base64(keyring.public_raw('receipt'))}\n")
    return keyring


def _ensure_authority(keyring: Keyring, now: datetime) -> None:
    if keyring.authority.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Green Points demonstration authority")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(keyring.tls_key("ca"), _pem(key))
    write_private(keyring.authority, certificate.public_bytes(Encoding.PEM).decode())


def _ensure_certificate(keyring: Keyring, name: str, now: datetime) -> None:
    if keyring.certificate(name).exists():
        present = x509.load_pem_x509_certificate(keyring.certificate(name).read_bytes())
        if present.not_valid_after_utc - RENEWAL > now:
            return
    issuer = x509.load_pem_x509_certificate(keyring.authority.read_bytes())
    issuer_key = load_pem_private_key(keyring.tls_key("ca").read_bytes(), password=None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(name), issuer.subject, key.public_key(), now, DEVICE_VALIDITY)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if name in {BROKER, SERVER}:
        here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(here), critical=False)
        purpose = ExtendedKeyUsageOID.SERVER_AUTH
    else:
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    certificate = builder.add_extension(authority, critical=False).sign(issuer_key, hashes.SHA256())
    write_private(keyring.tls_key(name), _pem(key))
    write_private(keyring.certificate(name), certificate.public_bytes(Encoding.PEM).decode())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: datetime,
    validity: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK_DATED)
        .not_valid_after(now + validity)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
