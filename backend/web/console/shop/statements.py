"""A retailer's statements: read line by line with their clocks, disputed by line, confirmed as a whole; what it prepaid."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from flask import Response, request, stream_with_context

from backend.officials.model import STAFF
from backend.settlements import claims, queries
from backend.settlements.files import statement_file
from backend.settlements.model import (
    DisputeOver,
    DisputeRepeated,
    LineKey,
    LineUnknown,
    ReasonMissing,
    Said,
    StatementUnknown,
)
from backend.settlements.queries import Line, Statement
from backend.settlements.words import STAGES
from backend.usecases.dispute_statement import confirm_statement, dispute_line
from backend.usecases.export_tables import note_fetched
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, within
from backend.web.console.declare import Texts, Topic, page
from backend.web.console.money_words import until
from backend.web.console.places import number_of
from backend.web.console.settlements import CAUSE_NAMES
from backend.web.console.shop.rights import MANAGES, may_manage
from backend.web.console.shop.shops import own_shops
from backend.web.context import now
from backend.web.problems import PROBLEMS

ROWS = 50
MONTH_CHARS = 7
REASON_MAX = 500
STATEMENT = "/statements/<month>"


@page("/statements", title=("对账单", "Statements"), topic=Topic.STATEMENTS, roles=STAFF, menu=("对账单", "Statements"))
def statements_listed() -> Response:
    after = request.args.get("after", "")[:MONTH_CHARS]
    with read(here.city()) as connection:
        rows = queries.statements_of_retailer(connection, here.city(), here.retailer(), after=after, limit=ROWS + 1)
        terms = queries.terms(connection, here.city())
    return render(
        "shop/statements.html",
        rows=[(one, one.clock(now()), one.confirmed(now())) for one in rows[:ROWS]],
        after=after,
        further=rows[ROWS - 1].month if len(rows) > ROWS else None,
        terms=terms,
        stages=STAGES,
        until=until,
    )


@page(STATEMENT, title=("对账单", "Statement"), topic=Topic.STATEMENTS, roles=STAFF)
def statement_lines(month: str) -> Response:
    after = request.args.get("after", 0, type=int)
    head = _head(month)
    with read(here.city()) as connection:
        rows = queries.lines(connection, here.city(), month, here.retailer(), after=after, limit=ROWS + 1)
        shops = own_shops(connection)
    return render(
        "shop/statement.html",
        head=head,
        clock=head.clock(now()),
        confirmed=head.confirmed(now()),
        rows=[(one, one.standing(head, now()), one.clock(head, now())) for one in rows[:ROWS]],
        after=after,
        further=rows[ROWS - 1].receipt.line_no if len(rows) > ROWS else None,
        shops=shops,
        may_confirm=head.confirmed_at is None and may_manage(),
        stages=STAGES,
        until=until,
        cause_names=CAUSE_NAMES,
    )


@page(f"{STATEMENT}/confirm", title=("确认对账单", "Confirm"), topic=Topic.STATEMENTS, roles=MANAGES, step_up=True)
def statement_to_confirm(month: str) -> Response:
    return render("shop/confirm.html", head=_head(month), until=until)


@page(
    f"{STATEMENT}/confirm",
    title=("确认对账单", "Confirm"),
    topic=Topic.STATEMENTS,
    roles=MANAGES,
    method="POST",
    step_up=True,
)
def statement_confirmed(month: str) -> Response:
    confirm_statement(within(here.city()), here.city(), month, here.retailer(), _by(), now())
    return done(f"{here.home()}statements/{month}", "已确认对账单。", "The statement is confirmed.")


@page(f"{STATEMENT}/statement.csv", title=("下载对账单", "As CSV"), topic=Topic.STATEMENTS, roles=STAFF, step_up=True)
def statement_fetched(month: str) -> Response:
    """Sent as it is read, page by page, so that its size does not matter."""
    city, retailer, at = here.city(), here.retailer(), now()
    head = _head(month)
    note_fetched(within(city), city, "statement", f"{month}/{retailer}", at)

    def pieces() -> Iterator[str]:
        with read(city) as connection:
            lines = queries.all_lines(connection, city, month, retailer)
            yield from statement_file((one.receipt, one.standing(head, at).zh) for one in lines)

    response = Response(stream_with_context(pieces()), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="statement-{month}.csv"'
    return response


@page(f"{STATEMENT}/<int:line_no>", title=("对账单行", "Line of a statement"), topic=Topic.STATEMENTS, roles=STAFF)
def statement_line_shown(month: str, line_no: int) -> Response:
    return _line_page(month, line_no)


@page(
    f"{STATEMENT}/<int:line_no>/dispute",
    title=("提出异议", "Dispute"),
    topic=Topic.STATEMENTS,
    roles=MANAGES,
    method="POST",
)
def statement_line_disputed(month: str, line_no: int) -> Response:
    said = Said(_by(), request.form.get("reason", "")[:REASON_MAX])
    try:
        dispute_line(within(here.city()), here.city(), LineKey(month, here.retailer(), line_no), said, now())
    except (ReasonMissing, DisputeOver, DisputeRepeated) as refused:
        return _line_page(month, line_no, (refused.sentence_zh, refused.sentence_en), PROBLEMS[refused.code].status)
    return done(
        f"{here.home()}statements/{month}/{line_no}",
        "已提出异议，裁定之前该行不拨付。",
        "Disputed: the line is not paid before it is ruled on.",
    )


@page("/prepayments", title=("垫付补贴", "Prepaid"), topic=Topic.STATEMENTS, roles=STAFF, menu=("垫付补贴", "Prepaid"))
def prepayments_listed() -> Response:
    after = _after()
    with read(here.city()) as connection:
        rows = claims.prepaid(connection, here.city(), here.retailer(), now(), after=after, limit=ROWS + 1)
        shops = own_shops(connection)
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return render(
        "shop/prepayments.html",
        rows=rows[:ROWS],
        shops=shops,
        after=after,
        further=None
        if last is None
        else f"{last.given.recorded_at.isoformat()}~{last.given.prepayment}~{last.given.place}",
        stages=STAGES,
        until=until,
    )


def _line_page(month: str, line_no: int, refused: Texts | None = None, status: int = 200) -> Response:
    head = _head(month)
    one = _line(month, line_no)
    with read(here.city()) as connection:
        shops = own_shops(connection)
    return render(
        "shop/statement_line.html",
        status,
        head=head,
        one=one,
        it=one.receipt,
        shops=shops,
        standing=one.standing(head, now()),
        clock=one.clock(head, now()),
        ruled=one.ruling == "stands" or one.approved_by is not None,
        may_dispute=may_manage() and one.disputed_at is None and one.payment is None and not head.confirmed(now()),
        refused=refused,
        typed=request.form.get("reason", ""),
        stages=STAGES,
        until=until,
        cause_names=CAUSE_NAMES,
    )


def _line(month: str, line_no: int) -> Line:
    """Raises LineUnknown."""
    with read(here.city()) as connection:
        found = queries.lines(connection, here.city(), month, here.retailer(), after=line_no - 1, limit=1)
    if not found or found[0].receipt.line_no != line_no:
        raise LineUnknown(line_no=line_no)
    return found[0]


def _head(month: str) -> Statement:
    """Raises StatementUnknown."""
    with read(here.city()) as connection:
        head = queries.statement(connection, here.city(), month, here.retailer())
    if head is None:
        raise StatementUnknown(month=month, retailer=here.retailer())
    return head


def _by() -> str:
    return here.official().official


def _after() -> tuple[datetime, str, int] | None:
    """Where a page of prepayments goes on; from the start for what is no such place."""
    at, prepayment, place = [*request.args.get("after", "").split("~"), "", ""][:3]
    try:
        return datetime.fromisoformat(at), str(UUID(prepayment)), number_of(place)
    except ValueError:
        return None
