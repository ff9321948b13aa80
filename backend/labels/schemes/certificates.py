"""Chinese certificate numbers: bodies, rules, look-alikes that are refused by name, and the opaque rest."""

import re

from backend.labels.model import Confidence, Reading, Scheme, Scope, refused, supporting, unsettled
from backend.labels.normalise import Code
from backend.labels.symbologies import Symbology

_BODY = re.compile(r"CNCA[\s\-]?(RF?)[\s\-]?((?:19|20)[0-9]{2})[\s\-]?([0-9]{2,4})")
_RULE = re.compile(r"CNCA-CGP-[0-9]{2}-20[0-9]{2}|ECC-[0-9]{4}EL|CQC/RY[0-9]{3}")
_CCC = re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{4})([0-9]{6})")
_SYSTEM = re.compile(r"([0-9]{3})([0-9]{2})([A-Z]{1,4})([0-9]{5})R([0-9]{1,2})([SML])(?:/([0-9]{1,4}))?")
_OTHER_SYSTEM = re.compile(r"[0-9]{3,4}(?!OP|GAP)(?:FSMS|HACCP|[A-Z]{2,5}MS|[QES])[0-9]{7}(?:-[0-9]{1,4})?")
_OPAQUE = re.compile(r"[0-9A-Z][0-9A-Z/\-]{5,39}")
_DIGIT = re.compile("[0-9]")
_FILING_ID = re.compile(r"[0-9]{6,20}")
_LABELLED = re.compile(
    r"(?:(?:中国)?(?:绿色产品|绿色建材|有机产品|产品)?(?:认证证书|证书|备案|许可证?|批准|统一社会信用|社会信用|企业信息|绿色食品|机构批准|认证机构批准)"
    r"(?:号码|编号|代码|号|码)?|编号|CERTIFICATE|CERT|NO|NUMBER)(?:[\s:.;#]+|(?<=[号码]))"
)
_MAX_WORDS = 3


def without_words(text: str) -> str:
    """The number after words such as '证书编号：' or 'Certificate No.'."""
    for _ in range(_MAX_WORDS):
        words = _LABELLED.match(text)
        if words is None:
            break
        text = text[words.end() :]
    return text


def read_named(code: Code) -> Reading | None:
    """What a number must be told apart from, and numbers that name no product."""
    body, rule = _BODY.fullmatch(code.upper), _RULE.fullmatch(code.compact)
    if body:
        kind, year, serial = body.groups()
        width = 3 if kind == "R" else 2
        number = f"CNCA-{kind}-{year}-{int(serial):0{width}d}"
        return refused(Scheme.CNCA_BODY, "names_a_body", key=f"cnca_body:{number}")
    if rule:
        return Reading(
            Scheme.RULE, f"rule:{rule[0]}", Scope.CRITERIA, usable=False, confidence=Confidence.CERTAIN,
            warnings=("names_a_rule",),
        )  # fmt: skip
    if _CCC.fullmatch(code.compact):
        return refused(Scheme.CCC, "ccc_is_safety", key=f"ccc:{code.compact}")
    if _SYSTEM.fullmatch(code.compact) or _OTHER_SYSTEM.fullmatch(code.compact):
        key = f"system_certificate:{code.compact}"
        return refused(Scheme.SYSTEM_CERTIFICATE, "system_not_product", key=key)
    return None


def read_ecode(code: Code) -> Reading | None:
    """Ecode (GB/T 31866-2023), known by configured prefixes only; its field lengths are not public."""
    lowered = code.text.lower()
    for prefix in code.trust.ecode_prefixes:
        rest = code.text[len(prefix) :].strip()
        if lowered.startswith(prefix.lower()) and _OPAQUE.fullmatch(rest.upper()):
            return unsettled(Scheme.ECODE, "ecode", key=f"ecode:{rest}")
    return None


def read_opaque(code: Code) -> Reading | None:
    """Typed or printed numbers without a national grammar (green product, building materials, CQC …)."""
    if not _OPAQUE.fullmatch(code.compact) or not _DIGIT.search(code.compact):
        return None
    filing = code.symbology is Symbology.QRCODE and _FILING_ID.fullmatch(code.compact)
    warnings = ("opaque_number", "maybe_energy_filing") if filing else ("opaque_number",)
    return supporting(Scheme.CERTIFICATE, code.compact, Scope.LICENCE, Confidence.REVIEW, warnings)
