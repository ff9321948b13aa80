"""What the shop's customers were refused and why: counts by reason, and the latest lines with the sentence of each."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import Response, request

from backend.kernel.periods import civil_date, day_start_ms, instant, milliseconds
from backend.officials.model import STAFF
from backend.policies.model import Outcome
from backend.scans import queries
from backend.scans.explain import sentence
from backend.scans.sentences import SENTENCES
from backend.statistics import refusals
from backend.statistics.model import RefusedLine
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page
from backend.web.console.places import number_of
from backend.web.console.reason_words import outcome_name, reason_name
from backend.web.context import backend, now

ROWS = 50
SPANS = (30, 90)


@page("/refusals", title=("未奖励的销售", "Refused"), topic=Topic.SALES, roles=STAFF, menu=("未奖励的销售", "Refused"))
def refusals_shown() -> Response:
    days = 90 if request.args.get("days") == "90" else 30
    given = request.args.get("reason", "")
    reason = given if given in SENTENCES else None
    first = civil_date(milliseconds(now())) - timedelta(days=days - 1)
    city, retailer, after = here.city(), here.retailer(), _after()
    with read(city) as connection:
        counts = refusals.by_reason(connection, city, retailer, first)
        since = instant(day_start_ms(first))
        found = refusals.latest(connection, city, retailer, since, reason=reason, after=after, limit=ROWS + 1)
        page_of = found[:ROWS]
        scans = queries.decided_in(connection, city, sorted({line.basket for line in page_of})) if page_of else []
        policies = backend().policies.lookup(connection, city)
        until = refusals.counted_until(connection, city)
    decided = {(one.scan.decision.basket, one.scan.decision.line_no): one for one in scans}
    rows = [
        (one, sentence(one.scan, policies), outcome_name(one.scan.decision.reason))
        for line in page_of
        if (one := decided.get((line.basket, line.line_no))) is not None
        and one.scan.decision.outcome != Outcome.AWARDED
    ]
    return render(
        "shop/refusals.html",
        days=days,
        spans=SPANS,
        counts=[(one, reason_name(one.reason), outcome_name(one.reason)) for one in counts],
        all_lines=sum(one.lines for one in counts),
        reason=reason,
        reason_zh_en=None if reason is None else reason_name(reason),
        rows=rows,
        after=after,
        further=_place(found[ROWS - 1]) if len(found) > ROWS else None,
        until=until,
    )


def _place(line: RefusedLine) -> str:
    return f"{line.sold_at.isoformat()}~{line.basket}~{line.line_no}"


def _after() -> RefusedLine | None:
    """Where the list goes on; from the start for what is no such place."""
    at, basket, line_no = [*request.args.get("after", "").split("~"), "", ""][:3]
    try:
        return RefusedLine(datetime.fromisoformat(at), str(UUID(basket)), number_of(line_no))
    except ValueError:
        return None
