"""Rulings: scans that are held for a person, and appeals of residents, each decided by somebody who did not rule before."""

from functools import partial
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection

from backend.appeals import queries as appeals
from backend.appeals.model import Appeal, AppealState, Proposed, Verdict
from backend.kernel.amounts import unit_price
from backend.kernel.periods import civil_date, instant, milliseconds
from backend.officials import queries as officials
from backend.policies.model import Outcome
from backend.retailers import queries as shops
from backend.scans.decide import Decision
from backend.scans.explain import DecidedScan, recompute
from backend.scans.holds import rulings
from backend.scans.holds.rulings import FIRST, Proposal, Said
from backend.scans.replay import load_decided, load_names
from backend.usecases.decide_appeal import DecideAppeal
from backend.usecases.propose_appeal import propose_appeal
from backend.usecases.rule_on_hold import REASON_MAX, Place, RuleOnHold, propose_release
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.by_two import at_case, granted
from backend.web.console.cases import SEES, WORKS
from backend.web.console.connection import read, write
from backend.web.console.declare import Texts, Topic, page
from backend.web.console.registry import LEVELS
from backend.web.context import backend, now
from backend.web.problems import NotFound

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
    return _hold(Place(str(basket), line_no))


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
    place = Place(str(basket), line_no)
    if not reason or ruling not in ("release", "refuse"):
        return _hold(place, ("请写明理由。", "Say why."), 422)
    act = _refuse if ruling == "refuse" else _release
    return at_case(lambda: act(place, reason), partial(_hold, place))


@page(
    "/cases/holds/<uuid:basket>/<int(max=49):line_no>/approve",
    title=("待核查的扫码", "Held scan"),
    topic=Topic.CASES,
    roles=WORKS,
    method="POST",
    step_up=True,
)
def release_approved(basket: UUID, line_no: int) -> Response:
    """The second person releases what the first would."""
    place = Place(str(basket), line_no)
    with read(here.city()) as connection:
        scan = load_decided(connection, here.city(), *place)
        proposed = None if scan is None else _proposed(connection, scan)
    if proposed is None:
        raise NotFound
    said, me = Said(proposed.by, proposed.reason), here.official().official
    return at_case(
        lambda: _released(_ruling().release(here.city(), place, said, now(), me)),
        partial(_hold, place),
    )


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
    act = _reject if verdict == "reject" else _uphold
    return at_case(lambda: act(str(appeal), words), partial(_appeal, str(appeal)))


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
    return at_case(lambda: _upheld(str(appeal), given), partial(_appeal, str(appeal)))


def _ruling() -> RuleOnHold:
    return RuleOnHold(backend().database, backend().registry, backend().policies)


def _refuse(place: Place, reason: str) -> Response:
    _ruling().refuse(here.city(), place, Said(here.official().official, reason), now())
    return done(HOLDS, "已不予奖励，理由已记录。", "Refused; the reason is recorded.")


def _release(place: Place, reason: str) -> Response:
    me, at = here.official(), now()
    said, proposal = Said(me.official, reason), Proposal(reason, me.official, me.name, at)
    return granted(
        lambda: _released(_ruling().release(here.city(), place, said, at)),
        lambda: write(here.city(), lambda connection: propose_release(connection, here.city(), place, proposal, at)),
        f"{HOLDS}/{place.basket}/{place.line_no}",
    )


def _released(decision: Decision) -> Response:
    zh = "已放行并入账。" if decision.award else "已放行；按政策重新核定后没有奖励。"
    en = "Released and posted." if decision.award else "Released; decided again, it earns nothing."
    return done(HOLDS, zh, en)


def _deciding() -> DecideAppeal:
    return DecideAppeal(backend().database, backend().registry, backend().policies)


def _reject(appeal: str, words: str) -> Response:
    _deciding().reject(here.city(), appeal, Verdict(here.official().official, None, words), now())
    return done(APPEALS, "已驳回，居民可看到说明。", "Rejected; the resident reads the explanation.")


def _uphold(appeal: str, words: str) -> Response:
    me, at = here.official(), now()
    proposed = Proposed(words, me.official, me.name, at)
    return granted(
        lambda: _upheld(appeal, Verdict(me.official, None, words)),
        lambda: write(here.city(), lambda connection: propose_appeal(connection, here.city(), appeal, proposed, at)),
        f"{APPEALS}/{appeal}",
    )


def _upheld(appeal: str, verdict: Verdict) -> Response:
    _deciding().uphold(here.city(), appeal, verdict, now())
    return done(APPEALS, "申诉成立，已重新核定并入账。", "Upheld, decided again and posted.")


def _hold(place: Place, refused: Texts | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        scan = load_decided(connection, here.city(), *place)
        if scan is None:
            raise NotFound
        names = shops.names_of(connection, here.city(), {scan.store} if scan.store else set())
        told = recompute(scan, backend().policies.lookup(connection, here.city()), load_names(connection))
        proposed = _proposed(connection, scan)
    return render(
        "cases/hold.html",
        status,
        **_facts(scan, names),
        told=told,
        waits=scan.decision.outcome == Outcome.HELD,
        proposed=proposed,
        mine=proposed is not None and proposed.by == here.official().official,
        may_work=bool(here.official().roles & WORKS),
        refused=refused,
        given=request.form,
        WHY=WHY,
    )


def _proposed(connection: Connection, scan: DecidedScan) -> Proposal | None:
    d = scan.decision
    return rulings.proposal_of(connection, here.city(), (d.basket, d.line_no, d.decision_no))


def _appeal(appeal: str, refused: Texts | None = None, status: int = 200) -> Response:
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
        given=request.form,
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
