from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

FOREVER_MS = 2**53 - 1
"""The end of what has no end: a half-open period up to here holds every moment from its start."""


class Level(StrEnum):
    """What a label of a scheme proves at best: one unit, a model, an enterprise; or only its maker's own word."""

    UNIT = "U"
    MODEL = "M"
    ENTERPRISE = "E"
    SELF_DECLARED = "S"


class CertificateState(StrEnum):
    """What the register of the body says. CANCELLED is given up by the holder, WITHDRAWN taken away by the body."""

    VALID = "valid"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_VALID = CertificateState.VALID.value
FINAL_STATES = frozenset({CertificateState.WITHDRAWN, CertificateState.CANCELLED})


@dataclass(frozen=True, slots=True)
class State:
    """A certificate's state from `from_ms` up to, not including, `until_ms`; `row` is the recorded row behind it."""

    row: str
    state: str
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in which a registry key is certified. A key has one entry for each certificate and each period in which
    that certificate says the same of it: a model whose grade changes has two, which do not overlap.
    """

    registry_key: str
    certificate: str  # the certificate's number
    body: str  # approval number of the body, or the short name of another issuer
    scheme: str
    level: str  # of `Level`, the ceiling of the scheme
    category: str | None
    product: str
    model: str | None
    grade: int | None  # 1 is best
    tier: int | None  # stars, 3 is best
    enterprise: str | None  # USCC
    holder: str
    from_ms: int  # half-open, Unix ms; days are those of Asia/Shanghai
    until_ms: int
    states: tuple[State, ...]  # as known now, sorted, not overlapping
    valid: tuple[tuple[int, int, "Worth"], ...] = field(init=False, compare=False, repr=False)
    """When it stands, half-open, Unix ms, and what a decision looks at then: put together once, since every scan of the
    product asks. Nothing in it leads back here: a cycle would wait for a collection, and a server makes few.
    """

    def __post_init__(self) -> None:
        assert self.from_ms < self.until_ms
        spans = [
            (max(one.from_ms, self.from_ms), min(one.until_ms, self.until_ms), stands(self, _VALID, one.row).worth)
            for one in self.states
            if one.state == _VALID
        ]
        object.__setattr__(self, "valid", tuple(spans))


class Standing(NamedTuple):
    """What a certificate is worth at a moment: valid, suspended, withdrawn, expired, not_yet_valid or unknown."""

    entry: Entry | None
    state: str
    row: str | None  # the state row used; None where no row was in force
    told: "Told"
    level: str | None
    body: str | None

    @property
    def worth(self) -> "Worth":
        told = self.told
        return Worth(self.state, told, self.level, self.body, told.scheme, told.category, told.grade, told.tier)


class Worth(msgspec.Struct, frozen=True, gc=False):
    """What a decision looks at of a standing: all products of a city lie in memory, and every scan reads one of these."""

    state: str
    told: "Told"
    level: str | None
    body: str | None
    scheme: str | None
    """From here on what `told` says too."""
    category: str | None
    grade: int | None
    tier: int | None


class Told(NamedTuple):
    """What a decision keeps of a certificate."""

    certificate: str | None
    row: str | None
    scheme: str | None
    category: str | None
    grade: int | None
    tier: int | None


def told_of(entry: Entry, row: str | None) -> Told:
    return Told(entry.certificate, row, entry.scheme, entry.category, entry.grade, entry.tier)


def stands(entry: Entry, state: str, row: str | None) -> Standing:
    return Standing(entry, state, row, told_of(entry, row), entry.level, entry.body)


@dataclass(frozen=True, slots=True)
class Recognition:
    """A certificate of `from_scheme` is accepted where `to_scheme` is asked for, in `region`, during the period."""

    from_scheme: str
    to_scheme: str
    region: str  # GB/T 2260; trailing zeros cover what lies below, 000000 the country
    from_ms: int
    until_ms: int
    document: str
