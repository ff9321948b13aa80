"""Cases: reports of false labels, and awards that were drawn by lot for a second look."""

import secrets
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from flask import Response, request

from backend.cases import queries, samples, terms
from backend.cases.model import LABEL_MAX, TEXT_MAX, ReportOutcome, ReportState, StepKind
from backend.cases.queries import DecidedKey, DueKey
from backend.cases.samples import Finding, SampleKey
from backend.cases.terms import SALT_BYTES, CaseTerms
from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, milliseconds
from backend.officials import queries as officials
from backend.officials.model import Role
from backend.retailers import queries as shops
from backend.scans.holds.rulings import Said
from backend.usecases.handle_report import Taken, take_step
from backend.usecases.review_sample import review_sample
from backend.usecases.set_case_terms import set_case_terms
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import Topic, page
from backend.web.context import now
from backend.web.problems import PROBLEMS, NotFound

SEES = frozenset({Role.CASE_OFFICER, Role.CITY_ADMINISTRATOR, Role.PROVINCE, Role.AUDITOR})
WORKS = frozenset({Role.CASE_OFFICER})
SETS = frozenset({Role.CITY_ADMINISTRATOR})
ROWS = 50
SHARE_COUNTED = timedelta(days=365)
REPORTS, SAMPLES = "/console/cases/reports", "/console/cases/samples"
STATES = {
    ReportState.FILED: ("待受理", "to be accepted", "waits"),
    ReportState.ACCEPTED: ("办理中", "being handled", "waits"),
    ReportState.SAMPLING: ("抽样中", "samples are checked", "waits"),
    ReportState.DECIDED: ("已决定", "decided", "good"),
    ReportState.CLOSED: ("已结案", "closed", "plain"),
}
OUTCOMES = {
    ReportOutcome.CONFIRMED: ("属实", "confirmed"),
    ReportOutcome.NOT_PROVEN: ("未能证实", "not proven"),
    ReportOutcome.DECLINED: ("不予受理", "not taken up"),
}
KINDS = {
    StepKind.ACCEPT: ("受理", "accepted"),
    StepKind.SAMPLE: ("抽样", "sampling"),
    StepKind.EVIDENCE: ("证据", "evidence"),
    StepKind.DECIDE: ("决定", "decision"),
    StepKind.CLOSE: ("结案", "closed"),
}
Chosen = TypeVar("Chosen", StepKind, ReportOutcome, Finding)


@page(
    "/cases/reports",
    title=("虚假标签举报", "Reports of false labels"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("举报", "Reports"),
)
def reports_listed() -> Response:
    decided_too, at, number = request.args.get("which") == "decided", request.args.get("at", ""), _uuid("after")
    with read(here.city()) as connection:
        if decided_too:
            after = None if number is None or (when := _moment(at)) is None else DecidedKey(when, number)
            rows = queries.decided(connection, here.city(), after=after, limit=ROWS)
        else:
            due = _day(at)
            below = None if number is None or due is None else DueKey(due, number)
            rows = queries.waiting(connection, here.city(), after=below, limit=ROWS)
        names = shops.names_of(connection, here.city(), {one.store for one in rows if one.store})
    further = None
    if len(rows) == ROWS:
        last = rows[-1].decided_at if decided_too else rows[-1].due_on
        further = last and (last.isoformat(), rows[-1].report)
    today = civil_date(milliseconds(now()))
    return render(
        "cases/reports.html",
        rows=rows,
        decided=decided_too,
        further=further,
        begun=number is not None,
        names=names,
        today=today,
        STATES=STATES,
        OUTCOMES=OUTCOMES,
    )


@page("/cases/reports/<uuid:report>", title=("举报", "Report"), topic=Topic.CASES, roles=SEES)
def report_shown(report: UUID) -> Response:
    return _report(str(report))


@page("/cases/reports/<uuid:report>", title=("举报", "Report"), topic=Topic.CASES, roles=WORKS, method="POST")
def report_step(report: UUID) -> Response:
    kind, outcome = _chosen(StepKind, "kind"), _chosen(ReportOutcome, "outcome")
    words = request.form.get("text", "").strip()[: TEXT_MAX + 1]
    if kind is None or not 1 <= len(words) <= TEXT_MAX or (kind is StepKind.DECIDE) != (outcome is not None):
        return _report(str(report), ("请写明内容，不超过 500 字。", "Say it in at most 500 characters."), 422)
    taken = Taken(kind, words, here.official().official, outcome)
    try:
        write(here.city(), lambda connection: take_step(connection, here.city(), str(report), taken, now()))
    except DomainError as error:
        return _report(str(report), (error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    zh, en = KINDS[kind]
    return done(f"{REPORTS}/{report}", f"已记录：{zh}。", f"Recorded: {en}.")


@page(
    "/cases/samples",
    title=("随机抽查", "Random samples"),
    topic=Topic.CASES,
    roles=SEES,
    menu=("抽查", "Samples"),
)
def samples_listed() -> Response:
    return _samples()


@page("/cases/samples", title=("随机抽查", "Random samples"), topic=Topic.CASES, roles=WORKS, method="POST")
def sample_reviewed() -> Response:
    finding, words = _chosen(Finding, "finding"), request.form.get("reason", "").strip()[:TEXT_MAX]
    basket, line_no = _uuid("basket"), request.form.get("line_no", "")
    if finding is None or not words or basket is None or not line_no.isdecimal():
        return _samples(("请选择结论并写明依据。", "Choose a finding and say what it rests on."), 422)
    said, place = Said(here.official().official, words), (basket, int(line_no[:3]))
    try:
        write(here.city(), lambda connection: review_sample(connection, here.city(), place, finding, said, now()))
    except DomainError as error:
        return _samples((error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    return done(SAMPLES, "已记录复核结论。", "The finding is recorded.")


@page("/cases/terms", title=("办案期限与抽查比例", "Clocks and samples"), topic=Topic.CASES, roles=SETS, method="POST")
def case_terms_set() -> Response:
    numbers = [request.form.get(name, "") for name in ("accept_days", "decide_days", "sample_bp")]
    if not all(number.isdecimal() for number in numbers):
        return _samples(("请填写整数。", "Fill in whole numbers."), 422)
    accept, decide, share = (int(number[:6]) for number in numbers)
    reason = request.form.get("reason", "").strip()
    given = CaseTerms(now(), accept, decide, share, here.official().official, reason)
    salt = secrets.token_bytes(SALT_BYTES)
    try:
        write(here.city(), lambda connection: set_case_terms(connection, here.city(), given, salt))
    except DomainError as error:
        return _samples((error.sentence_zh, error.sentence_en), PROBLEMS[error.code].status)
    return done(SAMPLES, "已设定，从现在起生效。", "Set, from now on.")


def _report(report: str, refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    with read(here.city()) as connection:
        one = queries.find(connection, here.city(), report)
        if one is None:
            raise NotFound
        steps = queries.steps(connection, here.city(), report)
        people = officials.names(connection, here.city(), sorted({step.by for step in steps}))
        names = shops.names_of(connection, here.city(), {one.store} if one.store else set())
    return render(
        "cases/report.html",
        status,
        one=one,
        steps=steps,
        people=people,
        shop=names.get(one.store or ""),
        today=civil_date(milliseconds(now())),
        may_work=bool(here.official().roles & WORKS),
        refused=refused,
        given=request.form,
        STATES=STATES,
        OUTCOMES=OUTCOMES,
        KINDS=KINDS,
        looked_up=(one.label or "")[:LABEL_MAX],
    )


def _samples(refused: tuple[str, str] | None = None, status: int = 200) -> Response:
    at, basket, line_no = _moment(request.args.get("at", "")), _uuid("after"), request.args.get("line", "")
    after = None
    if at is not None and basket is not None and line_no.isdecimal():
        after = SampleKey(at, basket, int(line_no[:3]))
    with read(here.city()) as connection:
        rows = samples.waiting(connection, here.city(), after=after, limit=ROWS)
        counts = samples.counts(connection, here.city(), now() - SHARE_COUNTED)
        found = terms.terms_set(connection, here.city())
        names = shops.names_of(connection, here.city(), {one.store for one in rows if one.store})
    further = (rows[-1].drawn_at.isoformat(), rows[-1].basket, rows[-1].line_no) if len(rows) == ROWS else None
    return render(
        "cases/samples.html",
        status,
        rows=rows,
        counts=counts,
        terms=found[0] if found else None,
        usual=terms.USUAL,
        names=names,
        further=further,
        begun=after is not None,
        refused=refused,
        given=request.form,
        may_work=bool(here.official().roles & WORKS),
        may_set=bool(here.official().roles & SETS),
    )


def _chosen(kinds: type[Chosen], name: str) -> Chosen | None:
    try:
        return kinds(request.form.get(name, ""))
    except ValueError:
        return None


def _uuid(name: str) -> str | None:
    try:
        return str(UUID(request.values.get(name, "")))
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
