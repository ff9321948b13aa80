"""How a resident stands: with an account or gone, of which age, waiting for a guardian or not.

A writer keeps the row shared until COMMIT, whoever closes the account takes it alone: so nothing is written late.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.storage.columns import ids
from backend.storage.transaction import hot

_COLUMNS = "state = 'active', age_band, age_basis, waits_for_guardian"

STANDING = f"SELECT {_COLUMNS} FROM residents WHERE city = %(city)s AND resident = %(resident)s"

LOCK = STANDING + " FOR NO KEY UPDATE"

KEEP = f"""
SELECT resident::text, {_COLUMNS} FROM residents
WHERE city = %(city)s AND resident = ANY(%(residents)s::uuid[]) ORDER BY residents.resident FOR KEY SHARE"""

SET_AGE = """
UPDATE residents SET age_band = %(band)s, age_basis = %(basis)s, waits_for_guardian = %(waits)s
WHERE city = %(city)s AND resident = %(resident)s"""

SET_WAITS = """
UPDATE residents SET waits_for_guardian = %(waits)s WHERE city = %(city)s AND resident = %(resident)s"""


class AgeBand(StrEnum):
    """All that is kept of an age; a date of birth is never asked for."""

    UNDER_14 = "under_14"
    TEENAGER = "14_to_17"
    ADULT = "adult"


OLDER = (AgeBand.UNDER_14, AgeBand.TEENAGER, AgeBand.ADULT)
"""From the youngest to the oldest."""


class AgeBasis(StrEnum):
    """What a band rests on: the resident's own word, or a look at a document at a counter, of which nothing is kept."""

    DECLARED = "declared"
    VERIFIED = "verified"


class ResidentClosed(DomainError):
    code = "resident-closed"
    text_zh = "该账户已注销。"
    text_en = "This account has been closed."


class GuardianConsentNeeded(DomainError):
    code = "guardian-consent-needed"
    text_zh = "未满十四周岁，须先由监护人同意；请让监护人登录后输入监护码。"
    text_en = "Under 14 a guardian has to agree first; let a guardian sign in and enter the guardian code."


class Standing(NamedTuple):
    """`age_band` None: never declared, and then taken for nobody's in particular."""

    is_active: bool
    age_band: AgeBand | None
    age_basis: AgeBasis | None
    waits_for_guardian: bool

    @property
    def is_adult(self) -> bool:
        return self.age_band is AgeBand.ADULT


def standing_of(connection: Connection, city: str, resident: str, *, locked: bool = False) -> Standing:
    """`locked`: until COMMIT, against everybody who changes the person's rights. Raises ResidentClosed."""
    row = hot(connection, LOCK if locked else STANDING, {"city": city, "resident": resident}).fetchone()
    if row is None or not row[0]:
        raise ResidentClosed
    return _standing(row)


def keep(connection: Connection, city: str, residents: Sequence[str]) -> dict[str, Standing]:
    """How each of these home residents stands, kept so until COMMIT; a resident unknown here is absent."""
    rows = hot(connection, KEEP, {"city": city, "residents": ids(sorted(set(residents)))}).fetchall()
    return {resident: _standing(rest) for resident, *rest in rows}


def together(own: Standing, other: Standing) -> tuple[AgeBand, AgeBasis] | None:
    """The age band of two accounts of one person: what was looked at before what was said, else the younger; None where
    neither says one.
    """
    known = [(one.age_basis, one.age_band) for one in (own, other) if one.age_basis and one.age_band]
    if not known:
        return None
    basis, band = min(known, key=lambda one: (one[0] is not AgeBasis.VERIFIED, OLDER.index(one[1])))
    return band, basis


def may_act(standing: Standing | None) -> DomainError | None:
    """Why nothing may be recorded for a resident now, None when it may; `standing` None: of whom nothing is known here."""
    if standing is None:
        return None
    if not standing.is_active:
        return ResidentClosed()
    return GuardianConsentNeeded() if standing.waits_for_guardian else None


def keep_acting(connection: Connection, city: str, resident: str) -> None:
    """Keeps the row of one who may act until COMMIT. Raises ResidentClosed, GuardianConsentNeeded."""
    refusal = may_act(keep(connection, city, [resident]).get(resident))
    if refusal is not None:
        raise refusal


def set_age(
    connection: Connection, city: str, resident: str, band: AgeBand, basis: AgeBasis, *, waits_for_guardian: bool
) -> None:
    given = {"city": city, "resident": resident, "band": band.value, "basis": basis.value, "waits": waits_for_guardian}
    hot(connection, SET_AGE, given)


def set_waits_for_guardian(connection: Connection, city: str, resident: str, *, waits: bool) -> None:
    hot(connection, SET_WAITS, {"city": city, "resident": resident, "waits": waits})


def _standing(row: Sequence[object]) -> Standing:
    active, band, basis, waits = row
    return Standing(
        bool(active),
        None if band is None else AgeBand(str(band)),
        None if basis is None else AgeBasis(str(basis)),
        bool(waits),
    )
