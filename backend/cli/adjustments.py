from datetime import UTC, datetime

import click

from backend.adjustments import queries
from backend.adjustments.model import CAUSE_NAMES, AdjustmentState, Cause, Proposed, Wanted
from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.ids import new_id
from backend.policies.words import amount_words
from backend.usecases.adjust_by_hand import approve_adjustment, propose_adjustment, refuse_adjustment

NOTHING_ALONE = 0
"""At the command line nobody's role is known: another person always approves."""


@click.group(help="人工调整：提出、由另一人复核 / adjustments by hand.")
def adjustments() -> None:
    pass


@adjustments.command()
@city_option
@click.option("--resident", type=click.UUID, default=None, help="居民编号，与 --store 二选一 / a resident.")
@click.option("--store", default=None, help="门店编号 / or a shop.")
@click.option("--unit", required=True, type=click.Choice(["points", "fen", "fee"]), help="计量单位 / unit.")
@click.option("--amount", required=True, type=int, help="数额，负数为扣减 / below zero it is taken.")
@click.option("--cause", required=True, type=click.Choice([one.value for one in Cause]), help="原因代码 / why.")
@click.option("--ticket", required=True, help="工单号 / the ticket.")
@click.option("--explanation", required=True, help="说明 / what is said of it.")
@by_option
def propose(
    city: str,
    resident: object,
    store: str | None,
    unit: str,
    amount: int,
    cause: str,
    ticket: str,
    explanation: str,
    by: str | None,
) -> None:
    """提出一笔调整，由另一人复核后入账 / proposed; posted once another person approves it."""
    whose = None if resident is None else str(resident)
    wanted = Wanted(whose, store, unit, amount, Cause(cause), ticket, explanation)
    adjustment = new_id()
    with database() as opened:
        proposed = Proposed(operator(by), NOTHING_ALONE)
        propose_adjustment(opened, city, adjustment, wanted, proposed, datetime.now(UTC))
    click.echo(f"{adjustment}：已提出，待另一人复核 / proposed; another person must approve it")


@adjustments.command()
@click.argument("adjustment", type=click.UUID)
@city_option
@by_option
def approve(adjustment: object, city: str, by: str | None) -> None:
    """复核并入账，不得是提出人 / approved and posted by another person."""
    with database() as opened:
        approve_adjustment(opened, city, str(adjustment), operator(by), datetime.now(UTC))
    click.echo(f"{adjustment}：已入账 / posted")


@adjustments.command()
@click.argument("adjustment", type=click.UUID)
@city_option
@by_option
def refuse(adjustment: object, city: str, by: str | None) -> None:
    """退回，不入账 / refused by another person; nothing is posted."""
    with database() as opened:
        refuse_adjustment(opened, city, str(adjustment), operator(by), datetime.now(UTC))
    click.echo(f"{adjustment}：已退回 / refused")


@adjustments.command("list")
@city_option
@click.option("--open", "open_only", is_flag=True, help="只列待复核的 / only those that wait.")
@json_option
def list_(city: str, open_only: bool, as_json: bool) -> None:  # noqa: FBT001
    """列出最近的调整 / the newest first."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.listed(connection, city, open_only=open_only)
    if as_json:
        click.echo(json_text([one._asdict() | {"wanted": one.wanted._asdict()} for one in found]))
        return
    states = {
        AdjustmentState.PROPOSED: "待复核 / proposed",
        AdjustmentState.POSTED: "已入账 / posted",
        AdjustmentState.REFUSED: "已退回 / refused",
    }
    for one in found:
        wanted = one.wanted
        sign = "-" if wanted.amount < 0 else "+"
        amount = amount_words(wanted.unit, abs(wanted.amount)).zh
        click.echo(
            f"{one.adjustment}  {moment(one.proposed_at)}  {wanted.resident or wanted.store}  {sign}{amount}"
            f"  {CAUSE_NAMES[wanted.cause][0]}  {wanted.ticket}  {states[one.state]}  {one.proposed_by}"
        )
