"""What rests on a certificate that was lost, or on a serial that was proven false: found from its number or its label."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.cases import ripple
from backend.cases.ripple import FalseUnit, Lost, LostCertificate
from backend.certificates import queries
from backend.certificates.amend import CertificateAmbiguous, CertificateUnknown
from backend.certificates.history import History
from backend.certificates.model import CertificateState
from backend.certificates.timeline import FOREVER_DAY, midnight_ms
from backend.kernel.periods import instant
from backend.labels.model import Scope
from backend.labels.parse import parse
from backend.settlements.model import Claim, Said
from backend.settlements.store import Held
from backend.storage.transaction import Database
from backend.usecases.hold_claims import CLAIMS_MAX, hold_claims


class Subject(NamedTuple):
    """`history` None: the label of one piece, whose key is in `lost`."""

    lost: Lost
    history: History | None


class HeldUnpaid(NamedTuple):
    """Sold lines looked at, sales held anew, and fen on closed statements that are not on their way to the shop."""

    lines: int
    held: int
    unpaid_fen: int

    def plus(self, lines: int, one: Held) -> "HeldUnpaid":
        return HeldUnpaid(self.lines + lines, self.held + one.held, self.unpaid_fen + one.unpaid_fen)


def subject_of(connection: Connection, text: str, body: str | None = None) -> Subject:
    """`text`: a certificate's number, or what the label of a single piece says. Raises CertificateUnknown,
    CertificateAmbiguous where several bodies gave the number and `body` is none of them.
    """
    text = text.strip()
    found = queries.by_number(connection, text.upper())
    chosen = [history for history in found if body in (None, history.body)]
    if len(chosen) > 1:
        raise CertificateAmbiguous(number=text, bodies="、".join(history.body for history in chosen))
    if chosen:
        return Subject(_lost(connection, chosen[0]), chosen[0])
    reading = parse(text)
    if reading.scope is Scope.UNIT and reading.key is not None and not reading.personal:
        return Subject(FalseUnit(reading.key), None)
    raise CertificateUnknown(number=text)


def _lost(connection: Connection, history: History) -> LostCertificate:
    rows = [record.row for record in queries.states_recorded(connection, history.id)]
    return LostCertificate(rows, valid_periods(history))


def valid_periods(history: History) -> Sequence[tuple[datetime, datetime | None]]:
    """When the certificate stands as valid by what is known now: within a term, in the state valid."""
    periods = []
    for state in history.known_states():
        if state.fact != CertificateState.VALID:
            continue
        for term in history.known_terms():
            start, end = max(state.from_day, term.from_day), min(state.until_day, term.until_day)
            if start < end:
                until = None if end >= FOREVER_DAY else instant(midnight_ms(end))
                periods.append((instant(midnight_ms(start)), until))
    return periods


def hold_unpaid(database: Database, city: str, lost: Lost, by: str, reason: str, now: datetime) -> HeldUnpaid:
    """What shops claim for these sales and was not paid yet is held, ten thousand sold lines a transaction.

    Safe to repeat: what is held stays held. Residents keep what they have. Raises ReasonMissing.
    """
    held, after = HeldUnpaid(0, 0, 0), None
    while True:
        with database.read() as connection:
            places = ripple.places(connection, city, lost, after=after, limit=CLAIMS_MAX)
        if not places:
            return held
        claims = [Claim(*place) for place in places]
        one = hold_claims(database, city, claims, Said(by, reason), now)
        held = held.plus(len(places), one)
        after = places[-1]
