"""Foreign labels: FSC, PEFC, EU Ecolabel, EPREL, Blue Angel, Korea Eco-label. Recognition is a policy, not a format."""

import re

from backend.labels.carriers.web_address import WebAddress
from backend.labels.model import Confidence, Reading, Scheme, Scope, refused, supporting
from backend.labels.normalise import Code

HOSTS = frozenset({"eprel.ec.europa.eu"})

_FSC = re.compile(r"FSC(?:®|\(R\)|™|TM)?[\s\-]*([CNF])[\s\-]*([0-9]{6})")
_FSC_CERTIFICATE = re.compile(r"([A-Z]{2,6})-(COC|FM/COC|FM|CW|PC)-([0-9]{6})(-[A-Z0-9]{1,10})?")
_PEFC = re.compile(r"PEFC[/\s]*([0-9]{2})[\-\s]?([0-9]{2})[\-\s]?([0-9]{2,6})")
_EU_ECOLABEL = re.compile(r"(?:EU ?ECOLABEL[\s:]*)?([A-Z]{2})-?([A-Z]{1,2})? ?/ ?([0-9]{3}) ?/ ?([0-9]{2,5})")
_BLUE_ANGEL = re.compile(r"(?:DE|RAL)[\s\-]?UZ[\s\-]?([0-9]{1,3})([A-Z]?)")
_KOREA = re.compile(r"EL[\s\-]?([0-9]{3})")
_EPREL_ID = re.compile(r"[0-9]{1,9}")
_FSC_REFUSALS = {"N": "fsc_promotional", "F": "fsc_office"}


def read(code: Code) -> Reading | None:
    return _read_fsc(code.upper) or _read_licence(code.upper) or _read_criteria(code.upper)


def read_address(address: WebAddress) -> Reading | None:
    """EPREL ids have six and seven digits today: `/qr/<id>`, or the page that it leads to."""
    segments = [segment.lower() for segment in address.segments]
    shown = segments[:1] == ["qr"] and len(segments) == 2  # noqa: PLR2004 - path of the printed code
    opened = segments[:2] == ["screen", "product"] and len(segments) == 4  # noqa: PLR2004 - path of the page
    if not (shown or opened) or not _EPREL_ID.fullmatch(segments[-1]):
        return None
    return supporting(Scheme.EPREL, str(int(segments[-1])), Scope.MODEL, Confidence.CERTAIN)


def _read_fsc(text: str) -> Reading | None:
    licence, certificate = _FSC.fullmatch(text), _FSC_CERTIFICATE.fullmatch(text)
    if licence:
        kind, number = licence.groups()
        if kind in _FSC_REFUSALS:
            return refused(Scheme.FSC, _FSC_REFUSALS[kind], key=f"fsc:FSC-{kind}{number}")
        return supporting(Scheme.FSC, f"FSC-C{number}", Scope.ENTERPRISE, Confidence.CERTAIN)
    if certificate:
        seen = certificate[2] in {"COC", "FM/COC"}
        confidence = Confidence.CERTAIN if seen else Confidence.LIKELY
        return supporting(Scheme.FSC_CERTIFICATE, certificate[0], Scope.ENTERPRISE, confidence)
    return None


def _read_licence(text: str) -> Reading | None:
    """PEFC GD 1007, and Regulation (EC) 66/2010 annex II with the regional prefixes that countries add."""
    pefc, ecolabel = _PEFC.fullmatch(text), _EU_ECOLABEL.fullmatch(text)
    if pefc:
        return supporting(Scheme.PEFC, "PEFC/" + "-".join(pefc.groups()), Scope.LICENCE, Confidence.LIKELY)
    if ecolabel:
        country, region, group, serial = ecolabel.groups()
        canonical = f"{country}{'-' + region if region else ''}/{group}/{serial}"
        return supporting(Scheme.EU_ECOLABEL, canonical, Scope.LICENCE, Confidence.LIKELY)
    return None


def _read_criteria(text: str) -> Reading | None:
    """Numbers of award criteria, the same across companies: never proof for a product."""
    blue_angel, korea = _BLUE_ANGEL.fullmatch(text), _KOREA.fullmatch(text)
    if blue_angel:
        canonical = f"DE-UZ {int(blue_angel[1])}{blue_angel[2].lower()}"
        return _criteria(Scheme.BLUE_ANGEL, canonical)
    return _criteria(Scheme.KOREA_ECOLABEL, f"EL{korea[1]}") if korea else None


def _criteria(scheme: Scheme, canonical: str) -> Reading:
    return Reading(
        scheme,
        f"{scheme}:{canonical}",
        Scope.CRITERIA,
        usable=False,
        confidence=Confidence.CERTAIN,
        warnings=("criteria_only",),
    )
