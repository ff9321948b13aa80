"""A retailer confirms its statement or disputes lines of it; officials rule, two of them where money moves."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.amounts import MAX_AMOUNT
from backend.kernel.ids import new_id
from backend.kernel.persons import are_different
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.settlements import store
from backend.settlements.clock import last_day
from backend.settlements.model import (
    REASON_MAX,
    CorrectionByTwo,
    CorrectionChanged,
    CorrectionInvalid,
    DisputeOver,
    DisputeUnknown,
    LineKey,
    ReasonMissing,
    Ruled,
    Ruling,
    Said,
)
from backend.usecases.races import Writes

ADJUSTS = "dispute"
"""The cause under which corrections stand in the ledger."""


def told(reason: str) -> str:
    """The reason without blanks around it. Raises ReasonMissing."""
    stripped = reason.strip()
    if not 1 <= len(stripped) <= REASON_MAX:
        raise ReasonMissing
    return stripped


def dispute_line(database: Writes, city: str, key: LineKey, said: Said, now: datetime) -> None:
    """After COMMIT the line is not paid before somebody rules on it.

    Raises StatementUnknown, LineUnknown, DisputeOver, DisputeRepeated, ReasonMissing.
    """
    wanted = said._replace(reason=told(said.reason))

    def work(connection: Connection) -> None:
        store.lock(connection, city, now)
        until, confirmed = store.disputable_until(connection, city, key.month, key.retailer)
        if store.line(connection, city, key).taken or confirmed or now >= until:
            raise DisputeOver(until=last_day(until).isoformat())
        store.dispute(connection, city, key, wanted, now)
        told = {"disputed": True, "by": wanted.by}
        record(connection, _act(What.LINE_DISPUTED, city, key, now, wanted.reason, {"disputed": False}, told))

    database.write(work)


def confirm_statement(database: Writes, city: str, month: str, retailer: str, by: str, now: datetime) -> bool:
    """All lines that are not disputed may be paid. False when it was confirmed before. Raises StatementUnknown."""

    def work(connection: Connection) -> bool:
        store.lock(connection, city, now)
        store.disputable_until(connection, city, month, retailer)
        new = store.confirm(connection, city, month, retailer, by, now)
        if new:
            key = f"{month}/{retailer}"
            told = {"confirmed": True, "by": by}
            before = {"confirmed": False}
            record(connection, Act(What.STATEMENT_CONFIRMED, city, "statement", key, now, before=before, after=told))
        return new

    return database.write(work)


def rule_on_dispute(database: Writes, city: str, key: LineKey, ruled: Ruled, now: datetime) -> bool:
    """Whether the dispute is over, after COMMIT: a correction without its second person is only proposed.

    Raises DisputeUnknown, LineUnknown, CorrectionInvalid, CorrectionByTwo, ReasonMissing.
    """
    wanted = ruled._replace(explanation=told(ruled.explanation))
    if (wanted.ruling is Ruling.CORRECT) != (wanted.correction != 0) or abs(wanted.correction) > MAX_AMOUNT:
        raise CorrectionInvalid
    if not are_different(wanted.by, wanted.approved_by):
        raise CorrectionByTwo
    reference = new_id()

    def work(connection: Connection) -> bool:
        store.lock(connection, city, now)
        found = _open(connection, city, key)
        store.rule(connection, city, key, wanted, now)
        told = {"ruling": wanted.ruling.value, "correction": wanted.correction, "by": wanted.by}
        before = {"ruling": found.ruling, "correction": found.correction or 0, "by": found.ruled_by}
        record(connection, _act(What.DISPUTE_RULED, city, key, now, wanted.explanation, before, told))
        if wanted.ruling is Ruling.STANDS:
            return True
        if wanted.approved_by is None:
            return False
        _correct(connection, city, key, wanted.correction, wanted.approved_by, reference, now)
        return True

    return database.write(work)


def approve_correction(database: Writes, city: str, key: LineKey, seen: int, by: str, now: datetime) -> None:
    """What another person proposed is posted. `seen`: the correction in fen that the approver looked at.

    Raises DisputeUnknown, CorrectionByTwo, CorrectionChanged where another one stands there by now.
    """
    reference = new_id()

    def work(connection: Connection) -> None:
        store.lock(connection, city, now)
        proposed = _open(connection, city, key)
        if proposed.ruling != Ruling.CORRECT or proposed.correction is None:
            raise DisputeUnknown(line_no=key.line_no)
        if not are_different(by, proposed.ruled_by):
            raise CorrectionByTwo
        if proposed.correction != seen:
            raise CorrectionChanged
        _correct(connection, city, key, proposed.correction, by, reference, now)

    database.write(work)


def _open(connection: Connection, city: str, key: LineKey) -> store.Proposed:
    found = store.locked_dispute(connection, city, key)
    if found.over:
        raise DisputeUnknown(line_no=key.line_no)
    return found


def _correct(
    connection: Connection, city: str, key: LineKey, correction: int, by: str, reference: str, now: datetime
) -> None:
    store.approve(connection, city, key, by, reference, now)
    line = store.line(connection, city, key)
    shop, source = chart.shop(line.store, line.unit), chart.adjust(ADJUSTS, line.unit)
    sides = (source, shop) if correction > 0 else (shop, source)
    row = Transfer(reference, 1, 0, Reason.ADJUST.value, line.unit, *sides, abs(correction))
    post.post_once(connection, city, [row], now)
    before = {"correction": correction, "approved_by": None, "reference": None}
    told = before | {"approved_by": by, "reference": reference}
    record(connection, _act(What.CORRECTION_APPROVED, city, key, now, None, before, told))


def _act(
    what: What,
    city: str,
    key: LineKey,
    now: datetime,
    reason: str | None,
    before: Mapping[str, object],
    told: Mapping[str, object],
) -> Act:
    place = f"{key.month}/{key.retailer}/{key.line_no}"
    return Act(what, city, "statement-line", place, now, reason=reason, before=before, after=told)
