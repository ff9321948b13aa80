"""A shop is suspended with due process: notice, reply, a proposal, another person's approval, an appeal to a third.

Each takes the connection of a transaction that someone else opened, and gives the suspension as it was before and is now.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.cases import suspensions
from backend.cases.suspension_model import (
    APPEAL_DAYS,
    Proposal,
    Standing,
    Suspension,
    check_appeal_answer,
    check_approval,
    check_notice,
    check_proposal,
    require,
    standing,
)
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds, working_days_after
from backend.retailers import store as shops


class Notice(NamedTuple):
    """`basis`: the rule that it rests on; `reply_days`: civil days in which the shop may reply."""

    store: str
    basis: str
    reason: str
    reply_days: int
    by: str


class Turn(NamedTuple):
    """The suspension as it was, and as it is."""

    before: Suspension | None
    after: Suspension


class Done(NamedTuple):
    """What an act says of itself."""

    what: What
    reason: str | None
    at: datetime


def give_notice(connection: Connection, city: str, notice: Notice, now: datetime) -> Turn:
    """Raises StoreUnknown, SuspensionRefused."""
    shops.find_store(connection, city, notice.store)
    reply_by_on = civil_date(milliseconds(now)) + timedelta(days=notice.reply_days)
    one = Suspension(new_id(), notice.store, notice.basis, notice.reason, notice.by, now, reply_by_on)
    check_notice(one)
    suspensions.notice(connection, city, one)
    _record(connection, city, Done(What.SUSPENSION_NOTICED, notice.reason, now), Turn(None, one))
    return Turn(None, one)


def record_reply(connection: Connection, city: str, suspension: str, reply: str, now: datetime) -> Turn:
    """What the shop says, once, before anybody decides. Raises SuspensionUnknown, SuspensionOutOfTurn."""
    one = suspensions.locked(connection, city, suspension)
    require(one, now, Standing.NOTICED)
    return _written(
        connection, city, Done(What.SUSPENSION_REPLIED, reply, now), one, one._replace(reply=reply, replied_at=now)
    )


def propose(
    connection: Connection,
    city: str,
    suspension: str,
    *,
    proposal: Proposal,
    reason: str,
    until_at: datetime | None,
    by: str,
    now: datetime,
) -> Turn:
    """What another person is to approve; `until_at` of a suspension alone.

    Raises SuspensionUnknown, SuspensionOutOfTurn, ReplyPeriodRuns, SuspensionRefused.
    """
    one = suspensions.locked(connection, city, suspension)
    check_proposal(one, proposal, until_at, now)
    proposed = one._replace(
        proposal=proposal,
        proposed_reason=reason,
        proposed_by=by,
        proposed_at=now,
        until_at=until_at if proposal is Proposal.IMPOSE else None,
    )
    return _written(connection, city, Done(What.SUSPENSION_PROPOSED, reason, now), one, proposed)


def approve(connection: Connection, city: str, suspension: str, *, by: str, now: datetime) -> Turn:
    """From now on baskets sold in the shop are held; nothing that was sold before is touched.

    Raises SuspensionUnknown, SuspensionOutOfTurn, SuspensionNeedsAnother, SuspensionRefused.
    """
    one = suspensions.locked(connection, city, suspension)
    check_approval(one, by, now)
    from_at = now if one.proposal is Proposal.IMPOSE else None
    approved = one._replace(approved_by=by, approved_at=now, from_at=from_at)
    return _written(connection, city, Done(What.SUSPENSION_APPROVED, None, now), one, approved)


def record_appeal(connection: Connection, city: str, suspension: str, appeal: str, now: datetime) -> Turn:
    """The shop appeals, once, while it is suspended. Raises SuspensionUnknown, SuspensionOutOfTurn."""
    one = suspensions.locked(connection, city, suspension)
    require(one, now, *(() if one.appeal is not None else (Standing.IN_FORCE,)))
    due = working_days_after(civil_date(milliseconds(now)), APPEAL_DAYS)
    appealed = one._replace(appeal=appeal, appealed_at=now, appeal_due_on=due)
    return _written(connection, city, Done(What.SUSPENSION_APPEALED, appeal, now), one, appealed)


def answer_appeal(
    connection: Connection, city: str, suspension: str, *, upheld: bool, reason: str, by: str, now: datetime
) -> Turn:
    """Upheld, the suspension ends now. Raises SuspensionUnknown, SuspensionOutOfTurn, SuspensionNeedsAnother."""
    one = suspensions.locked(connection, city, suspension)
    check_appeal_answer(one, by)
    answered = one._replace(
        appeal_outcome="upheld" if upheld else "rejected", appeal_reason=reason, appeal_by=by, appeal_decided_at=now
    )
    if upheld and one.lifted_at is None:
        answered = answered._replace(lifted_at=now, lifted_by=by, lifted_reason=reason)
    return _written(connection, city, Done(What.SUSPENSION_APPEAL_ANSWERED, reason, now), one, answered)


def lift(connection: Connection, city: str, suspension: str, *, reason: str, by: str, now: datetime) -> Turn:
    """It ends now, before its time. Raises SuspensionUnknown, SuspensionOutOfTurn."""
    one = suspensions.locked(connection, city, suspension)
    require(one, now, Standing.IN_FORCE)
    lifted = one._replace(lifted_at=now, lifted_by=by, lifted_reason=reason)
    return _written(connection, city, Done(What.SUSPENSION_LIFTED, reason, now), one, lifted)


def _written(connection: Connection, city: str, done: Done, before: Suspension, after: Suspension) -> Turn:
    suspensions.write(connection, city, after)
    turn = Turn(before, after)
    _record(connection, city, done, turn)
    return turn


def _record(connection: Connection, city: str, done: Done, turn: Turn) -> None:
    before = None if turn.before is None else _facts(turn.before, done.at)
    key, after = turn.after.suspension, _facts(turn.after, done.at)
    record(connection, Act(done.what, city, "suspension", key, done.at, done.reason, before=before, after=after))


def _facts(one: Suspension, now: datetime) -> dict[str, object]:
    told: dict[str, object] = {"store": one.store, "standing": standing(one, now).value}
    return told | {"until": one.until_at and one.until_at.isoformat(), "appeal": one.appeal_outcome}
