"""Green Food (China Green Food Development Center): enterprise code GF on packs, product number LB on licences."""

import re

from backend.labels.model import Confidence, Reading, Scheme, Scope, supporting, unsettled
from backend.labels.normalise import Code
from backend.labels.regions import region_name

_GF = re.compile(r"GF([0-9]{6})([0-9]{2})([0-9]{4})")
_LB = re.compile(r"LB([0-9]{2})([0-9]{2})(0[1-9]|1[0-2])([0-9]{2})([0-9]{4,5})(AA?)?")
_ANNOUNCED = re.compile(r"GF[0-9]{6}|LB-?[0-9]{2}-?[0-9]{6}")
_SEPARATORS = str.maketrans("", "", "-./_")
_CATEGORIES = range(1, 58)
_LAST_LB_ON_PACKS = "1207"


def read(code: Code) -> Reading | None:
    if code.compact[:2] not in {"GF", "LB"}:
        return None
    compact = code.compact.translate(_SEPARATORS)
    enterprise, product = _GF.fullmatch(compact), _LB.fullmatch(compact)
    if enterprise:
        return _enterprise(*enterprise.groups())
    if product:
        return _product(*product.groups())
    if _ANNOUNCED.match(code.compact):
        return unsettled(Scheme.GREEN_FOOD_GF if compact[0] == "G" else Scheme.GREEN_FOOD_LB, "malformed")
    return None


def _enterprise(region: str, year: str, serial: str) -> Reading:
    """Names an enterprise and all its green food, never a product or a unit."""
    place = region_name(region)
    parts = {"region": region, "first_year": year} | ({"place": place} if place else {})
    confidence = Confidence.CERTAIN if place else Confidence.REVIEW
    warnings = () if place else ("region_unknown",)
    canonical = f"GF{region}{year}{serial}"
    return supporting(Scheme.GREEN_FOOD_GF, canonical, Scope.ENTERPRISE, confidence, warnings, parts)


def _product(category: str, year: str, month: str, province: str, serial: str, grade: str | None) -> Reading:
    """A licence of three years from its month. The province number is the Center's own, not GB/T 2260."""
    warnings = ("lb_after_2012",) if year + month > _LAST_LB_ON_PACKS else ()
    confidence = Confidence.CERTAIN
    if int(category) not in _CATEGORIES:
        confidence, warnings = Confidence.REVIEW, (*warnings, "category_unknown")
    if grade is None:
        # Sources differ on how the last digit of older numbers tells A from AA.
        confidence, warnings = Confidence.REVIEW, (*warnings, "grade_unsettled")
    parts = {"category": category, "licensed": year + month, "province_no": province, "serial": serial}
    parts |= {"grade": grade} if grade else {}
    canonical = f"LB-{category}-{year}{month}{province}{serial}{grade or ''}"
    return supporting(Scheme.GREEN_FOOD_LB, canonical, Scope.LICENCE, confidence, warnings, parts)
