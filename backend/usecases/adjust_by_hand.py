"""An official gives or takes by hand, alone up to a limit: beyond it another person approves, and only then is it posted."""

from datetime import datetime

from sqlalchemy import Connection

from backend.adjustments import store
from backend.adjustments.model import (
    EXPLANATION_MAX,
    TICKET_MAX,
    AdjustedNobody,
    Adjustment,
    AdjustmentByTwo,
    AdjustmentInvalid,
    AdjustmentJudged,
    AdjustmentRepeated,
    AdjustmentState,
    AdjustmentUntold,
    Proposed,
    TooLittleToTake,
    Wanted,
    left_alone,
)
from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.persons import are_different
from backend.ledger import chart, lots, post
from backend.ledger.model import Reason, Transfer
from backend.residents import people
from backend.residents.leaving import store as leaving
from backend.settlements import store as settlements
from backend.storage.columns import words
from backend.usecases.races import Writes
from backend.usecases.settle_due import locked_holdings, transfer_of
from backend.usecases.verify_ledger import all_cities

POSTED = 1
"""The step of an adjustment's posting under its id."""
_BECOMES = {
    What.ADJUSTMENT_PROPOSED: AdjustmentState.PROPOSED,
    What.ADJUSTMENT_POSTED: AdjustmentState.POSTED,
    What.ADJUSTMENT_REFUSED: AdjustmentState.REFUSED,
}


def propose_adjustment(
    database: Writes, city: str, adjustment: str, wanted: Wanted, proposed: Proposed, now: datetime
) -> AdjustmentState:
    """Posted at once where `proposed.by` may still do it alone, else it waits for another person; which of both, after
    COMMIT. Sent again under the same new id it answers the same.

    Raises AdjustmentInvalid, AdjustmentUntold, AdjustmentRepeated, AdjustedNobody, TooLittleToTake.
    """
    checked = _checked(wanted)

    def work(connection: Connection) -> AdjustmentState:
        settlements.lock(connection, city, now)  # two at one moment each see what the other did alone
        owned, before = _owned(connection, city, checked), store.locked_or_none(connection, city, adjustment)
        if before is not None:
            return _repeated(before, owned, proposed.by)
        if not store.known(connection, city, checked, words(_looked_for(checked))):
            raise AdjustedNobody
        left = left_alone(proposed.alone_max, store.done_alone(connection, city, owned, proposed.by, now))
        alone = abs(owned.amount) <= left
        store.insert(connection, city, adjustment, owned, proposed._replace(alone_max=left), now, post=alone)
        if alone:
            _post(connection, city, adjustment, owned, now)
        what = What.ADJUSTMENT_POSTED if alone else What.ADJUSTMENT_PROPOSED
        record(connection, _act(what, city, adjustment, owned, proposed.by, now))
        return AdjustmentState.POSTED if alone else AdjustmentState.PROPOSED

    return database.write(work)


def approve_adjustment(database: Writes, city: str, adjustment: str, by: str, now: datetime) -> None:
    """By another person. Raises AdjustmentUnknown, AdjustmentJudged, AdjustmentByTwo, AdjustedNobody, TooLittleToTake."""

    def work(connection: Connection) -> None:
        found = _judged(connection, city, adjustment, by)
        store.judge(connection, city, adjustment, AdjustmentState.POSTED, by, now)
        owned = _owned(connection, city, found.wanted)
        _post(connection, city, adjustment, owned, now)
        record(connection, _act(What.ADJUSTMENT_POSTED, city, adjustment, owned, by, now, judged=True))

    database.write(work)


def refuse_adjustment(database: Writes, city: str, adjustment: str, by: str, now: datetime) -> None:
    """By another person. Raises AdjustmentUnknown, AdjustmentJudged, AdjustmentByTwo."""

    def work(connection: Connection) -> None:
        found = _judged(connection, city, adjustment, by)
        store.judge(connection, city, adjustment, AdjustmentState.REFUSED, by, now)
        record(connection, _act(What.ADJUSTMENT_REFUSED, city, adjustment, found.wanted, by, now, judged=True))

    database.write(work)


def _checked(wanted: Wanted) -> Wanted:
    told = wanted._replace(ticket=wanted.ticket.strip(), explanation=wanted.explanation.strip())
    if told.faulty:
        raise AdjustmentInvalid
    if not (1 <= len(told.ticket) <= TICKET_MAX and 1 <= len(told.explanation) <= EXPLANATION_MAX):
        raise AdjustmentUntold
    return told


def _owned(connection: Connection, city: str, wanted: Wanted) -> Wanted:
    """As of whoever its resident is by now, kept so until COMMIT: who merges or leaves waits, or was waited for. Raises
    AdjustedNobody where the account was closed.
    """
    if wanted.resident is None:
        return wanted
    kept = _kept(connection, city, wanted.resident)
    resident = wanted.resident if kept is None else kept.home.resident
    if leaving.is_closed(connection, resident):
        raise AdjustedNobody
    return wanted._replace(resident=resident)


def _kept(connection: Connection, city: str, resident: str) -> people.Kept | None:
    """The city that adjusts need not be the resident's home; mostly it is."""
    for home in (city, *(other for other in all_cities(connection) if other != city)):
        found = people.keep(connection, home, [resident]).get(resident)
        if found is not None:
            return found
    return None


def _repeated(before: Adjustment, wanted: Wanted, by: str) -> AdjustmentState:
    if (before.proposed_by, before.wanted) != (by, wanted):
        raise AdjustmentRepeated
    return before.state


def _looked_for(wanted: Wanted) -> list[str]:
    return [] if wanted.resident is None else [chart.wallet(wanted.resident, wanted.unit)]


def _judged(connection: Connection, city: str, adjustment: str, by: str) -> Adjustment:
    found = store.locked(connection, city, adjustment)
    if found.state is not AdjustmentState.PROPOSED:
        raise AdjustmentJudged
    if not are_different(by, found.proposed_by):
        raise AdjustmentByTwo
    return found


def _post(connection: Connection, city: str, adjustment: str, wanted: Wanted, now: datetime) -> None:
    cause = chart.adjust(wanted.cause.value, wanted.unit)
    if wanted.resident is not None and wanted.amount < 0:
        _take(connection, city, adjustment, wanted, cause, now)
        return
    if wanted.store is not None:
        own = chart.shop(wanted.store, wanted.unit)
    else:
        assert wanted.resident is not None, "of a resident or a shop"
        own = chart.wallet(wanted.resident, wanted.unit)
    sides = (cause, own) if wanted.amount > 0 else (own, cause)
    row = Transfer(adjustment, POSTED, 0, Reason.ADJUST.value, wanted.unit, *sides, abs(wanted.amount))
    post.post_once(connection, city, [row], now)


def _take(connection: Connection, city: str, adjustment: str, wanted: Wanted, cause: str, now: datetime) -> None:
    """Out of the lots that end first, as what is spent; never below nothing."""
    assert wanted.resident is not None, "a shop's account is one"
    held = locked_holdings(connection, city, wanted.resident, now, unit=wanted.unit)
    free = {name: amount for name, amount in held.items() if name.startswith(f"{chart.Kind.LOT.value}:")}
    available = sum(free.values())
    moves, short = lots.spend(free, -wanted.amount, Reason.ADJUST.value, cause)
    if short:
        raise TooLittleToTake(available=available, needed=-wanted.amount)
    post.post(connection, city, [transfer_of(move, adjustment, POSTED, line) for line, move in enumerate(moves)], now)


def _act(
    what: What, city: str, adjustment: str, wanted: Wanted, by: str, now: datetime, *, judged: bool = False
) -> Act:
    """`judged`: by a second person, of what was proposed."""
    whose = {"store": wanted.store} if wanted.store is not None else {"resident": wanted.resident}
    told = {**whose, "unit": wanted.unit, "amount": wanted.amount, "cause": wanted.cause.value}
    before = {**told, "state": AdjustmentState.PROPOSED.value} if judged else None
    told |= {"state": _BECOMES[what].value, "by": by}
    why, ticket = wanted.explanation, wanted.ticket
    return Act(what, city, "adjustment", adjustment, now, reason=why, ticket=ticket, before=before, after=told)
