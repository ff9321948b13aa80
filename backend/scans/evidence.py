"""What a till adds to a line beyond its label: read from the wire, kept as text, and read again. Pure."""

import json
import re
from datetime import date
from typing import Any

from backend.policies.evidence import NO_EVIDENCE, Evidence
from backend.policies.model import Buyer

AGE_YEARS_MAX = 100
POINTS_MAX = 10**9

_DIGEST = re.compile(r"[0-9a-f]{16,64}")
_CASE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORMS = {"phone": _DIGEST, "address": _DIGEST, "trade_in": _DIGEST, "case": _CASE, "trade_in_on": _DAY}
_RANGES = {"trade_in_age": AGE_YEARS_MAX, "linked_points": POINTS_MAX}
_PERSON = Buyer.PERSON.value


def read_evidence(given: Any) -> Evidence | None:
    """The evidence that `given`, a JSON value, states. Raises ValueError naming the first field that is wrong.

    Numbers of people and things come as digests, 16 to 64 hex digits, never as themselves: nothing else is taken.
    """
    if given is None:
        return None
    if type(given) is not dict:
        raise ValueError("evidence")
    unknown = given.keys() - set(Evidence._fields)
    if unknown:
        raise ValueError("evidence")
    for field, form in _FORMS.items():
        value = given.get(field)
        if value is not None and not (type(value) is str and form.fullmatch(value)):
            raise ValueError(field)
    for field, most in _RANGES.items():
        value = given.get(field)
        if value is not None and not (type(value) is int and 0 <= value <= most):
            raise ValueError(field)
    _check_day(given.get("trade_in_on"))
    return Evidence(**given)


def _check_day(text: str | None) -> None:
    """Raises ValueError for what looks like a day and is none."""
    try:
        date.fromisoformat(text or "2000-01-01")
    except ValueError:
        raise ValueError("trade_in_on") from None


def evidence_text(evidence: Evidence | None, buyer: str) -> str | None:
    """How evidence is kept: JSON with sorted keys of what is there; None when that is nothing."""
    known: dict[str, object] = (
        {} if evidence is None else {k: v for k, v in evidence._asdict().items() if v is not None}
    )
    if buyer != _PERSON:
        known["buyer"] = buyer
    return json.dumps(known, sort_keys=True, separators=(",", ":")) if known else None


def evidence_of(text: str | None) -> tuple[Evidence, str]:
    """The evidence and the buyer that a stored text states."""
    if text is None:
        return NO_EVIDENCE, _PERSON
    known = json.loads(text)
    buyer = known.pop("buyer", _PERSON)
    return Evidence(**known), buyer
