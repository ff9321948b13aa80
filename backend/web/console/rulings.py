"""Rulings: scans that are held for a person, and appeals of residents, each decided by somebody who did not rule before."""

from uuid import UUID

from flask import Response, request

from backend.appeals import queries as appeals
from backend.appeals.model import Appeal, AppealState, Proposed, SecondPersonNeeded, Verdict
from backend.kernel.amounts import unit_price
from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, instant, milliseconds
from backend.officials import queries as officials
from backend.policies.model import Outcome
from backend.retailers import queries as shops
from backend.scans import rulings
from backend.scans.explain import DecidedScan, recompute
from backend.scans.replay import load_decided, load_names
from backend.scans.rulings import FIRST, Said
from backend.usecases.decide_appeal import DecideAppeal
from backend.usecases.propose_appeal import propose_appeal
from backend.usecases.rule_on_hold import REASON_MAX, Place, RuleOnHold
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.cases import SEES, WORKS
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.console.registry import LEVELS
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS, NotFound

ROWS = 50
HOLDS, APPEALS = "/console/cases/holds", "/console/cases/appeals"
PROOFS = {
    "P3": ("终端联网销售", "a till online"),
    "P2": ("终端销售", "a till"),
    "P1": ("领取码", "a claim code"),
    "P0": ("手机扫码", "a phone"),
}
WHY = {
    "clock_uncertain": ("时间不可信", "uncertain clock"),
    "label_review": ("标签需核对", "label to be looked at"),
    "store_suspended": ("门店停用期内", "shop suspended"),
    "signal": ("触发核查", "a watch held it"),
}


@page(
    "/cases/holds",
    title=("待核查的扫码", "Held scans"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("待核查", "Held scans"),
)
def holds_listed() -> Response:
    after = _uuid(request.args.get("after", "")) or FIRST
    with read(here.city()) as connection:
        rows = rulings.held_scans(connection, here.city(), after=after, limit=ROWS)
        names = shops.names_of(connection, here.city(), {one.store for one in rows if one.store})
    further = rows[-1].basket if len(rows) >= ROWS else None
    return render("cases/holds.html", rows=rows, names=names, further=further, begun=after != FIRST, WHY=WHY)


@page(
    "/cases/holds/<uuid:basket>/<int(max=49):line_no>",
    title=("待核查的扫码", "Held scan"),
    topic=Topic.CASES,
    roles=SEES,
)
def hold_shown(basket: UUID, line_no: int) -> Response:
    return _hold(str(basket), line_no)


@page(
    "/cases/holds/<uuid:basket>/<int(max=49):line_no>",
    title=("待核查的扫码", "Held scan"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    step_up=True,
)
def hold_ruled(basket: UUID, line_no: int) -> Response:
    reason, ruling = request.form.get("reason", "").strip()[:REASON_MAX], request.form.get("ruling", "")
    if not reason or ruling not in ("release", "refuse"):
        return _hold(str(basket), line_no, ("请写明理由。", "Say why."), 422)
    rule = RuleOnHold(backend().database, backend().registry, backend().policies)
    decide = rule.release if ruling == "release" else rule.refuse
    try:
        decision = decide(here.city(), Place(str(basket), line_no), Said(here.official().official, reason), now())
    except DomainError as error:
        return _hold(str(basket), line_no, (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    if ruling == "refuse":
        return done(HOLDS, "已不予奖励，理由已记录。", "Refused; the reason is recorded.")
    zh = "已放行并入账。" if decision.award else "已放行；按政策重新核定后没有奖励。"
    en = "Released and posted." if decision.award else "Released; decided again, it earns nothing."
    return done(HOLDS, zh, en)


@page(
    "/cases/appeals",
    title=("申诉", "Appeals"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("申诉", "Appeals"),
)
def appeals_listed() -> Response:
    with read(here.city()) as connection:
        rows = appeals.waiting(connection, here.city(), limit=appeals.PAGE_MAX)
        waiting = appeals.proposals(connection, here.city(), [one.appeal for one in rows])
    return render(
        "cases/appeals.html", rows=rows, waiting=waiting, today=civil_date(milliseconds(now())), most=appeals.PAGE_MAX
    )


@page("/cases/appeals/<uuid:appeal>", title=("申诉", "Appeal"), topic=Topic.CASES, roles=SEES)
def appeal_shown(appeal: UUID) -> Response:
    return _appeal(str(appeal))


@page(
    "/cases/appeals/<uuid:appeal>",
    title=("申诉", "Appeal"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    step_up=True,
)
def appeal_decided(appeal: UUID) -> Response:
    words, verdict = request.form.get("explanation", "").strip()[:REASON_MAX], request.form.get("verdict", "")
    if not words or verdict not in ("uphold", "reject"):
        return _appeal(str(appeal), ("请写明给居民的说明。", "Write what the resident is told."), 422)
    me = here.official()
    given = Verdict(me.official, None, words)
    deciding = DecideAppeal(backend().database, backend().registry, backend().policies)
    try:
        if verdict == "reject":
            deciding.reject(here.city(), str(appeal), given, now())
            return done(APPEALS, "已驳回，居民可看到说明。", "Rejected; the resident reads the explanation.")
        deciding.uphold(here.city(), str(appeal), given, now())
    except SecondPersonNeeded as needed:
        proposed = Proposed(words, me.official, me.name, now())
        write(here.city(), lambda connection: propose_appeal(connection, here.city(), str(appeal), proposed, now()))
        return done(
            f"{APPEALS}/{appeal}",
            f"{needed.sentence_zh}已交第二人复核。",
            f"{needed.sentence_en} It waits for a second.",
        )
    except DomainError as error:
        return _appeal(str(appeal), (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    return done(APPEALS, "申诉成立，已重新核定并入账。", "Upheld, decided again and posted.")


@page(
    "/cases/appeals/<uuid:appeal>/approve",
    title=("申诉", "Appeal"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    step_up=True,
)
def appeal_approved(appeal: UUID) -> Response:
    """The second person grants what the first would, word for word."""
    with read(here.city()) as connection:
        proposed = appeals.proposals(connection, here.city(), [str(appeal)]).get(str(appeal))
    if proposed is None:
        raise NotFound
    given = Verdict(proposed.by, here.official().official, proposed.explanation)
    try:
        DecideAppeal(backend().database, backend().registry, backend().policies).uphold(
            here.city(), str(appeal), given, now()
        )
    except DomainError as error:
        return _appeal(str(appeal), (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    return done(APPEALS, "申诉成立，已重新核定并入账。", "Upheld, decided again and posted.")


def _hold(basket: str, line_no: int, refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        scan = load_decided(connection, here.city(), basket, line_no)
        if scan is None:
            raise NotFound
        names = shops.names_of(connection, here.city(), {scan.store} if scan.store else set())
        told = recompute(scan, backend().policies.lookup(connection, here.city()), load_names(connection))
    return render(
        "cases/hold.html",
        status,
        **_facts(scan, names),
        told=told,
        waits=scan.decision.outcome == Outcome.HELD,
        may_work=bool(here.official().roles & WORKS),
        refused=refused,
        WHY=WHY,
    )


def _appeal(appeal: str, refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        one = appeals.find(connection, here.city(), appeal)
        if one is None:
            raise NotFound
        scan = load_decided(connection, here.city(), one.basket, one.line_no)
        if scan is None:
            raise NotFound
        names = shops.names_of(connection, here.city(), {scan.store} if scan.store else set())
        told = recompute(scan, backend().policies.lookup(connection, here.city()), load_names(connection))
        before = rulings.ruled_by(connection, here.city(), one.basket, one.line_no)
        proposed = appeals.proposals(connection, here.city(), [appeal]).get(appeal)
        people = officials.names(connection, here.city(), _named(one, before))
    me = here.official().official
    return render(
        "cases/appeal.html",
        status,
        **_facts(scan, names),
        told=told,
        one=one,
        before=[people.get(by, by) for by in sorted(before)],
        proposed=proposed,
        people=people,
        mine=proposed is not None and proposed.by == me,
        may_work=bool(here.official().roles & WORKS) and me not in before and one.state is AppealState.OPEN,
        refused=refused,
        today=civil_date(milliseconds(now())),
        WHY=WHY,
    )


def _named(one: Appeal, before: frozenset[str]) -> list[str]:
    return sorted({*before, *(by for by in (one.decided_by, one.approved_by) if by)})


def _facts(scan: DecidedScan, names: dict[str, str]) -> dict[str, object]:
    """What a person asks first of a scan."""
    d = scan.decision
    return {
        "d": d,
        "scan": scan,
        "shop": names.get(scan.store or ""),
        "sold_at": instant(scan.sold_at_ms),
        "decided_at": instant(scan.decided_at_ms),
        "price_one": unit_price(d.price_fen, d.quantity),
        "LEVELS": LEVELS,
        "PROOFS": PROOFS,
    }


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
