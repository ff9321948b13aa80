"""A new till takes its slot by claim and gets certificate and settings; the same till gets the same answer again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acting import acting
from backend.audit.model import TILL, Actor
from backend.devices.enrolment import certificate, store
from backend.devices.enrolment.certificate import Authority
from backend.devices.enrolment.claim_code import claim_hash
from backend.devices.enrolment.judge import EnrolmentClaimUnknown, EnrolmentClaimUsed, taken_before
from backend.devices.enrolment.model import Claim, Issued, TillKeys
from backend.kernel.errors import DomainError
from backend.storage.transaction import Database
from backend.usecases.claim_device import DeviceEnrolled
from backend.usecases.enrol_device import Enrolment, enrol_device


class EnrolmentOff(DomainError):
    code = "enrolment-off"
    text_zh = "本系统没有设置终端证书的签发者，不能在线登记；请联系主管部门。"
    text_en = "This installation has no authority for till certificates, so none is enrolled online."


class Application(NamedTuple):
    """What a new till sends. `proof`: its signing key over claim and request."""

    claim: str
    csr: str
    signing: bytes
    hw_serial: str
    proof: bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs certificates, and a source of serial numbers (at most 159 bits, RFC 5280 section 4.1.2.2)."""

    authority: Authority
    draw_serial: Callable[[], int]

    def issue(self, connection: Connection, device: str, keys: TillKeys, now: datetime) -> Issued:
        issued = certificate.issue(self.authority, device, keys, serial=self.draw_serial(), now=now)
        store.insert_certificate(connection, issued, certificate.keys_sha256(keys), now)
        return issued


class ProvisionDevice:
    def __init__(self, database: Database, issuer: Issuer | None) -> None:
        self._database = database
        self._issuer = issuer

    def provision(self, application: Application, now: datetime) -> Issued:
        """Raises EnrolmentOff, EnrolmentClaimMalformed, EnrolmentClaimUnknown, EnrolmentClaimExpired,
        EnrolmentClaimUsed (another till's keys: then an alarm is stored too), CertificateRequestRefused,
        PossessionNotProved, DeviceEnrolled, DeviceRevoked.
        """
        if self._issuer is None:
            raise EnrolmentOff
        hashed = claim_hash(application.claim)
        signed = certificate.provision_bytes(application.claim, application.csr)
        certificate.check_possession(application.signing, application.proof, signed)
        keys = certificate.read_request(application.csr, application.signing)

        issuer = self._issuer
        answer = self._database.write(lambda c: _take(c, issuer, hashed, keys, application.hw_serial, now))
        if isinstance(answer, EnrolmentClaimUsed):
            raise answer
        return answer


def _take(
    connection: Connection, issuer: Issuer, hashed: bytes, keys: TillKeys, hw_serial: str, now: datetime
) -> Issued | EnrolmentClaimUsed:
    """A claim that another took is an outcome here, not an exception: its alarm has to be committed."""
    claim, sha256 = store.lock_claim(connection, hashed), certificate.keys_sha256(keys)
    if claim is None:
        raise EnrolmentClaimUnknown
    try:
        repeated = taken_before(claim, sha256, now)
    except EnrolmentClaimUsed as refusal:
        alarm = store.Alarm.CLAIM_REUSED
        store.raise_alarm(connection, claim.city, claim.device, alarm, hashed.hex()[:16], now)
        return refusal
    with acting(Actor(f"{TILL}:{claim.device}", TILL)):
        enrolled = enrol_device(connection, _enrolment(claim, keys), now)
    if repeated:
        issued = store.certificate_of(connection, claim.device, sha256)
        assert issued is not None
        return issued
    if not enrolled.new_device:
        raise DeviceEnrolled(device=claim.device)
    store.use_claim(connection, hashed, sha256, hw_serial, now)
    return issuer.issue(connection, claim.device, keys, now)


def _enrolment(claim: Claim, keys: TillKeys) -> Enrolment:
    key_id = certificate.key_id_of(keys.signing)
    return Enrolment(claim.device, claim.city, claim.store, key_id, keys.signing)
