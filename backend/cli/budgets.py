"""Reports of what policies spend: who bears it, and until when it lasts."""

import zlib
from datetime import UTC, date, datetime, timedelta

import click

from backend.cli.connection import city_option, database, json_option, json_text
from backend.kernel.periods import CHINA
from backend.policies.words import amount_words
from backend.storage.stream import snapshot
from backend.usecases.forecast_budgets import BudgetForecast, forecast_budgets
from backend.usecases.report_funding import FundingReport, report_funding

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@city_option
@click.option("--from", "first", type=DAY, required=True, metavar="DATE", help="第一天 / first civil day.")
@click.option(
    "--to", "last", type=DAY, required=True, metavar="DATE", help="最后一天（含） / last civil day, included."
)
@json_option
@click.pass_context
def funding(ctx: click.Context, city: str, first: datetime, last: datetime, as_json: bool) -> None:  # noqa: FBT001
    """各级资金分担：每笔奖励按其政策版本的比例分摊，减去退货收回，合计与账本相等 / who bears the awards.

    与账本不等时退出码为 1。

    Every award is parted by its version's shares, less what came back; exit 1 when the sum is not the ledger's.
    """
    since, until = first.replace(tzinfo=CHINA), last.replace(tzinfo=CHINA) + timedelta(days=1)
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        snapshot(connection)
        report = report_funding(connection, city, since, until)
    if as_json:
        facts = {
            **report._asdict(),
            "borne": [one._asdict() | {"net": one.net} for one in report.borne],
            "equal": report.equal,
        }
        click.echo(json_text(facts))
    else:
        _print_funding(report)
    ctx.exit(0 if report.equal else 1)


@click.command("forecast")
@city_option
@json_option
def forecast_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """预计预算何时用完：按近 28 天同一星期几的支出重抽 200 次 / when budgets run out.

    P50、P90 为半数、九成推演中预算已用完的日期；同一天内重算结果相同。

    By past days drawn again by weekday; the same on the same day.
    """
    now = datetime.now(UTC)
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        snapshot(connection)
        found = forecast_budgets(connection, city, now, seed=seed_of(city, now.astimezone(CHINA).date()))
    if as_json:
        click.echo(json_text([{**one._asdict(), "forecast": one.forecast._asdict()} for one in found]))
        return
    for one in found:
        _print_forecast(one)


def seed_of(city: str, today: date) -> int:
    """Anybody who asks on one day gets one answer."""
    return zlib.crc32(f"{city} {today}".encode())


def _print_funding(report: FundingReport) -> None:
    for one in report.borne:
        amount = amount_words(one.unit, one.amount)
        back = f"，退货收回 {amount_words(one.unit, one.returned).zh}，净额 {amount_words(one.unit, one.net).zh}"
        said = f"{amount.zh}（{one.awards} 笔奖励 / awards）{back if one.returned else ''}"
        click.echo(f"{one.policy}  {one.name_zh} / {one.name_en}  {said}")
    for unit, total in report.posted.items():
        parted = report.parted.get(unit, 0)
        equal = "与账本相等 / as posted" if parted == total else "与账本不等 / NOT as posted"
        click.echo(f"合计 / total  {amount_words(unit, parted).zh}  {equal}")
    if not report.posted:
        click.echo("这些天没有奖励和退货 / neither awards nor returns on these days")


def _print_forecast(one: BudgetForecast) -> None:
    found = one.forecast
    left, daily = amount_words(one.unit, one.left), amount_words(one.unit, found.daily)
    ends = f"预计 {found.p50} 用完（P50），九成把握不晚于 {found.p90 or '政策结束'}（P90）"
    if found.p50 is None:
        ends = f"预计到 {found.until} 不会用完 / lasts"
    click.echo(f"{one.policy} {one.title_zh}：剩余 {left.zh}，日均 {daily.zh}；{ends}")
