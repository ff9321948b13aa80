"""A retailer's own system reads its statements, confirms or disputes them line by line, and says what it prepaid."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import marshmallow as ma
from flask import Response, stream_with_context

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.scans.model import READS_MAX
from backend.settlements import queries
from backend.settlements.clock import Standing
from backend.settlements.files import statement_file
from backend.settlements.model import LineKey, Said, StatementUnknown
from backend.settlements.queries import Line, Statement
from backend.usecases.dispute_statement import confirm_statement, dispute_line
from backend.usecases.export_tables import note_fetched
from backend.usecases.prepay_subsidy import LINES_MAX, Prepaid, prepay_subsidy
from backend.web.auth import Access
from backend.web.context import backend, note, now, request_id, service
from backend.web.endpoint import answer, endpoint
from backend.web.pos.routes import pos
from backend.web.schemas import Body, City, Text, Whole
from backend.web.shops import own

PAGE = 100
_SEEN = r"[!-~]+"
MONTH = "<string(length=7):month>"


class StatementLinesQuery(Body):
    after = Whole(
        0, 2**31 - 1, load_default=0, metadata={"description": "上一页最后的行号 / last line of the page before"}
    )


class LineDisputeBody(Body):
    reason = Text(1, 500, required=True)


class PrepaidLineBody(Body):
    basket = ma.fields.UUID(required=True, metadata={"description": "销售的编号 / the sale's id"})
    line_no = Whole(0, READS_MAX - 1, required=True)


class PrepaidBody(Body):
    prepayment_id = Text(
        1, 64, pattern=_SEEN, required=True, metadata={"description": "本店自编，重发时不变 / the shop's own"}
    )
    city = City(required=True)
    store = Text(1, 64, required=True)
    lines = ma.fields.List(
        ma.fields.Nested(PrepaidLineBody),
        required=True,
        validate=ma.validate.Length(1, LINES_MAX, error=f"须为 1-{LINES_MAX} 行|Between 1 and {LINES_MAX} lines."),
    )


class ClaimClockSchema(ma.Schema):
    stage = ma.fields.String(required=True, metadata={"enum": ["accept", "review", "pay"]})
    due_at = ma.fields.DateTime(required=True)
    overdue = ma.fields.Boolean(required=True)


class ShopStatementSchema(ma.Schema):
    month = ma.fields.String(required=True)
    lines = ma.fields.Integer(required=True)
    fee_fen = ma.fields.Integer(required=True)
    subsidy_fen = ma.fields.Integer(required=True)
    paid_fen = ma.fields.Integer(required=True)
    dispute_until = ma.fields.DateTime(required=True)
    confirmed = ma.fields.Boolean(required=True)
    clock = ma.fields.Nested(ClaimClockSchema, required=True, allow_none=True)


class ShopStatementsSchema(ma.Schema):
    retailer = ma.fields.String(required=True)
    statements = ma.fields.List(ma.fields.Nested(ShopStatementSchema), required=True)


class ShopStatementLineSchema(ma.Schema):
    line_no = ma.fields.Integer(required=True)
    store = ma.fields.String(required=True)
    unit = ma.fields.String(required=True, metadata={"enum": ["fee", "fen"]})
    cause = ma.fields.String(required=True)
    amount_fen = ma.fields.Integer(required=True)
    recorded_at = ma.fields.DateTime(required=True)
    reference = ma.fields.String(required=True)
    basket = ma.fields.String(required=True, allow_none=True)
    sale_line = ma.fields.Integer(required=True, allow_none=True)
    slip_no = ma.fields.String(required=True, allow_none=True)
    state = ma.fields.String(required=True)
    state_zh = ma.fields.String(required=True)
    dispute = ma.fields.String(required=True, allow_none=True)
    ruling = ma.fields.String(required=True, allow_none=True)
    explanation = ma.fields.String(required=True, allow_none=True)
    clock = ma.fields.Nested(ClaimClockSchema, required=True, allow_none=True)


class ShopStatementLinesSchema(ma.Schema):
    statement = ma.fields.Nested(ShopStatementSchema, required=True)
    lines = ma.fields.List(ma.fields.Nested(ShopStatementLineSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "交给 after / hand it to after"})


class StatementConfirmedSchema(ma.Schema):
    month = ma.fields.String(required=True)
    confirmed = ma.fields.Boolean(required=True)


class LineDisputedSchema(ma.Schema):
    month = ma.fields.String(required=True)
    line_no = ma.fields.Integer(required=True)


class PrepaidSchema(ma.Schema):
    reference = ma.fields.String(required=True)
    amount_fen = ma.fields.Integer(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


@endpoint(pos, "/statements", access=Access.SHOP, answers={200: ShopStatementsSchema()})
def statements() -> Response:
    """本商户的对账单 / the retailer's statements, the newest first, with the clock of each."""
    city, retailer = own()
    with backend().database.read() as connection:
        found = queries.statements_of_retailer(connection, city, retailer, limit=PAGE)
    return answer({"retailer": retailer, "statements": [_statement(one) for one in found]})


@endpoint(
    pos,
    f"/statements/{MONTH}",
    access=Access.SHOP,
    query=StatementLinesQuery(),
    answers={200: ShopStatementLinesSchema()},
)
def statement(query: dict[str, Any], month: str) -> Response:
    """一份对账单的各行 / the lines of a statement, a hundred at a time, each with its receipt and its clock."""
    city, retailer = own()
    with backend().database.read() as connection:
        head = queries.statement(connection, city, month, retailer)
        if head is None:
            raise StatementUnknown(month=month, retailer=retailer)
        rows = queries.lines(connection, city, month, retailer, after=query["after"], limit=PAGE + 1)
    further = rows[PAGE - 1].receipt.line_no if len(rows) > PAGE else None
    lines = [_line(one, head) for one in rows[:PAGE]]
    return answer({"statement": _statement(head), "lines": lines, "next": further})


@endpoint(pos, f"/statements/{MONTH}/file", access=Access.SHOP, answers={200: ma.Schema()}, besides={200: "text/csv"})
def statement_csv(month: str) -> Response:
    """对账单的 CSV，与本店小票相符到分 / the statement as CSV, that matches the shop's own receipts to the fen."""
    city, retailer = own()
    with backend().database.read() as connection:
        head = queries.statement(connection, city, month, retailer)
    if head is None:
        raise StatementUnknown(month=month, retailer=retailer)
    with _acting():
        note_fetched(backend().database, city, "statement", f"{month}/{retailer}", now())
    at = now()

    def pieces() -> Iterator[str]:
        with backend().database.read() as connection:
            lines = queries.all_lines(connection, city, month, retailer)
            yield from statement_file((one.receipt, one.standing(head, at).zh) for one in lines)

    return Response(stream_with_context(pieces()), content_type="text/csv; charset=utf-8")


@endpoint(
    pos, f"/statements/{MONTH}/confirm", method="POST", access=Access.SHOP, answers={200: StatementConfirmedSchema()}
)
def confirm(month: str) -> Response:
    """确认对账单 / every line that is not disputed may be paid. Sent again it changes nothing."""
    city, retailer = own()
    with _acting():
        confirm_statement(backend().database, city, month, retailer, service().name, now())
    note(month=month)
    return answer({"month": month, "confirmed": True})


@endpoint(
    pos,
    f"/statements/{MONTH}/lines/<int:line_no>/dispute",
    method="POST",
    access=Access.SHOP,
    body=LineDisputeBody(),
    answers={201: LineDisputedSchema()},
)
def dispute(body: dict[str, Any], month: str, line_no: int) -> Response:
    """对一行提出异议 / the line is not paid before somebody ruled on it."""
    city, retailer = own()
    with _acting():
        said = Said(service().name, body["reason"])
        dispute_line(backend().database, city, LineKey(month, retailer, line_no), said, now())
    note(month=month, line_no=line_no)
    return answer({"month": month, "line_no": line_no}, 201)


@endpoint(
    pos,
    "/prepayments",
    method="POST",
    access=Access.SHOP,
    body=PrepaidBody(),
    answers={201: PrepaidSchema(), 200: PrepaidSchema()},
)
def prepay(body: dict[str, Any]) -> Response:
    """本店已垫付补贴 / the shop took these lines' subsidies off what its customer paid, and is owed them.

    201 为首次登记；相同编号重发为 200。列入下一份对账单。
    201 when it is entered, 200 when it is sent again. It stands on the next statement.
    """
    lines = tuple(sorted({(str(line["basket"]), line["line_no"]) for line in body["lines"]}))
    given = Prepaid(body["city"], body["store"], body["prepayment_id"], service().name, lines)
    owed = prepay_subsidy(backend().database, given, now())
    note(prepayment=owed.prepayment, new=owed.new)
    yuan = f"{owed.amount_fen // 100}.{owed.amount_fen % 100:02d}"
    said = {
        "sentence": f"已登记垫付 {yuan} 元，列入下一份对账单。",
        "sentence_en": f"Entered: CNY {yuan}, on the next statement.",
    }
    return answer({"reference": owed.prepayment, "amount_fen": owed.amount_fen, **said}, 201 if owed.new else 200)


@contextmanager
def _acting() -> Iterator[None]:
    with acting(Actor(f"service:{service().name}", "retailer", request_id())):
        yield


def _statement(one: Statement) -> dict[str, object]:
    return {
        "month": one.month,
        "lines": one.lines,
        "fee_fen": one.fee_fen,
        "subsidy_fen": one.subsidy_fen,
        "paid_fen": one.paid_fen,
        "dispute_until": one.dispute_until,
        "confirmed": one.confirmed(now()),
        "clock": _clock(one.clock(now())),
    }


def _line(one: Line, head: Statement) -> dict[str, object]:
    it, words = one.receipt, one.standing(head, now())
    names = ("line_no", "store", "unit", "cause", "recorded_at", "reference", "basket", "sale_line", "slip_no")
    return {
        **{name: getattr(it, name) for name in names},
        "amount_fen": it.amount,
        "state": words.en,
        "state_zh": words.zh,
        "dispute": one.dispute,
        "ruling": one.ruling if one.ruling == "stands" or one.approved_by else None,
        "explanation": one.explanation if one.ruling == "stands" or one.approved_by else None,
        "clock": _clock(one.clock(head, now())),
    }


def _clock(clock: Standing | None) -> dict[str, object] | None:
    return None if clock is None else {"stage": clock.stage.value, "due_at": clock.due_at, "overdue": clock.overdue}
