"""Suspensions of shops with due process."""

from datetime import date, datetime, timedelta
from uuid import UUID

from flask import Response, request

from backend.cases import suspensions
from backend.cases.suspension_model import BASIS_MAX, DAYS_MAX, TEXT_MAX, Proposal, Standing, standing
from backend.cases.suspensions import NoticedKey
from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, day_start_ms, instant, milliseconds
from backend.officials import queries as officials
from backend.retailers import queries as shops
from backend.usecases import suspend_store
from backend.usecases.suspend_store import Notice
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.cases import SEES, WORKS
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.context import now
from backend.web.problems import PROBLEMS

ROWS = 50
STORE_MAX = 64
DAYS_DIGITS_MAX = 3
SUSPENSIONS = "/console/cases/suspensions"
STANDINGS = {
    Standing.NOTICED: ("已通知", "notice given", "waits"),
    Standing.PROPOSED: ("待第二人批准", "waits for a second", "waits"),
    Standing.DROPPED: ("不予停用", "dropped", "plain"),
    Standing.IN_FORCE: ("停用中", "suspended", "bad"),
    Standing.ENDED: ("已期满", "ended", "plain"),
    Standing.LIFTED: ("已解除", "lifted", "good"),
}
DONE = {
    "reply": ("已登记门店的答复。", "The reply is entered."),
    "propose": ("已提出，待第二人批准。", "Proposed; it waits for a second."),
    "approve": ("已批准。", "Approved."),
    "appeal": ("已登记申诉，由第三人在期限内答复。", "The appeal is entered; a third answers in time."),
    "answer": ("已答复申诉。", "The appeal is answered."),
    "lift": ("已解除停用。", "Lifted."),
}


@page(
    "/cases/suspensions",
    title=("门店停用", "Suspensions of shops"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("门店停用", "Suspensions"),
)
def suspensions_listed() -> Response:
    return _listed()


@page("/cases/suspensions", title=("门店停用", "Suspensions of shops"), topic=Topic.CASES, roles=WORKS, method="POST")
def suspension_noticed() -> Response:
    days = request.form.get("reply_days", "")
    notice = Notice(
        _form("store", STORE_MAX),
        _form("basis", BASIS_MAX + 1),
        _form("reason", TEXT_MAX + 1),
        int(days) if days.isdecimal() and len(days) <= DAYS_DIGITS_MAX else 0,
        here.official().official,
    )
    try:
        turn = write(here.city(), lambda connection: suspend_store.give_notice(connection, here.city(), notice, now()))
    except DomainError as error:
        return _listed((error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    url = f"{SUSPENSIONS}/{turn.after.suspension}"
    return done(url, "已发出通知，门店可在期限内答复。", "Notice is given; the shop may reply in time.")


@page("/cases/suspensions/<uuid:suspension>", title=("门店停用", "Suspension"), topic=Topic.CASES, roles=SEES)
def suspension_shown(suspension: UUID) -> Response:
    return _one(str(suspension))


@page(
    "/cases/suspensions/<uuid:suspension>/<any(reply, propose, approve, appeal, answer, lift):act>",
    title=("门店停用", "Suspension"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
)
def suspension_turned(suspension: UUID, act: str) -> Response:
    words = _form("text", TEXT_MAX)
    if not words and act != "approve":
        return _one(str(suspension), ("请写明内容。", "Say it in words."), 422)
    try:
        _turn(str(suspension), act, words)
    except DomainError as error:
        return _one(str(suspension), (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    return done(f"{SUSPENSIONS}/{suspension}", *DONE[act])


def _turn(number: str, act: str, words: str) -> None:
    city, by, at = here.city(), here.official().official, now()
    match act:
        case "reply":
            write(city, lambda c: suspend_store.record_reply(c, city, number, words, at))
        case "propose":
            proposal = Proposal.DROP if request.form.get("proposal") == "drop" else Proposal.IMPOSE
            until_at = _end_of(request.form.get("until", ""))
            write(
                city,
                lambda c: suspend_store.propose(
                    c, city, number, proposal=proposal, reason=words, until_at=until_at, by=by, now=at
                ),
            )
        case "approve":
            write(city, lambda c: suspend_store.approve(c, city, number, by=by, now=at))
        case "appeal":
            write(city, lambda c: suspend_store.record_appeal(c, city, number, words, at))
        case "answer":
            upheld = request.form.get("outcome") == "upheld"
            write(
                city,
                lambda c: suspend_store.answer_appeal(c, city, number, upheld=upheld, reason=words, by=by, now=at),
            )
        case _:
            write(city, lambda c: suspend_store.lift(c, city, number, reason=words, by=by, now=at))


def _listed(refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    after = None
    try:
        at = datetime.fromisoformat(request.args.get("at", ""))
        after = NoticedKey(at, str(UUID(request.args.get("after", "")))) if at.tzinfo else None
    except ValueError:
        pass
    with read(here.city()) as connection:
        rows = suspensions.listed(connection, here.city(), after=after, limit=ROWS)
        names = shops.names_of(connection, here.city(), {one.store for one in rows})
    further = (rows[-1].noticed_at.isoformat(), rows[-1].suspension) if len(rows) == ROWS else None
    return render(
        "cases/suspensions.html",
        status,
        rows=[(one, STANDINGS[standing(one, now())]) for one in rows],
        names=names,
        further=further,
        begun=after is not None,
        refused=refused,
        given=request.form,
        may_work=bool(here.official().roles & WORKS),
    )


def _one(number: str, refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        one = suspensions.find(connection, here.city(), number)
        named = {one.noticed_by, one.proposed_by, one.approved_by, one.appeal_by, one.lifted_by} - {None}
        people = officials.names(connection, here.city(), sorted(str(by) for by in named))
        names = shops.names_of(connection, here.city(), {one.store})
    at, me, today = now(), here.official().official, civil_date(milliseconds(now()))
    found = standing(one, at)
    return render(
        "cases/suspension.html",
        status,
        one=one,
        found=found.value,
        words=STANDINGS[found],
        people=people,
        shop=names.get(one.store, one.store),
        may_work=bool(here.official().roles & WORKS),
        is_proposer=me == one.proposed_by,
        decided_it=me in (one.proposed_by, one.approved_by),
        may_decide=one.reply is not None or today > one.reply_by_on,
        refused=refused,
        given=request.form,
        today=today,
        last=today + timedelta(days=DAYS_MAX - 1),
    )


def _form(name: str, chars_max: int) -> str:
    return request.form.get(name, "").strip().replace("\x00", "")[:chars_max]


def _end_of(text: str) -> datetime | None:
    """The end of the last day, in China."""
    try:
        return instant(day_start_ms(date.fromisoformat(text) + timedelta(days=1)))
    except (ValueError, OverflowError):
        return None
