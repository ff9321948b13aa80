from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.ids import new_id
from backend.settlements import queries
from backend.settlements.files import CAUSES, UNITS, statement_file, yuan
from backend.settlements.model import Booked, Cause, LineKey, Ruled, Ruling, Said, StatementUnknown, Terms
from backend.settlements.queries import Line, Statement
from backend.settlements.words import STAGES
from backend.usecases import pay_settlements
from backend.usecases.close_settlement import close_settlement, set_terms
from backend.usecases.dispute_statement import approve_correction, confirm_statement, dispute_line, rule_on_dispute
from backend.usecases.overdue_claims import Overdue, overdue_claims

READER = "greenpoints_auditor"
month_option = click.option("--month", required=True, metavar="YYYY-MM", help="月份，如 2026-11 / the month.")
retailer_option = click.option("--retailer", required=True, help="商户 / the retailer.")
line_option = click.option(
    "--line", "line_no", required=True, type=click.IntRange(1), help="行号 / number of the line."
)
reason_option = click.option("--reason", required=True, help="理由 / why.")


@click.group(help="与商户结算：结账、对账单、异议、付款 / settlement with shops.")
def settlements() -> None:
    pass


@settlements.command()
@city_option
@month_option
@by_option
def close(city: str, month: str, by: str | None) -> None:
    """结账：截至月末应付门店的各笔列入对账单，不再改变 / freezes what shops are owed by the end of a month.

    重复执行不会改变；月末之后入账的（包括退货）列入下一份。

    The same again changes nothing; what is recorded later, returns too, goes to the next one.
    """
    with database() as opened:
        done = close_settlement(opened, city, month, operator(by), datetime.now(UTC))
    verb = "已结账" if done.new else "此前已结账"
    click.echo(
        f"{month} {verb}：{done.statements} 份对账单，{done.lines} 行 / {done.statements} statements, {done.lines} lines"
    )


@settlements.command("list")
@city_option
@click.option(
    "--month", default=None, metavar="YYYY-MM", help="月份，默认最近结账的 / the last that was closed by default."
)
@click.option("--overdue", is_flag=True, help="只列逾期的 / only what is late.")
@json_option
def list_(city: str, month: str | None, overdue: bool, as_json: bool) -> None:  # noqa: FBT001
    """列出一个月的对账单，或逾期的款项 / statements of a month, or claims whose clock ran out."""
    now = datetime.now(UTC)
    with database(READER) as opened, opened.read() as connection:
        if overdue:
            _print_overdue(overdue_claims(connection, city, now), as_json=as_json)
            return
        wanted = month or next((one.month for one in queries.months(connection, city)), "")
        found = queries.statements_of_month(connection, city, wanted)
    _print_or_json([one._asdict() for one in found], as_json=as_json)
    for one in () if as_json else found:
        click.echo(_line_of_statement(one, now))


@settlements.command()
@city_option
@month_option
@retailer_option
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写成 CSV 文件 / as a CSV file.")
@json_option
def statement(city: str, month: str, retailer: str, out: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """一份对账单：每行一笔，附原始小票和所处环节 / a statement, one line for each claim with its receipt."""
    now = datetime.now(UTC)
    with database(READER) as opened, opened.read() as connection:
        head = queries.statement(connection, city, month, retailer)
        if head is None:
            raise StatementUnknown(month=month, retailer=retailer)
        lines = queries.all_lines(connection, city, month, retailer)
        if out is not None:
            pieces = statement_file((one.receipt, one.standing(head, now).zh) for one in lines)
            with out.open("w", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
        elif as_json:
            facts = [one._asdict() | {"receipt": one.receipt._asdict()} for one in lines]
            click.echo(json_text(head._asdict() | {"claims": facts}))
        else:
            for one in lines:
                click.echo(_line_of_claim(one, head, now))
    click.echo(_line_of_statement(head, now), err=True)


@settlements.command()
@city_option
@month_option
@retailer_option
@by_option
def confirm(city: str, month: str, retailer: str, by: str | None) -> None:
    """商户确认对账单：没有异议的各行可以拨付 / every line that is not disputed may be paid."""
    with database() as opened:
        new = confirm_statement(opened, city, month, retailer, operator(by), datetime.now(UTC))
    click.echo(f"{month} {retailer}：{'已确认 / confirmed' if new else '此前已确认 / confirmed before'}")


@settlements.command()
@city_option
@month_option
@retailer_option
@line_option
@reason_option
@by_option
def dispute(city: str, month: str, retailer: str, line_no: int, reason: str, by: str | None) -> None:
    """对一行提出异议，裁定之前不拨付 / a line is not paid before somebody ruled on it."""
    with database() as opened:
        dispute_line(opened, city, LineKey(month, retailer, line_no), Said(operator(by), reason), datetime.now(UTC))
    click.echo(f"{month} {retailer} 第 {line_no} 行：已记录异议 / disputed")


@settlements.command()
@city_option
@month_option
@retailer_option
@line_option
@click.option(
    "--ruling",
    required=True,
    type=click.Choice(["stands", "correct", "approve"]),
    help="维持、更正，或复核他人提出的更正 / it stands, is corrected, or another's correction is approved.",
)
@click.option(
    "--difference",
    type=int,
    default=0,
    metavar="FEN",
    help="更正的差额（分），可为负；复核时写明所见的 / in fen, may be below 0; who approves says what is approved.",
)
@click.option("--explanation", default="", help="裁定说明 / what is said of it.")
@by_option
@click.option("--approved-by", default=None, help="复核人，不得是提出人 / the second person, who is another.")
def rule(
    city: str,
    month: str,
    retailer: str,
    line_no: int,
    ruling: str,
    difference: int,
    explanation: str,
    by: str | None,
    approved_by: str | None,
) -> None:
    """裁定异议：维持，或更正差额（须两人），差额列入下一份对账单 / a line stands, or its difference is posted by two people."""
    key, now = LineKey(month, retailer, line_no), datetime.now(UTC)
    with database() as opened:
        if ruling == "approve":
            approve_correction(opened, city, key, difference, operator(by), now)
            done = True
        else:
            ruled = Ruled(Ruling(ruling), difference, explanation, operator(by), approved_by)
            done = rule_on_dispute(opened, city, key, ruled, now)
    said = "已裁定 / ruled" if done else "更正已提出，待另一人复核 / proposed; another person must approve it"
    click.echo(f"{month} {retailer} 第 {line_no} 行：{said}")


@settlements.command("pay-file")
@city_option
@click.option(
    "--release", default=None, type=click.UUID, help="放行这份付款文件（另一人） / released by another person."
)
@click.option("--refuse", default=None, type=click.UUID, help="退回这份付款文件 / refused; its lines are free again.")
@click.option("--reason", default="", help="退回的理由 / why it is refused.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写入文件 / where the file is written.")
@by_option
def pay_file(city: str, release: object, refuse: object, reason: str, out: Path | None, by: str | None) -> None:
    """编制付款文件，或放行、退回一份 / prepares a payment file; --release and --refuse judge one.

    列入全部已确认、无异议、未暂缓的行；放行的人不得是编制人。

    It takes every line that is confirmed, not disputed and not held. Who prepared it does not release it.
    """
    now, who = datetime.now(UTC), operator(by)
    with database() as opened:
        if refuse is not None:
            pay_settlements.refuse_payment(opened, city, str(refuse), who, reason, now)
            click.echo(f"{refuse}：已退回 / refused")
            return
        if release is not None:
            made = pay_settlements.release_payment(opened, city, str(release), who, now)
        else:
            made = pay_settlements.prepare_payment(opened, city, new_id(), who, now)
    if out is not None:
        out.write_bytes(made.content)
    state = "已编制，待另一人放行 / prepared" if release is None else "已放行 / released"
    click.echo(f"{made.payment}：{state}，{len(made.payees)} 笔，共 {yuan(made.amount_fen)} 元")
    click.echo(f"sha256 {made.sha256.hex()}")


@settlements.command()
@click.argument("payment", type=click.UUID)
@city_option
@click.option("--paid-on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="银行付款日 / the bank's day.")
@click.option("--bank-reference", required=True, help="银行流水号 / the bank's reference.")
@by_option
def paid(payment: object, city: str, paid_on: datetime, bank_reference: str, by: str | None) -> None:
    """登记银行已付：从各门店账户转出 / books what the bank paid, out of the shops' accounts."""
    booked = Booked(paid_on.date().isoformat(), bank_reference, operator(by))
    with database() as opened:
        new = pay_settlements.book_payment(opened, city, str(payment), booked, datetime.now(UTC))
    click.echo(f"{payment}：{'已入账 / booked' if new else '此前已入账 / booked before'}")


@settlements.command()
@city_option
@click.option("--dispute-days", type=int, default=None, help="商户异议天数 / days to dispute.")
@click.option("--accept-days", type=int, default=None, help="受理（结账）天数 / days to close.")
@click.option("--review-days", type=int, default=None, help="审核天数 / days to review.")
@click.option("--pay-days", type=int, default=None, help="拨付天数 / days to pay.")
@by_option
def terms(city: str, by: str | None, **days: int | None) -> None:
    """查看或更改期限，自下次结账起适用 / shows or sets the days; they hold from the next close on."""
    given = {name: value for name, value in days.items() if value is not None}
    with database() as opened:
        with opened.read() as connection:
            found = queries.terms(connection, city)
        if given:
            found = Terms(**{**found._asdict(), **given})
            set_terms(opened, city, found, operator(by), datetime.now(UTC))
    click.echo(
        f"异议 {found.dispute_days} 天；自月末起受理 {found.accept_days}、审核 {found.review_days}、拨付 {found.pay_days} 天"
        f" / dispute {found.dispute_days}; accept {found.accept_days}, review {found.review_days}, pay {found.pay_days}"
    )


def _print_overdue(late: list[Overdue], *, as_json: bool) -> None:
    _print_or_json([one._asdict() for one in late], as_json=as_json)
    for one in () if as_json else late:
        words = STAGES[one.stage]
        click.echo(
            f"{one.month}  {one.retailer}  {one.lines} 行 {yuan(one.amount_fen)} 元"
            f"  {words.zh}应于 {moment(one.due_at)} 前完成 / {words.en} overdue"
        )


def _print_or_json(facts: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json_text(facts))
    elif not facts:
        click.echo("没有 / none", err=True)


def _line_of_statement(one: Statement, now: datetime) -> str:
    clock = one.clock(now)
    stage = (
        ""
        if clock is None
        else f"  {STAGES[clock.stage].zh}期限 {moment(clock.due_at)}{' 逾期 / overdue' if clock.overdue else ''}"
    )
    confirmed = (
        "已确认 / confirmed" if one.confirmed(now) else f"可异议至 / may be disputed until {moment(one.dispute_until)}"
    )
    return (
        f"{one.month}  {one.retailer}  {one.lines} 行，{yuan(one.amount_fen)} 元（手续费 {yuan(one.fee_fen)}，"
        f"垫付 {yuan(one.subsidy_fen)}），已付 {yuan(one.paid_fen)} 元  {confirmed}{stage}"
    )


def _line_of_claim(one: Line, head: Statement, now: datetime) -> str:
    it, words = one.receipt, one.standing(head, now)
    sale = "" if it.basket is None else f"  单 {it.basket} 行 {it.sale_line}"
    return (
        f"{it.line_no:>6}  {UNITS[it.unit]}  {CAUSES[Cause(it.cause)]}  {it.store}  {it.amount} 分"
        f"  {moment(it.recorded_at)}{sale}  {words.zh} / {words.en}"
    )
