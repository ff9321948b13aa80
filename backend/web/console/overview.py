"""The first page: what wants doing, and how the city fares, by day, hour, certification, district and shop."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from flask import Response, request
from sqlalchemy import Connection

from backend.appeals import queries as appeals
from backend.cases import queries as cases
from backend.certificates import queries as certificates
from backend.devices import fleet
from backend.kernel.periods import civil_date, milliseconds
from backend.missing_points import queries as missing_points
from backend.retailers import queries as retailers
from backend.scans import gaps
from backend.scans.holds import rulings
from backend.statistics import queries
from backend.statistics.model import SPANS, BudgetOutlook, DayTotal, Facet, Period, Total, span_of
from backend.usecases.find_gaps import TOLD_FOR
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import DECLARED, EVERYONE, Texts, Topic, has_role, page
from backend.web.console.district_map import tile_map
from backend.web.console.money_words import SEES
from backend.web.console.target_words import Shown, counted, shown_of
from backend.web.context import now

USUAL = 30
WAITING_MAX = 100
STALE = timedelta(days=35)
RUNS_OUT_SOON = timedelta(days=30)
SHOPS_SHOWN = 15
CODE_DIGITS = 6
TARGETS_SHOWN = 4
"""Those that end first."""
NO_SCHEME: Texts = ("未查到证书", "No certificate")


class Alert(NamedTuple):
    """`kind`: bad or waits. `rule`: of the page where one acts on it; no link for who may not open it."""

    kind: str
    zh: str
    en: str
    rule: str

    @property
    def href(self) -> str | None:
        open_to = any(one.url == f"/console{self.rule}" and has_role(here.official(), one.roles) for one in DECLARED)
        return f"/console{self.rule}" if open_to else None


@page("/", title=("总览", "Overview"), topic=Topic.OVERVIEW, roles=EVERYONE, menu=("总览", "Overview"))
def overview() -> Response:
    days = _days(request.args.get("days", ""))
    city, chosen = here.city(), _chosen(request.args.get("district", ""))
    district = here.district() or chosen
    today = civil_date(milliseconds(now()))
    period, first, end = span_of(days, today)
    with read(city) as connection:
        time = queries.by_time(connection, city, period, (first, end), district)
        facets = {} if district else queries.of_span(connection, city, days)
        outlooks = [] if district else queries.outlooks(connection, city)
        alerts = list(_alerts(connection, city, outlooks, today, now())) if not district else []
        names = {code: (zh, en) for code, zh, en in certificates.scheme_names(connection)}
        shops = [one for one in facets.get(Facet.STORE, ()) if one.key][:SHOPS_SHOWN]
        places = retailers.district_places(connection, city) if facets else []
        shop_names = retailers.names_of(connection, city, {one.key for one in shops})
    targets = [] if chosen else [one for one in shown_of(city) if not one.one.withdrawn]
    return render(
        "overview/overview.html",
        targets=[one for one in targets if not one.is_past][:TARGETS_SHOWN],
        chosen=chosen,
        chosen_name=here.district_name(chosen) if chosen else None,
        counted=counted,
        days=days,
        spans=SPANS,
        by_month=period is Period.MONTH,
        time=time,
        whole_span=_sum(time),
        hours=sorted(facets.get(Facet.HOUR, ())),
        schemes=[(names.get(one.key, NO_SCHEME), one) for one in facets.get(Facet.SCHEME, ())],
        districts=tile_map(facets.get(Facet.DISTRICT, ()), places),
        shops=[(shop_names.get(one.key, one.key), one) for one in shops],
        outlooks=outlooks,
        opens_budgets=has_role(here.official(), SEES),
        alerts=[*alerts, *_of_targets(targets)],
        today=today,
    )


def _days(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and int(given) in SPANS else USUAL


def _chosen(given: str) -> str | None:
    """A district of the city that is looked at."""
    is_code = given.isascii() and given.isdigit() and len(given) == CODE_DIGITS
    return given if is_code and given.startswith(here.city()[:4]) else None


def _sum(rows: Sequence[DayTotal]) -> Total:
    return Total(
        "",
        sum(one.scans for one in rows),
        sum(one.awarded for one in rows),
        sum(one.points for one in rows),
        sum(one.fen for one in rows),
        sum(one.persons for one in rows),
    )


def _alerts(
    connection: Connection, city: str, outlooks: Sequence[BudgetOutlook], today: date, at: datetime
) -> Iterator[Alert]:
    """What an official acts on, the most pressing first; counts stop at a hundred."""
    yield from _of_budgets(outlooks, today)
    filed = [one.due_on for one in appeals.waiting(connection, city, limit=WAITING_MAX)]
    yield from _of_clocks(filed, ("申诉", "appeals"), "/cases/appeals", today)
    missed = [one.due_on for one in missing_points.waiting(connection, city, limit=WAITING_MAX)]
    yield from _of_clocks(missed, ("补记申请", "claims of missing points"), "/cases/slips", today)
    told = [one.due_on for one in cases.waiting(connection, city, limit=WAITING_MAX) if one.due_on is not None]
    yield from _of_clocks(told, ("举报", "reports"), "/cases/reports", today)
    held = len(rulings.held_scans(connection, city, limit=WAITING_MAX))
    if held:
        yield Alert(
            "waits", f"{_many(held)} 笔奖励待核查", f"{_many(held)} held awards wait for a ruling", "/cases/holds"
        )
    gone = fleet.absent(connection, city, at).gone
    if gone:
        yield Alert("waits", f"{gone} 台终端没有联网", f"{gone} tills are offline or silent", "/tills")
    holed = gaps.tills_with_gaps(connection, city, at - TOLD_FOR)
    if holed:
        yield Alert("bad", f"{holed} 台终端有购物篮一直没有收到", f"Baskets of {holed} tills never came", "/tills")
    yield from _of_registry(connection, at)


def _of_budgets(outlooks: Sequence[BudgetOutlook], today: date) -> Iterator[Alert]:
    for one in outlooks:
        if one.p90 is not None and one.p90 <= today + RUNS_OUT_SOON:
            zh = f"“{one.title_zh}”预算很可能在 {one.p90} 前用完"
            yield Alert("bad", zh, f"The budget of “{one.title_zh}” is likely spent by {one.p90}", "/budgets")


def _of_clocks(due: Sequence[date], words: Texts, rule: str, today: date) -> Iterator[Alert]:
    """What is to be answered by its day."""
    overdue = sum(day < today for day in due)
    zh, en = words
    if overdue:
        yield Alert("bad", f"{_many(overdue)} 件{zh}已超期", f"{_many(overdue)} {en} are overdue", rule)
    elif due:
        first = min(due)
        told = f"{_many(len(due))} 件{zh}待答复，最早 {first} 到期"
        yield Alert("waits", told, f"{_many(len(due))} {en} to answer, the first by {first}", rule)


def _of_registry(connection: Connection, at: datetime) -> Iterator[Alert]:
    newest = max((batch.imported_at for batch in certificates.last_imports(connection)), default=None)
    if newest is None:
        yield Alert(
            "bad", "登记库尚未导入任何名录", "Nothing has been imported into the registry yet", "/registry/imports"
        )
    elif at - newest > STALE:
        days = (at - newest).days
        yield Alert("waits", f"登记库已 {days} 天未更新", f"The registry is {days} days old", "/registry/imports")


def _of_targets(targets: Sequence[Shown]) -> Iterator[Alert]:
    untold = sum(one.is_untold for one in targets)
    if untold:
        yield Alert(
            "waits",
            f"{untold} 项政策目标已到期，尚未登记进展",
            f"{untold} targets are past their day, nothing entered",
            "/targets",
        )


def _many(count: int) -> str:
    return f"{WAITING_MAX}+" if count >= WAITING_MAX else str(count)
