"""Settlement with retailers: months, statements, each line with its explanation, disputes and rulings."""

import re
import unicodedata
from collections.abc import Iterator
from functools import partial

from flask import Response, request, stream_with_context

from backend.ledger import queries as ledger
from backend.retailers import queries as shops
from backend.settlements import queries
from backend.settlements.clock import month_before
from backend.settlements.files import CAUSES, statement_file
from backend.settlements.model import (
    Claim,
    CorrectionInvalid,
    LineKey,
    LineUnknown,
    Ruled,
    Ruling,
    Said,
    StatementUnknown,
)
from backend.settlements.queries import Statement
from backend.settlements.reconciled import any_waits
from backend.settlements.words import STAGES
from backend.usecases.close_settlement import close_settlement
from backend.usecases.dispute_statement import (
    approve_correction,
    confirm_statement,
    dispute_line,
    rule_on_dispute,
)
from backend.usecases.export_tables import note_fetched
from backend.usecases.hold_claims import hold_claims, release_claims
from backend.usecases.overdue_claims import not_closed, overdue_statements
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.by_two import at_case
from backend.web.console.connection import read, within
from backend.web.console.declare import Texts, Topic, page
from backend.web.console.money_words import ACTS, CHARS_MAX, JUDGES, SEES, by, may_act, may_judge, until
from backend.web.context import now

ROWS = 50
HOME = "/console/settlements"
_FEN = re.compile(r"[+-]?[0-9]{1,12}")
CAUSE_NAMES = {
    "fee": ("手续费", "Handling fee"),
    "prepaid": ("垫付补贴", "Prepaid subsidy"),
    "voucher": ("券核销", "Voucher used"),
    "service": ("兑换核销", "Redeemed there"),
    "undone": ("兑换作废", "Redemption voided"),
    "return": ("退货收回", "Goods came back"),
    "correction": ("异议更正", "Correction"),
    "adjustment": ("人工调整", "Adjustment"),
}
assert CAUSE_NAMES.keys() == CAUSES.keys()


@page("/settlements", title=("商户结算", "Settlement"), topic=Topic.MONEY, roles=SEES, menu=("商户结算", "Settlement"))
def settlement_months() -> Response:
    after = request.args.get("after", "")[:CHARS_MAX]
    with read(here.city()) as connection:
        closed = queries.months(connection, here.city())
        month = request.args.get("month") or (closed[0].month if closed else "")
        rows = queries.statements_of_month(connection, here.city(), month, after=after, limit=ROWS + 1)
        late = overdue_statements(connection, here.city(), now())
        open_month = not_closed(connection, here.city(), now()) if any_waits(connection, here.city()) else None
        disputes = queries.open_disputes(connection, here.city(), limit=ROWS)
    return render(
        "money/settlements.html",
        closed=closed,
        month=month,
        rows=[(one, one.clock(now())) for one in rows[:ROWS]],
        after=after,
        further=rows[ROWS - 1].retailer if len(rows) > ROWS else None,
        late=late,
        open_month=open_month,
        disputes=disputes,
        stages=STAGES,
        until=until,
        due=month_before(now()) if may_act() else None,
        now=now(),
    )


@page(
    "/settlements/close",
    title=("结账", "Close a month"),
    topic=Topic.MONEY,
    roles=ACTS,
    method="POST",
    step_up=True,
)
def settlement_closed() -> Response:
    month = _typed("month")
    made = close_settlement(within(here.city()), here.city(), month, by(), now())
    return done(
        f"{HOME}?month={month}",
        f"{month} 已结账：{made.statements} 份对账单，{made.lines} 行。",
        f"{month} is closed: {made.statements} statements, {made.lines} lines.",
    )


@page("/statements/<month>/<path:retailer>", title=("对账单", "Statement"), topic=Topic.MONEY, roles=SEES)
def statement_page(month: str, retailer: str) -> Response:
    after = request.args.get("after", 0, type=int)
    with read(here.city()) as connection:
        head = queries.statement(connection, here.city(), month, retailer)
        if head is None:
            raise StatementUnknown(month=month, retailer=retailer)
        rows = queries.lines(connection, here.city(), month, retailer, after=after, limit=ROWS + 1)
        names = shops.names_of(connection, here.city(), {one.receipt.store for one in rows})
    return render(
        "money/statement.html",
        names=names,
        head=head,
        clock=head.clock(now()),
        stages=STAGES,
        until=until,
        confirmed=head.confirmed(now()),
        rows=[(one, one.standing(head, now()), one.clock(head, now())) for one in rows[:ROWS]],
        after=after,
        further=rows[ROWS - 1].receipt.line_no if len(rows) > ROWS else None,
        cause_names=CAUSE_NAMES,
        may_act=may_act(),
    )


@page(
    "/statement-files/<month>/<path:retailer>",
    title=("下载对账单", "Statement as CSV"),
    topic=Topic.MONEY,
    roles=SEES,
    step_up=True,
)
def statement_csv(month: str, retailer: str) -> Response:
    """Sent as it is read, page by page, so that its size does not matter."""
    city, at = here.city(), now()
    head = _head(month, retailer)
    note_fetched(within(city), city, "statement", f"{month}/{retailer}", at)

    def pieces() -> Iterator[str]:
        with read(city) as connection:
            lines = queries.all_lines(connection, city, month, retailer)
            yield from statement_file((one.receipt, one.standing(head, at).zh) for one in lines)

    response = Response(stream_with_context(pieces()), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="statement-{month}.csv"'
    return response


@page(
    "/statement-lines/<month>/<int:line_no>/<path:retailer>",
    title=("对账单行", "Line of a statement"),
    topic=Topic.MONEY,
    roles=SEES,
)
def statement_line(month: str, line_no: int, retailer: str) -> Response:
    return _line(LineKey(month, retailer, line_no))


@page(
    "/statement-acts/<any(confirm, dispute, rule, hold, release):act>/<month>/<int:line_no>/<path:retailer>",
    title=("办理对账单", "Deal with a statement"),
    topic=Topic.MONEY,
    roles=ACTS,
    method="POST",
    step_up=True,
)
def statement_dealt(act: str, month: str, line_no: int, retailer: str) -> Response:
    """Of a whole statement (line 0) it is confirmed; anything else is of one line."""
    key = LineKey(month, retailer, line_no)
    if act == "confirm":
        new = confirm_statement(within(here.city()), here.city(), month, retailer, by(), now())
        zh, en = (
            ("已代商户确认。", "Confirmed for the retailer.") if new else ("此前已确认。", "It was confirmed before.")
        )
        return done(f"/console/statements/{month}/{retailer}", zh, en)
    return at_case(lambda: _dealt(act, key), partial(_line, key))


@page(
    "/statement-acts/approve/<month>/<int:line_no>/<path:retailer>",
    title=("复核更正", "Approve a correction"),
    topic=Topic.MONEY,
    roles=JUDGES,
    method="POST",
    step_up=True,
)
def correction_approved(month: str, line_no: int, retailer: str) -> Response:
    key = LineKey(month, retailer, line_no)

    def approve() -> Response:
        approve_correction(within(here.city()), here.city(), key, _fen("seen"), by(), now())
        return done(_url(key), "已复核入账。", "Approved and posted.")

    return at_case(approve, partial(_line, key))


def _dealt(act: str, key: LineKey) -> Response:
    city, writer, said = here.city(), within(here.city()), _typed("reason")
    if act == "dispute":
        dispute_line(writer, city, key, Said(by(), said), now())
    elif act == "rule":
        difference = _fen("difference")
        ruling = Ruling.CORRECT if difference else Ruling.STANDS
        rule_on_dispute(writer, city, key, Ruled(ruling, difference, said, by(), None), now())
    else:
        claim = [_claim(key)]
        (hold_claims if act == "hold" else release_claims)(writer, city, claim, Said(by(), said), now())
    return done(_url(key), "已办理。", "Done.")


def _line(key: LineKey, refused: Texts | None = None, status: int = 200) -> Response:
    head = _head(key.month, key.retailer)
    with read(here.city()) as connection:
        found = queries.lines(connection, here.city(), key.month, key.retailer, after=key.line_no - 1, limit=1)
        if not found or found[0].receipt.line_no != key.line_no:
            raise LineUnknown(line_no=key.line_no)
        postings = ledger.posting(connection, here.city(), found[0].receipt.reference)
    return render(
        "money/line.html",
        status,
        head=head,
        one=found[0],
        it=found[0].receipt,
        standing=found[0].standing(head, now()),
        clock=found[0].clock(head, now()),
        stages=STAGES,
        until=until,
        cause_names=CAUSE_NAMES,
        postings=[one for one in postings if "shop:" in one.source or "shop:" in one.destination],
        may_dispute=may_act() and found[0].disputed_at is None and not head.confirmed(now()),
        may_act=may_act(),
        may_judge=may_judge() and found[0].ruled_by != by(),
        refused=refused,
        given=request.form,
    )


def _url(key: LineKey) -> str:
    return f"/console/statement-lines/{key.month}/{key.line_no}/{key.retailer}"


def _fen(name: str) -> int:
    """0 where nothing was typed: what is no whole number is never taken for that. Raises CorrectionInvalid."""
    typed = unicodedata.normalize("NFKC", _typed(name))
    if typed and not _FEN.fullmatch(typed):
        raise CorrectionInvalid
    return int(typed or 0)


def _claim(key: LineKey) -> Claim:
    with read(here.city()) as connection:
        found = queries.lines(connection, here.city(), key.month, key.retailer, after=key.line_no - 1, limit=1)
    if not found or found[0].receipt.line_no != key.line_no or found[0].receipt.basket is None:
        raise LineUnknown(line_no=key.line_no)
    return Claim(found[0].receipt.basket, found[0].receipt.sale_line or 0)


def _head(month: str, retailer: str) -> Statement:
    with read(here.city()) as connection:
        head = queries.statement(connection, here.city(), month, retailer)
    if head is None:
        raise StatementUnknown(month=month, retailer=retailer)
    return head


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:500]
