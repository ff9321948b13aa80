from datetime import UTC, datetime

import click

from backend.cli.catalogue import reason_option, told
from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.redemptions import queries
from backend.redemptions.model import Approved
from backend.usecases.release_redemption import void_redemption

LISTED_MAX = 1_000


@click.group(help="兑换：查看、作废 / what residents redeemed.")
def redemptions() -> None:
    pass


@redemptions.command("list")
@city_option
@click.option("--limit", type=click.IntRange(1, LISTED_MAX), default=100, help="最多列出几条 / at most.")
@json_option
def list_(city: str, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出最近的兑换 / the newest first."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.recent(connection, city, limit=limit)
    if as_json:
        click.echo(json_text([one._asdict() for one in found]))
        return
    for one in found:
        voucher = "" if one.voucher_state is None else f"  券 {one.voucher_state}"
        reason = "" if one.void_reason is None else f"  {one.void_reason}"
        click.echo(
            f"{one.redemption}  {moment(one.held_at)}  {one.title_zh} ×{one.pieces}  {one.points} 分  {one.state}"
            f"{voucher}{reason}"
        )


@redemptions.command()
@click.argument("redemption", type=click.UUID)
@city_option
@reason_option
@by_option
@click.option("--approved-by", required=True, help="复核人，不得是经办人 / the second person, who is another.")
def void(redemption: object, city: str, reason: str, by: str | None, approved_by: str) -> None:
    """作废已完成但未能提供的兑换：积分退回原批次 / undoes what was confirmed and not received.

    须由两个人；已使用的券不能作废。

    It takes two people; a voucher that was used stays used.
    """
    approved = Approved(operator(by), approved_by.strip(), told(reason))
    with database() as opened:
        void_redemption(opened, city, str(redemption), approved, datetime.now(UTC))
    click.echo(f"{redemption}：已作废，积分退回原批次 / voided")
