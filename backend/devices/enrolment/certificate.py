"""Till certificates: what a request must prove, and what is issued. P-256, for cloud brokers take no Ed25519."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.devices.enrolment.model import Issued, TillKeys
from backend.kernel.errors import DomainError

BACK_DATED = timedelta(days=7)
"""A till without a clock battery may wake some days ago."""
CLOCK_ERROR = timedelta(days=1)
VALIDITY = timedelta(days=730)
CSR_BYTES_MAX = 4_096


class CertificateRequestRefused(DomainError):
    code = "certificate-request-refused"
    text_zh = "证书请求不可用：须为 P-256 密钥、自签名有效的 PKCS#10 PEM。"
    text_en = "Not a usable certificate request: a self-signed PKCS#10 in PEM with a P-256 key."


class PossessionNotProved(DomainError):
    code = "possession-not-proved"
    text_zh = "请求没有用所声明的密钥正确签名。"
    text_en = "The request is not signed by the key that it names."


@dataclass(frozen=True, slots=True)
class Authority:
    """`chain` as tills are handed it; its first certificate is the issuer's own."""

    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in self.chain)


def provision_bytes(claim: str, csr: str) -> bytes:
    """What a new till's signing key signs; names the purpose, so that it is good for nothing else."""
    return b"pos-provision-v1\0" + claim.encode() + b"\0" + csr.encode()


def rotation_bytes(device: str, csr: str, signing: bytes) -> bytes:
    """What a till's present key signs, to vouch for those that come next."""
    return b"pos-rotation-v1\0" + device.encode() + b"\0" + signing + csr.encode()


def check_possession(signing: bytes, signature: bytes, signed: bytes) -> None:
    """Raises PossessionNotProved."""
    try:
        Ed25519PublicKey.from_public_bytes(signing).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise PossessionNotProved from None


def read_request(csr: str, signing: bytes) -> TillKeys:
    """The subject that a request asks for is not heeded: names are the server's. Raises CertificateRequestRefused."""
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        usable = len(csr) <= CSR_BYTES_MAX and request.is_signature_valid
        key = request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        raise CertificateRequestRefused from None
    if not usable or not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateRequestRefused
    return TillKeys(request.public_bytes(Encoding.DER), signing)


def keys_sha256(keys: TillKeys) -> bytes:
    """Names a till's pair of keys, whatever else its request says: a request made anew has another signature."""
    spki = _public(keys).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki + keys.signing).digest()


def key_id_of(signing: bytes) -> str:
    """Eight characters made from the key itself, so another key of a device never goes by the same id."""
    return hashlib.sha256(signing).hexdigest()[:8]


def issue(authority: Authority, device: str, keys: TillKeys, *, serial: int, now: datetime) -> Issued:
    """A client certificate over the CN `device`, ending no later than its issuer."""
    public, issuer = _public(keys), authority.chain[0]
    not_after = min(now + VALIDITY, issuer.not_valid_after_utc)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(max(now - BACK_DATED, issuer.not_valid_before_utc))
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Issued(device, key_id_of(keys.signing), certificate.public_bytes(Encoding.PEM).decode(), not_after)


def is_early(issued_at: datetime, not_after: datetime, now: datetime) -> bool:
    """Whether a till has no reason yet to change its keys: it does after two thirds of the life of its certificate, which
    begins back-dated. A day is allowed for its clock.
    """
    begins = issued_at - BACK_DATED
    return 3 * (now + CLOCK_ERROR - begins) < 2 * (not_after - begins)


def _public(keys: TillKeys) -> ec.EllipticCurvePublicKey:
    key = x509.load_der_x509_csr(keys.csr_der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key
