"""Adjustments by hand: proposed under a ticket, posted at once within one's limit, approved by another beyond it.

They are posted by the engine: whose an account is by now is known to every city together.
"""

import re
import unicodedata
from datetime import UTC, datetime
from uuid import UUID

from flask import Response, request

from backend.adjustments import queries
from backend.adjustments.model import (
    ALONE_MAX,
    CAUSE_NAMES,
    AdjustmentInvalid,
    AdjustmentState,
    AmountUnreadable,
    Cause,
    Proposed,
    Wanted,
    alone_max,
)
from backend.adjustments.queries import Place
from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.officials.model import Role
from backend.usecases.adjust_by_hand import approve_adjustment, propose_adjustment, refuse_adjustment
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page
from backend.web.console.money_words import JUDGES, SEES, UNIT_NAMES, amount, by, names, unit_name
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS

PROPOSES = frozenset({Role.FINANCE, Role.CASE_OFFICER})
ROWS = 50
HOME = "/console/adjustments"
STATES = {
    AdjustmentState.PROPOSED: ("待复核", "proposed", "waits"),
    AdjustmentState.POSTED: ("已入账", "posted", "good"),
    AdjustmentState.REFUSED: ("已退回", "refused", "bad"),
}
UNITS = ("points", "fen", "fee")
_POINTS = re.compile(r"-?[0-9]{1,12}")
_YUAN = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,2}))?")


@page(
    "/adjustments",
    title=("人工调整", "Adjustments"),
    topic=Topic.MONEY,
    roles=SEES | PROPOSES,
    menu=("人工调整", "Adjustments"),
)
def adjustments_listed() -> Response:
    with read(here.city()) as connection:
        rows = queries.listed(connection, here.city(), after=_after(), limit=ROWS + 1)
        people = names(connection, [each for one in rows for each in (one.proposed_by, one.judged_by)])
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return render(
        "money/adjustments.html",
        rows=rows[:ROWS],
        further=None if last is None else f"{last.proposed_at.timestamp()}_{last.adjustment}",
        after=request.args.get("after"),
        names=people,
        states=STATES,
        causes=CAUSE_NAMES,
        amount=amount,
        unit_name=unit_name,
        me=by(),
        proposes=bool(here.official().roles & PROPOSES),
        judges=bool(here.official().roles & JUDGES),
    )


@page(
    "/adjustments/new",
    title=("提出调整", "Propose an adjustment"),
    topic=Topic.MONEY,
    roles=PROPOSES,
    step_up=True,
)
def adjustment_form() -> Response:
    return _form(None)


@page(
    "/adjustments/new",
    title=("提出调整", "Propose an adjustment"),
    topic=Topic.MONEY,
    roles=PROPOSES,
    method="POST",
    step_up=True,
)
def adjustment_proposed() -> Response:
    try:
        wanted = _wanted()
        proposed = Proposed(by(), alone_max(frozenset(here.official().roles), wanted.unit))
        state = propose_adjustment(backend().database, here.city(), _id_of_form(), wanted, proposed, now())
    except DomainError as refusal:
        return _form(refusal)
    if state is AdjustmentState.POSTED:
        return done(HOME, "已入账，在您的限额以内。", "Posted: it is within your limit.")
    return done(
        HOME, "已提出，超过您的限额，由另一人复核后入账。", "Proposed: beyond your limit, another person approves it."
    )


@page(
    "/adjustments/<uuid:adjustment>/<any(approve, refuse):verdict>",
    title=("复核调整", "Judge an adjustment"),
    topic=Topic.MONEY,
    roles=JUDGES,
    method="POST",
    step_up=True,
)
def adjustment_judged(adjustment: UUID, verdict: str) -> Response:
    act = approve_adjustment if verdict == "approve" else refuse_adjustment
    act(backend().database, here.city(), str(adjustment), by(), now())
    if verdict == "approve":
        return done(HOME, "已复核入账。", "Approved and posted.")
    return done(HOME, "已退回，没有入账。", "Refused: nothing was posted.")


def _wanted() -> Wanted:
    """Raises AdjustmentInvalid, AmountUnreadable."""
    form = request.form
    whose, unit, cause = form.get("whose", "").strip()[:64], form.get("unit", ""), form.get("cause", "")
    value = _value(form.get("amount", ""), unit)
    try:
        resident = None if form.get("of") == "store" else str(UUID(whose))
        chosen = Cause(cause)
    except ValueError:
        raise AdjustmentInvalid from None
    store = whose if form.get("of") == "store" else None
    return Wanted(resident, store, unit, value, chosen, form.get("ticket", ""), form.get("explanation", ""))


def _value(typed: str, unit: str) -> int:
    """Whole points, or yuan with at most two decimals as fen; full-width digits are digits. Raises AmountUnreadable."""
    plain = unicodedata.normalize("NFKC", typed).strip()
    found = (_POINTS if unit == "points" else _YUAN).fullmatch(plain)
    if found is None:
        raise AmountUnreadable
    value = int(plain) if unit == "points" else int(found[1] + found[2] + (found[3] or "").ljust(2, "0"))
    if value == 0:
        raise AmountUnreadable
    return value


def _id_of_form() -> str:
    """Each form has an id, so that one sent twice is one adjustment. Raises AdjustmentInvalid."""
    try:
        return str(UUID(request.form.get("adjustment", "") or new_id()))
    except ValueError:
        raise AdjustmentInvalid from None


def _form(refusal: DomainError | None) -> Response:
    limits = [
        (unit, alone_max(frozenset(here.official().roles), unit))
        for unit in UNITS
        if any(unit in limits for limits in ALONE_MAX.values())
    ]
    return render(
        "money/adjustment.html",
        200 if refusal is None else PROBLEMS[refusal.code].status,
        refused=None if refusal is None else (refusal.sentence_zh, refusal.sentence_en),
        at="amount" if isinstance(refusal, AmountUnreadable) else None,
        form=request.form,
        adjustment=_id_of_form(),
        units=[(unit, here.say(*UNIT_NAMES[unit])) for unit in UNITS],
        causes=[(cause.value, here.say(*text)) for cause, text in CAUSE_NAMES.items()],
        limits=[(here.say(*UNIT_NAMES[unit]), amount(unit, limit)) for unit, limit in limits],
    )


def _after() -> Place | None:
    at, _, adjustment = request.args.get("after", "").partition("_")
    try:
        return Place(datetime.fromtimestamp(float(at), UTC), str(UUID(adjustment)))
    except (ValueError, OverflowError, OSError):
        return None
