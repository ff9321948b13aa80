"""What the city owes, day by day; and files of large tables, written by a job."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from flask import Response, request, stream_with_context

from backend.exports import queries
from backend.exports.model import KIND_NAMES, ExportInvalid, ExportState, Kind, Wanted
from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.kernel.periods import civil_date, milliseconds
from backend.usecases.export_tables import ask_export, note_fetched
from backend.usecases.report_liability import frozen_days
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, within
from backend.web.console.declare import Topic, page
from backend.web.console.money_words import ACTS, SEES, UNIT_NAMES, amount, by, may_act, unit_name
from backend.web.context import now
from backend.web.problems import PROBLEMS

SPANS = (30, 90, 365)
EXPORTS = "/console/exports"
STATES = {
    ExportState.WAITING: ("排队中", "waiting", "waits"),
    ExportState.RUNNING: ("生成中", "being written", "waits"),
    ExportState.READY: ("可下载", "ready", "good"),
    ExportState.FAILED: ("失败", "failed", "bad"),
    ExportState.ENDED: ("已过期", "gone", "plain"),
}


@page("/liability", title=("负债表", "Liability"), topic=Topic.MONEY, roles=SEES, menu=("负债表", "Liability"))
def liability_days() -> Response:
    unit = request.args.get("unit", "points")
    unit = unit if unit in UNIT_NAMES else "points"
    days = request.args.get("days", SPANS[0], type=int)
    days = days if days in SPANS else SPANS[0]
    today = civil_date(milliseconds(now()))
    with read(here.city()) as connection:
        found = frozen_days(connection, here.city(), today - timedelta(days=days), today)
    return render(
        "money/liability.html",
        rows=[one for one in found if one.unit == unit],
        unit=unit,
        units=[(name, here.say(*words)) for name, words in UNIT_NAMES.items()],
        days=days,
        spans=SPANS,
        amount=amount,
        unit_name=unit_name,
        is_money=unit in ("fen", "fee"),
        may_act=may_act(),
    )


@page("/exports", title=("导出", "Exports"), topic=Topic.MONEY, roles=ACTS, menu=("导出", "Exports"))
def exports_listed() -> Response:
    return _exports(None)


@page("/exports", title=("导出", "Exports"), topic=Topic.MONEY, roles=ACTS, method="POST", step_up=True)
def export_asked() -> Response:
    try:
        ask_export(within(here.city()), here.city(), new_id(), _wanted(), by(), now())
    except DomainError as refusal:
        return _exports(refusal)
    return done(EXPORTS, "已申请，一分钟内开始生成。", "Asked for: it is begun within a minute.")


@page(
    "/exports/<uuid:export>/file",
    title=("下载导出文件", "Fetch a file"),
    topic=Topic.MONEY,
    roles=ACTS,
    step_up=True,
)
def export_fetched(export: UUID) -> Response:
    """By whoever asked, piece by piece, until its time is over."""
    city, which = here.city(), str(export)
    with read(city) as connection:
        found = queries.fetchable(connection, city, which, by())
    note_fetched(within(city), city, "export", which, now())

    def pieces() -> Iterator[bytes]:
        with read(city) as connection:
            yield from queries.pieces(connection, city, which)

    name = f"{found.wanted.kind.value}-{found.wanted.first}-{found.wanted.last}.xlsx"
    response = Response(
        stream_with_context(pieces()),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Length"] = str(found.size_bytes)
    return response


def _exports(refusal: DomainError | None) -> Response:
    with read(here.city()) as connection:
        rows = queries.exports_of(connection, here.city(), by())
    today = civil_date(milliseconds(now()))
    return render(
        "money/exports.html",
        200 if refusal is None else PROBLEMS[refusal.code].status,
        refused=None if refusal is None else (refusal.sentence_zh, refusal.sentence_en),
        rows=rows,
        states=STATES,
        kind_names=KIND_NAMES,
        kinds=[(kind.value, here.say(*text)) for kind, text in KIND_NAMES.items()],
        first=request.form.get("first") or (today - timedelta(days=30)).isoformat(),
        last=request.form.get("last") or today.isoformat(),
        moving=any(one.state in (ExportState.WAITING, ExportState.RUNNING) for one in rows),
    )


def _wanted() -> Wanted:
    """Raises ExportInvalid."""
    try:
        first, last = (date.fromisoformat(request.form.get(name, "")) for name in ("first", "last"))
        return Wanted(Kind(request.form.get("kind", "")), first, last)
    except ValueError:
        raise ExportInvalid from None
