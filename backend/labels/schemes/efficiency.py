"""China energy and water labels: web addresses of three generations, and filing numbers. They name a model.

The label is a self-declaration and the grade printed on it is never read here: presence alone says nothing.
"""

import re

from backend.labels.carriers.web_address import WebAddress
from backend.labels.model import Confidence, Reading, Scheme, Scope, supporting
from backend.labels.normalise import Code

HOSTS = frozenset({"el.bbqk.com", "wl.bbqk.com", "elm.bbqk.com", "energylabel.com.cn", "waterlabel.org.cn"})

_SHORT = {"el.bbqk.com": Scheme.ENERGY_LABEL, "wl.bbqk.com": Scheme.WATER_LABEL}
_OFFICIAL = {"energylabel.com.cn": Scheme.ENERGY_LABEL, "waterlabel.org.cn": Scheme.WATER_LABEL}
_BBQK = "bbqk/"
_SHORT_ID = re.compile(r"[0-9A-Za-z]{4,16}")
_MOTOR_ID = re.compile(r"[0-9A-Za-z]{1,32}")
_MOTOR_PAGE = re.compile(r"index[0-9]{0,4}\.html", re.IGNORECASE)
_PRODUCT_ID = re.compile(r"[0-9]{1,20}")
_TYPE_CODE = re.compile(r"[0-9]{2}")
_FILING = re.compile(r"(20[0-9]{2}(?:0[1-9]|1[0-2]))-([0-9]{2})-([0-9]{4,8})-([0-9]{8,18})")


def read_address(address: WebAddress, *, has_case: bool) -> Reading | None:
    """`has_case`: the address has lower-case letters. Written all in capitals, as compact QR codes are, it has lost
    the case of its identifier, and published identifiers are lower case.
    """
    if address.bare_host in _SHORT:
        return _short(_SHORT[address.bare_host], address.segments, has_case=has_case)
    if address.bare_host == "elm.bbqk.com":
        return _motor(address, has_case=has_case)
    if address.bare_host in _OFFICIAL:
        return _official(_OFFICIAL[address.bare_host], address)
    return None


def address_of(key: str) -> str | None:
    """A web address as a label of this key bears it; None where the key is no label's of ours."""
    scheme, _, canonical = key.partition(":")
    if canonical.startswith(_BBQK):
        hosts = {of.value: host for host, of in _SHORT.items()}
        return f"https://{hosts[scheme]}/{canonical.removeprefix(_BBQK)}" if scheme in hosts else None
    hosts = {of.value: host for host, of in _OFFICIAL.items()}
    is_product = scheme in hosts and _PRODUCT_ID.fullmatch(canonical)
    return f"https://www.{hosts[scheme]}/signDetails?productId={canonical}" if is_product else None


def read_filing(code: Code) -> Reading | None:
    match = _FILING.fullmatch(code.compact)
    if match is None:
        return None
    month, product_class, producer, _ = match.groups()
    parts = {"filed": month, "product_class": product_class, "producer": producer}
    return _model(Scheme.ENERGY_FILING, code.compact, parts)


def _short(scheme: Scheme, segments: tuple[str, ...], *, has_case: bool) -> Reading | None:
    tail = [segment.lower() for segment in segments[1:]]
    if not segments or not _SHORT_ID.fullmatch(segments[0]) or tail not in ([], ["0.html"]):
        return None
    return _model(scheme, f"{_BBQK}{segments[0] if has_case else segments[0].lower()}", {})


def _motor(address: WebAddress, *, has_case: bool) -> Reading | None:
    number = address.only("a") or ""
    if len(address.segments) != 1 or not _MOTOR_PAGE.fullmatch(address.segments[0]):
        return None
    if not _MOTOR_ID.fullmatch(number):
        return None
    return _model(Scheme.ENERGY_LABEL, f"elm/{number if has_case else number.lower()}", {})


def _official(scheme: Scheme, address: WebAddress) -> Reading | None:
    product = address.only("productid") or ""
    if [segment.lower() for segment in address.segments] != ["signdetails"] or not _PRODUCT_ID.fullmatch(product):
        return None
    product_class = address.only("producttypecode") or ""
    parts = {"product_class": product_class} if _TYPE_CODE.fullmatch(product_class) else {}
    return _model(scheme, product, parts)


def _model(scheme: Scheme, canonical: str, parts: dict[str, str]) -> Reading:
    return supporting(scheme, canonical, Scope.MODEL, Confidence.CERTAIN, parts=parts)
