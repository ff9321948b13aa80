from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

NO_PARTS: Mapping[str, str] = MappingProxyType({})


class Scope(StrEnum):
    """What one value of the code identifies, and so how often it can be rewarded."""

    UNIT = "unit"
    MODEL = "model"
    ENTERPRISE = "enterprise"
    LICENCE = "licence"
    CRITERIA = "criteria"
    NONE = "none"


class Confidence(StrEnum):
    """How sure the reading is of the scheme. `review` is never paid before a person or the registry agrees."""

    CERTAIN = "certain"
    LIKELY = "likely"
    REVIEW = "review"


class Scheme(StrEnum):
    GTIN = "gtin"
    SGTIN = "sgtin"
    GS1 = "gs1"
    SSCC = "sscc"
    GRAI = "grai"
    RCN = "rcn"
    COUPON = "coupon"
    ORGANIC = "organic"
    ORGANIC_CERTIFICATE = "organic_certificate"
    GREEN_FOOD_GF = "green_food_gf"
    GREEN_FOOD_LB = "green_food_lb"
    ENERGY_LABEL = "energy_label"
    WATER_LABEL = "water_label"
    ENERGY_FILING = "energy_filing"
    USCC = "uscc"
    CNCA_BODY = "cnca_body"
    RULE = "rule"
    CCC = "ccc"
    SYSTEM_CERTIFICATE = "system_certificate"
    FSC = "fsc"
    FSC_CERTIFICATE = "fsc_certificate"
    PEFC = "pefc"
    EU_ECOLABEL = "eu_ecolabel"
    BLUE_ANGEL = "blue_angel"
    KOREA_ECOLABEL = "korea_ecolabel"
    EPREL = "eprel"
    ECODE = "ecode"
    CERTIFICATE = "certificate"
    MEMBER_CODE = "member_code"
    CLAIM_CODE = "claim_code"
    CITIZEN_ID = "citizen_id"
    PHONE_NUMBER = "phone_number"
    URL = "url"
    UNREADABLE = "unreadable"


_CITIZEN_ID, _PHONE_NUMBER = Scheme.CITIZEN_ID, Scheme.PHONE_NUMBER
_MEMBER_CODE, _CLAIM_CODE = Scheme.MEMBER_CODE, Scheme.CLAIM_CODE
PERSONAL = frozenset({_CITIZEN_ID, _PHONE_NUMBER})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one code says. It holds validated ASCII and our own words only, never the raw text."""

    scheme: Scheme
    key: str | None
    """`<scheme>:<canonical>`; None when nothing canonical exists or nothing may be kept."""
    scope: Scope
    usable: bool
    """May support an award; the certificate registry and the policy still decide."""
    confidence: Confidence
    warnings: tuple[str, ...] = ()
    """Codes of `backend.labels.sentences.WARNINGS`."""
    registry_keys: tuple[str, ...] = ()
    """Under which the certificate registry may know it, most specific first."""
    parts: Mapping[str, str] = field(default_factory=lambda: NO_PARTS, hash=False)
    """Serial, batch, year, region, grade …, for explanations."""

    @property
    def personal(self) -> bool:
        """The text names a person: neither it nor any part of it is stored or logged."""
        scheme = self.scheme  # compared one by one: a member's hash is Python code, and every read is asked
        return scheme is _CITIZEN_ID or scheme is _PHONE_NUMBER

    @property
    def secret(self) -> bool:
        """The text is a bearer code (member, claim): whoever reads a copy could use it, so it is not stored."""
        scheme = self.scheme
        return scheme is _MEMBER_CODE or scheme is _CLAIM_CODE


def supporting(
    scheme: Scheme,
    canonical: str,
    scope: Scope,
    confidence: Confidence,
    warnings: tuple[str, ...] = (),
    parts: Mapping[str, str] = NO_PARTS,
) -> Reading:
    """A reading that may support an award and that the registry knows under its own key."""
    key = f"{scheme}:{canonical}"
    return Reading(
        scheme, key, scope, usable=True, confidence=confidence, warnings=warnings, registry_keys=(key,), parts=parts
    )


def refused(scheme: Scheme, *warnings: str, key: str | None = None, parts: Mapping[str, str] = NO_PARTS) -> Reading:
    """A reading recognised and named, that can never support an award."""
    return Reading(scheme, key, Scope.NONE, usable=False, confidence=Confidence.LIKELY, warnings=warnings, parts=parts)


def unsettled(scheme: Scheme, *warnings: str, key: str | None = None) -> Reading:
    """A reading that a person has to look at: malformed, ambiguous, or of an unknown kind."""
    return Reading(scheme, key, Scope.NONE, usable=False, confidence=Confidence.REVIEW, warnings=warnings)
