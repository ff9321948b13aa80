"""What a till made of what is desired of it. Pure."""

from backend.devices.twin.model import Agreement, Desired, Reported

_JUDGED = {
    "trial": Agreement.TRIAL,
    "applied": Agreement.APPLIED,
    "rejected": Agreement.REJECTED,
    "reverted": Agreement.REVERTED,
}


def agreement(desired: Desired | None, reported: Reported | None) -> Agreement:
    """A till that has judged a version above the desired one holds what this register never gave, or has forgotten."""
    known = 0 if desired is None else desired.version
    judged = 0 if reported is None else reported.version
    if judged > known:
        return Agreement.DIFFERENT
    if desired is None:
        return Agreement.NOTHING
    if reported is None or judged < known:
        return Agreement.WAITING
    if reported.status in ("applied", "trial") and reported.sha256 != desired.sha256:
        return Agreement.DIFFERENT
    return _JUDGED.get(reported.status, Agreement.DIFFERENT)
