"""An official who did not rule before decides an appeal: rejected with an explanation, or upheld and decided again."""

from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from backend.appeals import store
from backend.appeals.model import (
    Appeal,
    AppealDecided,
    AppealOvertaken,
    AppealState,
    DecidedByAnother,
    NothingToAppeal,
    NothingWouldChange,
    Verdict,
)
from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.persons import are_different
from backend.scans import pending, return_rows
from backend.scans.decide import Taken
from backend.scans.holds import rulings
from backend.scans.holds.rulings import Ruling, Said
from backend.scans.replay import load_decided
from backend.scans.reread import WaitingScan
from backend.usecases.decide_again import DecideAgain
from backend.usecases.file_appeal import APPEALED
from backend.usecases.races import Writes
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup
from backend.usecases.two_persons import awarded_by, check_second


class DecideAppeal:
    def __init__(self, database: Writes, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._again = DecideAgain(database, registry, policies)

    def reject(self, city: str, appeal: str, verdict: Verdict, now: datetime) -> None:
        """Raises AppealUnknown, AppealDecided, DecidedByAnother."""

        def work(connection: Connection) -> None:
            _checked(connection, city, appeal, verdict)
            store.decide(connection, city, appeal, AppealState.REJECTED, verdict, now)
            _record(connection, What.APPEAL_REJECTED, city, appeal, verdict, now)

        self._database.write(work)

    def uphold(self, city: str, appeal: str, verdict: Verdict, now: datetime) -> Taken:
        """What was decided of the scan in the appeal's favour: under the policy of its sale, by what the registry knows now,
        whatever had held it.

        Raises AppealUnknown, AppealDecided, DecidedByAnother, AppealOvertaken, NothingToAppeal, NothingWouldChange,
        SecondPersonNeeded; then nothing is stored.
        """

        def find(connection: Connection) -> list[WaitingScan]:
            found = _checked(connection, city, appeal, verdict)
            return_rows.lock_baskets(connection, city, [found.basket])  # what comes back meanwhile waits
            scan = pending.sold_scan(connection, city, found.basket, found.line_no)
            _check_stands(connection, city, found, scan)
            place = (found.basket, found.line_no, scan.decision_no)
            said = Said(verdict.by, verdict.explanation)
            rulings.record_ruling(connection, city, place, Ruling.RELEASE, said, now, verdict.approved_by)
            store.decide(connection, city, appeal, AppealState.UPHELD, verdict, now, scan.decision_no + 1)
            _record(connection, What.APPEAL_UPHELD, city, appeal, verdict, now)
            return [scan._replace(read=replace(scan.read, released=True))]

        return self._again.decide(city, find, now, lambda taken, _policies: _allow(taken, verdict))


def _record(connection: Connection, what: What, city: str, appeal: str, verdict: Verdict, now: datetime) -> None:
    state = AppealState.UPHELD if what is What.APPEAL_UPHELD else AppealState.REJECTED
    told = {"state": state.value, "by": verdict.by, "approved_by": verdict.approved_by}
    before = {"state": AppealState.OPEN.value}
    record(connection, Act(what, city, "appeal", appeal, now, verdict.explanation, before=before, after=told))


def _checked(connection: Connection, city: str, appeal: str, verdict: Verdict) -> Appeal:
    """Locked until COMMIT."""
    found = store.locked(connection, city, appeal)
    if found.state is not AppealState.OPEN:
        raise AppealDecided
    before = rulings.ruled_by(connection, city, found.basket, found.line_no)
    if not are_different(verdict.by, verdict.approved_by, before=before):
        raise DecidedByAnother
    return found


def _check_stands(connection: Connection, city: str, appeal: Appeal, scan: WaitingScan) -> None:
    decided = load_decided(connection, city, appeal.basket, appeal.line_no)
    assert decided is not None, "decisions are never deleted"
    if decided.decision.outcome not in APPEALED:
        raise AppealOvertaken
    if scan.read.quantity <= 0:
        raise NothingToAppeal


def _allow(taken: Taken, verdict: Verdict) -> None:
    awarded = awarded_by(taken)
    if not any(awarded.values()):
        raise NothingWouldChange(reason=taken.decisions[0].reason)
    check_second(awarded, verdict.approved_by)
