"""Enrolment and rotation, step by step: keys on disk, the server's answer, the answer on disk, and only then the change.

Whatever was cut short is taken up where it stood: the same keys are sent again, and the server gives the same answer.
"""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from firmware_bridge.wire.enrolment import PROVISION_PATH, ROTATION_PATH, provision_bytes, rotation_bytes
from scanner.chaos import Chaos, ChaosPoint
from scanner.enrolment.identity import PREFIX, Identities, Identity
from scanner.enrolment.server import Server, identity_files
from scanner.errors import TillRefusal


class EnrolledBefore(TillRefusal):
    code = "enrolled_before"
    text_zh = "本机已登记为 {device}。换新编号请先停用旧的，并把目录 {path} 移走。"
    text_en = "This till is enrolled as {device} already. For a new id revoke the old one and move {path} away."


def enrol(identities: Identities, server: Server, claim: str, hw_serial: str, chaos: Chaos) -> Identity:
    """The till's identity by this claim; the same claim again changes nothing.

    Raises EnrolledBefore by another claim, also where a power cut came before the till took the answer; IdentityUnusable,
    and what the server raises.
    """
    current = identities.current()
    if current is not None:
        _check_took(current, claim)
        return current
    made = identities.following()
    if made is not None and made.is_whole:
        _check_took(made, claim)
    identity = identities.begin_for(claim)
    chaos.reach(ChaosPoint.ENROL_KEYS_MADE)
    if not identity.is_whole:
        csr = _request(identity)
        proof = identity.signing_key().sign(provision_bytes(claim, csr))
        body = {"claim": claim, "csr": csr, "sign_pub": _public(identity), "hw_serial": hw_serial, "proof": _b64(proof)}
        _complete(identity, server, PROVISION_PATH, body, chaos)
    identities.adopt(identity)
    return identity


def rotate(identities: Identities, server: Server, chaos: Chaos) -> Identity:
    """New keys and a new certificate in place of the current ones, which vouch for them.

    Raises IdentityUnusable, and what the server raises; the current identity is then as it was.
    """
    current = identities.current()
    assert current is not None
    identity = identities.begin()
    chaos.reach(ChaosPoint.ENROL_KEYS_MADE)
    if not identity.is_whole:
        device, csr = device_of(current), _request(identity)
        signed = rotation_bytes(device, csr, identity.signing_key().public_key().public_bytes_raw())
        signature = _b64(current.signing_key().sign(signed))
        key_id = current.settings()[f"{PREFIX}KEY_ID"]
        body = {"device": device, "key_id": key_id, "csr": csr, "sign_pub": _public(identity), "signature": signature}
        _complete(identity, server, ROTATION_PATH, body, chaos)
    identities.adopt(identity)
    return identity


def device_of(identity: Identity) -> str:
    return identity.settings()[f"{PREFIX}DEVICE_ID"]


def _check_took(identity: Identity, claim: str) -> None:
    if not identity.took(claim):
        raise EnrolledBefore(device=device_of(identity), path=identity.folder.parent.parent)


def _complete(identity: Identity, server: Server, path: str, body: dict[str, str], chaos: Chaos) -> None:
    answer = server.ask(path, body)
    chaos.reach(ChaosPoint.ENROL_ANSWERED)
    identity.complete(identity_files(identity, answer, server))
    chaos.reach(ChaosPoint.ENROL_STORED)


def _request(identity: Identity) -> str:
    """A request in PEM. Its subject is not heeded: names are the server's to give."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "till")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(identity.tls_key(), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def _public(identity: Identity) -> str:
    return _b64(identity.signing_key().public_key().public_bytes_raw())


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
