"""The ripple: what a certificate that was lost, or a serial that was proven false, has already cost; unpaid money is held."""

from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from flask import Response, request

from backend.cases import repeated, ripple
from backend.kernel.errors import DomainError
from backend.officials.model import Role
from backend.retailers import queries as shops
from backend.usecases.ripple import Subject, hold_unpaid, subject_of
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, within
from backend.web.console.declare import Topic, page
from backend.web.console.places import number_of
from backend.web.console.words import yuan
from backend.web.context import now
from backend.web.problems import PROBLEMS

SEES = frozenset({Role.CASE_OFFICER, Role.FINANCE, Role.CITY_ADMINISTRATOR, Role.PROVINCE, Role.AUDITOR})
HOLDS = frozenset({Role.CASE_OFFICER, Role.FINANCE})
TEXT_MAX, REASON_MAX = 200, 500
ROWS = 50
LOOKED_BACK = timedelta(days=30)


@page(
    "/registry/ripple",
    title=("失效追溯", "Ripple"),
    topic=Topic.REGISTRY,
    roles=SEES,
    menu=("失效追溯", "Ripple"),
)
def ripple_look() -> Response:
    return _page(request.args.get("q", ""), request.args.get("body", ""))


@page(
    "/registry/ripple",
    title=("失效追溯", "Ripple"),
    topic=Topic.REGISTRY,
    roles=HOLDS,
    method="POST",
    step_up=True,
)
def ripple_hold() -> Response:
    text, body = request.form.get("q", ""), request.form.get("body", "")
    reason = request.form.get("reason", "").strip()[:REASON_MAX]
    if not reason:
        return _page(text, body, ("请写明冻结的理由。", "Say why it is held."), 422)
    with read(here.city()) as connection:
        subject = subject_of(connection, text[:TEXT_MAX], body or None)
    held = hold_unpaid(within(here.city()), here.city(), subject.lost, here.official().official, reason, now())
    return done(
        f"/console/registry/ripple?q={_quoted(text)}&body={_quoted(body)}",
        f"已冻结 {held.held} 笔未付的结算，已出结算单中 {yuan(held.unpaid_fen)} 暂不支付；居民的积分不变。",
        f"{held.held} sales are held; {yuan(held.unpaid_fen)} on statements is not paid now. Residents keep theirs.",
    )


@page(
    "/registry/repeated",
    title=("重复的序列号", "Repeated serials"),
    topic=Topic.REGISTRY,
    roles=SEES,
    menu=("重复的序列号", "Repeated serials"),
)
def repeated_serials() -> Response:
    with read(here.city()) as connection:
        rows = repeated.repeated(connection, here.city(), now() - LOOKED_BACK)
        names = shops.names_of(connection, here.city(), {one.first_store for one in rows if one.first_store})
    return render("registry/repeated.html", rows=rows, names=names)


def _page(text: str, body: str, refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    text, body = text.strip().replace("\x00", "")[:TEXT_MAX], body[:TEXT_MAX]
    subject: Subject | None = None
    found, rows, after = None, [], _after()
    if text:
        try:
            with read(here.city()) as connection:
                subject = subject_of(connection, text, body or None)
                found = ripple.ripple(connection, here.city(), subject.lost)
                rows = ripple.awards(connection, here.city(), subject.lost, after=after, limit=ROWS + 1)
        except DomainError as error:
            refused, status = (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return render(
        "registry/ripple.html",
        status,
        text=text,
        body=body,
        found=found,
        rows=rows[:ROWS],
        further=last and f"{last.basket}.{last.line_no}",
        after=after,
        history=subject.history if subject else None,
        refused=refused,
        may_hold=bool(here.official().roles & HOLDS),
    )


def _after() -> tuple[str, int] | None:
    basket, _, line_no = request.args.get("after", "").partition(".")
    try:
        return str(UUID(basket)), number_of(line_no)
    except ValueError:
        return None


def _quoted(text: str) -> str:
    return quote(text, safe="")
