"""A person looks at a held scan: it is released, and decided as if nothing had held it, or refused with a reason."""

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.persons import are_different
from backend.policies.model import Outcome
from backend.scans import pending, return_rows, store
from backend.scans.decide import Decision, Taken
from backend.scans.holds import rulings
from backend.scans.holds.rulings import NotHeld, Proposal, ReleaseNeedsAnother, Ruling, Said
from backend.scans.replay import load_decided
from backend.scans.reread import WaitingScan
from backend.usecases.decide_again import DecideAgain
from backend.usecases.races import Writes
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup
from backend.usecases.two_persons import awarded_by, check_second

REASON_MAX = 500


class Place(NamedTuple):
    """One scan: its basket and its line, counted from 0."""

    basket: str
    line_no: int


class RuleOnHold:
    def __init__(self, database: Writes, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._again = DecideAgain(database, registry, policies)

    def release(self, city: str, place: Place, said: Said, now: datetime, approved_by: str | None = None) -> Decision:
        """The decision that follows, which may still be a refusal by a rule, a cap or the budget.

        Raises NotHeld, ReleaseNeedsAnother, SecondPersonNeeded; then nothing is stored.
        """
        if not are_different(said.by, approved_by):
            raise ReleaseNeedsAnother

        def find(connection: Connection) -> list[WaitingScan]:
            return_rows.lock_baskets(connection, city, [place.basket])  # what comes back meanwhile waits
            waiting = pending.waiting_scans(connection, city, [place.basket], Outcome.HELD.value)
            held = [scan for scan in waiting if scan.line_no == place.line_no]
            if not held:
                raise NotHeld
            (scan,) = held
            at = (place.basket, place.line_no, scan.decision_no)
            rulings.record_ruling(connection, city, at, Ruling.RELEASE, said, now, approved_by)
            _record(connection, What.HOLD_RELEASED, city, at, said, now, approved_by=approved_by)
            return [scan._replace(read=replace(scan.read, released=True))]

        def allow(taken: Taken, _policies: object) -> None:
            check_second(awarded_by(taken), approved_by)

        (decision,) = self._again.decide(city, find, now, allow).decisions
        return decision

    def refuse(self, city: str, place: Place, said: Said, now: datetime) -> Decision:
        """The refusal that takes the place of the held decision. Raises NotHeld."""
        return self._database.write(lambda connection: _refused(connection, city, place, said, now))


def propose_release(connection: Connection, city: str, place: Place, proposal: Proposal, now: datetime) -> None:
    """What one official may not release alone is kept until a second approves it. Raises NotHeld, ReleaseProposedBefore."""
    number = _held(connection, city, place).decision_no
    rulings.propose(connection, city, (*place, number), proposal)
    said = Said(proposal.by, proposal.reason)
    _record(connection, What.HOLD_PROPOSED, city, (*place, number), said, now)


def _held(connection: Connection, city: str, place: Place) -> Decision:
    """Raises NotHeld."""
    found = load_decided(connection, city, place.basket, place.line_no)
    if found is None or found.decision.outcome != Outcome.HELD:
        raise NotHeld
    return found.decision


def _refused(connection: Connection, city: str, place: Place, said: Said, now: datetime) -> Decision:
    return_rows.lock_baskets(connection, city, [place.basket])
    held = _held(connection, city, place)
    number = held.decision_no
    rulings.record_ruling(connection, city, (*place, number), Ruling.REFUSE, said, now)
    _record(connection, What.HOLD_REFUSED, city, (*place, number), said, now)
    refusal = held._replace(
        decision_no=number + 1,
        policy_version=None,
        rule=None,
        outcome=Outcome.NONE.value,
        reason="held_refused",
        missing=None,
        unit=None,
        gross=0,
        award=0,
        limit_name=None,
        limit_left=None,
    )
    store.save_decisions(connection, city, [refusal], now)
    return refusal


def _record(
    connection: Connection,
    what: What,
    city: str,
    at: tuple[str, int, int],
    said: Said,
    now: datetime,
    **further: str | None,
) -> None:
    """`at`: basket, line and number of the held decision."""
    told = {"ruling": what.value.removeprefix("hold-"), "by": said.by, **further}
    before = {"outcome": Outcome.HELD.value, "decision_no": at[2]}
    record(connection, Act(what, city, "scan", f"{at[0]}/{at[1]}", now, said.reason, before=before, after=told))
