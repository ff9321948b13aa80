"""Whether a claim may be taken by a till that shows certain keys."""

from datetime import datetime

from backend.devices.enrolment.model import Claim
from backend.kernel.errors import DomainError


class EnrolmentClaimUnknown(DomainError):
    code = "enrolment-claim-unknown"
    text_zh = "没有这个登记码，或已被新的代替；请向发放者索取。"
    text_en = "There is no such claim, or a newer one took its place."


class EnrolmentClaimExpired(DomainError):
    code = "enrolment-claim-expired"
    text_zh = "登记码已于 {at} 过期，请重新发放。"
    text_en = "The claim ended at {at}: have a new one issued."


class EnrolmentClaimUsed(DomainError):
    code = "enrolment-claim-used"
    text_zh = "登记码已被另一台终端使用，已告警；若不是您所为，请立即停用设备 {device}。"
    text_en = "Another till has taken this claim, and people were alarmed; if that was not you, revoke device {device}."


def taken_before(claim: Claim, keys_sha256: bytes, now: datetime) -> bool:
    """True when it was this very till: it gets the same answer, however late. False: it may take it now.

    Raises EnrolmentClaimUsed when another has taken it, EnrolmentClaimUnknown, EnrolmentClaimExpired.
    """
    if claim.keys_sha256 is not None:
        if claim.keys_sha256 != keys_sha256:
            raise EnrolmentClaimUsed(device=claim.device)
        return True
    if claim.superseded:
        raise EnrolmentClaimUnknown
    if claim.expires_at <= now:
        raise EnrolmentClaimExpired(at=claim.expires_at.isoformat())
    return False
