"""A resident agrees to a purpose, or withdraws; declares an age; lets a guardian or an official act. One call each."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.credit import store as credit
from backend.kernel.errors import DomainError
from backend.residents.consents import queries, store
from backend.residents.consents.model import (
    CREDIT,
    FALLS_WITH,
    AdultsOnly,
    Agreement,
    ConsentTextChanged,
    GivenBy,
    Purpose,
    refusal_of,
)
from backend.residents.consents.queries import agreements
from backend.residents.consents.texts import GUARDIAN
from backend.residents.standing import (
    OLDER,
    AgeBand,
    AgeBasis,
    ResidentClosed,
    Standing,
    set_age,
    set_waits_for_guardian,
    standing_of,
    together,
)
from backend.storage.transaction import Database
from backend.usecases.consent_texts import texts_in_force
from backend.usecases.verify_ledger import all_cities

CODE_GOOD_FOR = timedelta(minutes=10)
FOR_GUARDIAN, FOR_AGE = "guardian", "age"


class AgeBandNeedsProof(DomainError):
    code = "age-band-needs-proof"
    text_zh = "年龄段只能由服务窗口核验后调高。"
    text_en = "An older age band has to be confirmed at a service counter."


class GuardianNotNeeded(DomainError):
    code = "guardian-not-needed"
    text_zh = "只有未满十四周岁的居民需要监护人同意。"
    text_en = "Only residents under 14 need a guardian's consent."


class CounterCodeUnknown(DomainError):
    code = "counter-code-unknown"
    text_zh = "没有这个码，或已过期、已使用；请对方重新获取。"
    text_en = "There is no such code, or it is used or out of date; please ask for a new one."


class Who(NamedTuple):
    """A resident and their home city."""

    city: str
    resident: str


class ChangeConsent:
    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, who: Who, purpose: Purpose, text_sha256: bytes, now: datetime) -> None:
        """Agrees to the text in force; agreeing twice to one text changes nothing.

        Raises what `refusal_of` gives, ConsentTextChanged when `text_sha256` is of another text, ResidentClosed.
        """
        self._database.write(lambda connection: _give(connection, who, purpose, text_sha256, now))

    def withdraw(self, who: Who, purpose: Purpose, now: datetime) -> None:
        """From now on nothing is done for the purpose; withdrawing what was not given changes nothing.

        Raises BasicServiceNeeded, ResidentClosed.
        """

        def work(connection: Connection) -> None:
            standing = standing_of(connection, *who, locked=True)
            if purpose is Purpose.BASIC_SERVICE:
                refusal = refusal_of(purpose, standing, frozenset(), has_text=True)
                assert refusal is not None
                raise refusal
            withdraw_all(connection, who, (purpose, *FALLS_WITH.get(purpose, ())), GivenBy.RESIDENT, now)

        self._database.write(work)

    def declare_age(self, who: Who, band: AgeBand, now: datetime) -> None:
        """A younger band holds at once and ends what it forbids; an older one takes a counter. Raises AgeBandNeedsProof."""

        def work(connection: Connection) -> None:
            standing = standing_of(connection, *who, locked=True)
            if standing.age_band is not None and OLDER.index(band) > OLDER.index(standing.age_band):
                raise AgeBandNeedsProof
            if standing.age_band is not band:
                enter_age(connection, who, band, AgeBasis.DECLARED, now)

        self._database.write(work)

    def ask_code(self, who: Who, kind: str, code: bytes, now: datetime) -> datetime:
        """Until when the code, of which `code` is the hash, lets a guardian or an official act once.

        Raises GuardianNotNeeded.
        """
        expires_at = now + CODE_GOOD_FOR

        def work(connection: Connection) -> None:
            standing = standing_of(connection, *who, locked=True)
            if kind == FOR_GUARDIAN and standing.age_band is not AgeBand.UNDER_14:
                raise GuardianNotNeeded
            store.put_code(connection, who.city, kind, who.resident, code, expires_at)

        self._database.write(work)
        return expires_at

    def take_ward(self, guardian: Who, city: str, code: bytes, text_sha256: bytes, ward: str, now: datetime) -> str:
        """A guardian agrees for the child who showed the code, whose home is `city`; the name `ward` of that agreement.

        Raises AdultsOnly, ConsentTextChanged, CounterCodeUnknown, ResidentClosed.
        """

        def work(connection: Connection) -> str:
            if text_sha256 != GUARDIAN.sha256:
                raise ConsentTextChanged
            # Locked before the child, as by who leaves or turns out to be younger: so that these end what is agreed here.
            if not standing_of(connection, *guardian, locked=True).is_adult:
                raise AdultsOnly
            child = store.take_code(connection, city, FOR_GUARDIAN, code, now)
            if child is None or child == guardian.resident:
                raise CounterCodeUnknown
            standing_of(connection, city, child, locked=True)
            store.keep_text(connection, city, GUARDIAN, now)
            store.add_ward(connection, city, ward, child, guardian, GUARDIAN.sha256, now)
            set_waits_for_guardian(connection, city, child, waits=False)
            return ward

        return self._database.write(work)

    def leave_ward(self, guardian: Who, city: str, ward: str, now: datetime) -> bool:
        """The child waits again, unless another guardian agreed; False when there is no such agreement of this guardian."""

        def work(connection: Connection) -> bool:
            child = store.end_ward(connection, city, ward, guardian, now)
            if child is None:
                return False
            _left_by_guardian(connection, Who(city, child), now)
            return True

        return self._database.write(work)


def leave_wards(connection: Connection, city: str, guardian: str, now: datetime) -> None:
    """Whose account was closed, or who is no adult, agrees for no child any more; those whose home is `city` wait again."""
    for child in store.end_wards(connection, city, guardian, now):
        with contextlib.suppress(ResidentClosed):
            _left_by_guardian(connection, Who(city, child), now)


def merge_ages(connection: Connection, other: Who, survivor: Who, now: datetime) -> None:
    """The survivor is of the age that both accounts speak for, with what that forbids; both rows are locked, and wards given."""
    own = standing_of(connection, *survivor)
    found = together(own, standing_of(connection, *other))
    if found is not None and (found != (own.age_band, own.age_basis) or found[0] is AgeBand.UNDER_14):
        enter_age(connection, survivor, *found, now)


def _left_by_guardian(connection: Connection, child: Who, now: datetime) -> None:
    """Raises ResidentClosed."""
    standing = standing_of(connection, *child, locked=True)
    waits = standing.age_band is AgeBand.UNDER_14 and not store.has_guardian(connection, *child)
    if waits:
        ends = tuple(purpose for purpose in Purpose if purpose is not Purpose.BASIC_SERVICE)
        withdraw_all(connection, child, ends, GivenBy.GUARDIAN, now)
    set_waits_for_guardian(connection, *child, waits=waits)


def verify_age(connection: Connection, city: str, code: bytes, band: AgeBand, now: datetime) -> None:
    """An official has seen a document of the person who showed the code; of the document nothing is kept.

    Raises CounterCodeUnknown.
    """
    resident = store.take_code(connection, city, FOR_AGE, code, now)
    if resident is None:
        raise CounterCodeUnknown
    who = Who(city, resident)
    standing_of(connection, *who, locked=True)
    enter_age(connection, who, band, AgeBasis.VERIFIED, now)
    record(connection, Act(What.AGE_VERIFIED, city, "resident", resident, now, after={"band": band.value}))


def enter_age(connection: Connection, who: Who, band: AgeBand, basis: AgeBasis, now: datetime) -> None:
    """The resident's row is locked. A band under 18 ends every consent about credit, and what was agreed to for children."""
    waits = band is AgeBand.UNDER_14 and not store.has_guardian(connection, *who)
    set_age(connection, *who, band, basis, waits_for_guardian=waits)
    if band is not AgeBand.ADULT:
        withdraw_all(connection, who, sorted(CREDIT), GivenBy.AGE, now)
        for city in all_cities(connection):
            leave_wards(connection, city, who.resident, now)


def withdraw_all(connection: Connection, who: Who, purposes: Sequence[Purpose], by: GivenBy, now: datetime) -> None:
    """Of these purposes those that are given; the resident's row is locked."""
    known = agreements(connection, *who)
    for purpose in purposes:
        before = known.get(purpose)
        if before is not None and before.given:
            _add(connection, who, before, now, given=False, by=by)
            if purpose is Purpose.CREDIT_PASSPORT:
                credit.revoke(connection, *who, "withdrawn", now)
            if purpose is Purpose.CREDIT_EXPORT:
                credit.stop_exports(connection, *who, now)


def _give(connection: Connection, who: Who, purpose: Purpose, text_sha256: bytes, now: datetime) -> None:
    standing: Standing = standing_of(connection, *who, locked=True)
    known = agreements(connection, *who)
    text = texts_in_force(connection, who.city).get(purpose)
    refusal = refusal_of(purpose, standing, queries.given(known.values()), has_text=text is not None)
    if refusal is not None:
        raise refusal
    assert text is not None, "without a text it is refused"
    if text.sha256 != text_sha256:
        raise ConsentTextChanged
    before = known.get(purpose)
    if before is not None and before.given and before.text_sha256 == text_sha256:
        return
    store.keep_text(connection, who.city, text, now)
    _add(connection, who, Agreement(purpose, True, now, text_sha256), now, given=True, by=GivenBy.RESIDENT)  # noqa: FBT003


def _add(connection: Connection, who: Who, about: Agreement, now: datetime, *, given: bool, by: GivenBy) -> None:
    store.add(connection, *who, about.purpose, given=given, given_by=by, text_sha256=about.text_sha256, now=now)
