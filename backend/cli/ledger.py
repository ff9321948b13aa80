from datetime import UTC, datetime, timedelta

import click

from backend.checkpoints import queries as checkpoint_queries
from backend.cli.connection import city_option, database, json_option, json_text, moment
from backend.kernel.errors import DomainError
from backend.kernel.findings import Finding
from backend.ledger import queries
from backend.policies.words import amount_words
from backend.usecases.report_liability import liability_report
from backend.usecases.settle_due import settle_due
from backend.usecases.verify_ledger import Verified, all_cities, verify_ledger

INVARIANTS = {
    "I4": ("转账有效，各计量单位合计为零", "transfers are sound and each unit sums to zero"),
    "I5": ("账户余额等于其转账之和", "every balance is the sum of its transfers"),
    "I6": (
        "预算：结余＋预留＋已发＋收回＝拨付＝文件所载；已发＝持有＋已用＋过期",
        "budgets: left + reserved + spent + reclaimed = granted = documented; issued = held + used + expired",
    ),
    "I7": ("上限计数等于奖励之和且不超限", "caps: awards sum to the counter, within the cap"),
    "I8": ("奖励可由留存事实重算得到", "decisions replay from their stored facts"),
    "I9": ("扫码、核定、奖励、入账一一对应", "scans, decisions, awards and postings match one to one"),
    "I10": (
        "兑换：占用、使用、退回与入账相符，库存、限兑、券不超不漏",
        "redemptions: held, spent and given back as posted; stocks, limits and vouchers count the same",
    ),
    "I11": (
        "结算：每笔应付门店款列入一份对账单一次，拨付与账本相等，无一付两次",
        "settlement: every claim of a shop stands on one statement, payments equal the ledger, nothing is paid twice",
    ),
}

UNIT_NAMES = {
    "points": "积分 / points",
    "fen": "补贴 / subsidy money",
    "gco2e": "减碳量 / impact",
    "evidence": "信用凭据 / credit evidence",
    "fee": "门店手续费 / shops' handling fees",
}
LIABILITY = {
    "granted": ("拨付", "granted"),
    "in_budgets": ("预算结余", "in budgets"),
    "reserved": ("询价预留", "reserved for quotes"),
    "issued": ("已发", "issued"),
    "lapsed": ("未领退回", "lapsed"),
    "returned": ("退货收回", "taken back"),
    "outstanding": ("居民持有", "outstanding"),
    "pending": ("其中待生效", "of which pending"),
    "to_collect": ("其中待领取", "of which to collect"),
    "held": ("其中兑换占用", "of which held for redemptions"),
    "available": ("其中可用", "of which available"),
    "used": ("已用", "used"),
    "expired": ("过期", "expired"),
    "owed": ("居民欠账", "owed by residents"),
    "of_shops": ("应付门店", "due to shops"),
    "paid": ("已付门店", "paid to shops"),
}


class NoCheckpoint(DomainError):
    code = "no-checkpoint"
    text_zh = "该城市还没有已签署的检查点：请设置 GREENPOINTS_LEDGER_KEY_FILE，任务每十分钟签署一次。"
    text_en = "No checkpoint was signed for this city yet: set GREENPOINTS_LEDGER_KEY_FILE; a job signs one every ten minutes."


@click.group(help="账本：核对、查询、报表 / accounts and postings.")
def ledger() -> None:
    pass


@ledger.command()
@click.option("--city", default=None, metavar="CODE", help="城市代码，默认全部 / one city; every city by default.")
@click.option(
    "--replay-days",
    type=click.IntRange(1),
    default=None,
    help="只重算最近几天的核定 / replay only the decisions of the last days.",
)
@json_option
@click.pass_context
def verify(ctx: click.Context, city: str | None, replay_days: int | None, as_json: bool) -> None:  # noqa: FBT001
    """核对全部账目规则 / runs every invariant over one snapshot of each city.

    有任何一项不符时退出码为 1。

    Exit 1 when any is broken.
    """
    since = datetime.now(UTC) - timedelta(days=replay_days) if replay_days else None
    with database("greenpoints_auditor") as opened:
        verified = verify_ledger(opened, city, replay_since=since)
    if as_json:
        click.echo(json_text([_facts(one) for one in verified]))
    else:
        _print(verified)
    ctx.exit(0 if all(one.sound for one in verified) else 1)


@ledger.command()
@city_option
@click.option(
    "--prefix", default="", help="账户名的开头，如 budget: 或 resident:<编号>: / only accounts whose address begins so."
)
@click.option("--after", default="", help="从此账户之后列起，用于翻页 / only accounts after this address.")
@click.option(
    "--limit", type=click.IntRange(1, queries.ACCOUNTS_MAX), default=100, help="最多列出几个账户 / accounts at most."
)
@json_option
def balances(city: str, prefix: str, after: str, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出账户余额 / balances of accounts, in the order of their addresses."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = queries.accounts(connection, city, prefix=prefix, after=after, limit=limit)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        click.echo(f"{row.balance:>20}  {row.account}")
    click.echo(f"{len(rows)} 个账户 / accounts", err=True)


@ledger.command()
@city_option
def checkpoint(city: str) -> None:
    """打印最新的账本检查点，供审计方留存 / the newest checkpoint, for whoever keeps them outside."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = checkpoint_queries.checkpoints(connection, city)
    if not found:
        raise NoCheckpoint
    click.echo(found[0].note, nl=False)


@ledger.command()
@city_option
@json_option
def liability(city: str, as_json: bool) -> None:  # noqa: FBT001
    """负债表：已发、待生效、可用、已用、过期、结余 / issued, outstanding, used, expired, in budgets; equal to the ledger."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = queries.liability(connection, city)
    if as_json:
        click.echo(
            json_text([row._asdict() | {"outstanding": row.outstanding, "adds_up": row.adds_up} for row in rows])
        )
        return
    for row in rows:
        click.echo(f"{UNIT_NAMES[row.unit]}{'' if row.adds_up else ' ✗ 与账本不符 / does not add up'}")
        for name, (zh, en) in LIABILITY.items():
            click.echo(f"    {zh} {amount_words(row.unit, getattr(row, name)).zh} / {en}")


@ledger.command("liability-days")
@city_option
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="起日 / first day.")
@click.option("--to", "last", required=True, type=click.DateTime(["%Y-%m-%d"]), help="止日 / last day.")
@json_option
def liability_days(city: str, first: datetime, last: datetime, as_json: bool) -> None:  # noqa: FBT001
    """逐日负债表：发放、调整、使用、过期、退回、结余 / what was owed at the end of each day; equal to the ledger."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = liability_report(connection, city, first.date(), last.date(), datetime.now(UTC))
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    click.echo("日期,单位,发放,调整,使用,过期,退回,结余")
    for row in rows:
        click.echo(",".join(str(each) for each in row))


@ledger.command("settle-due")
@click.option("--city", default=None, metavar="CODE", help="城市代码，默认全部 / one city; every city by default.")
@json_option
def settle(city: str | None, as_json: bool) -> None:  # noqa: FBT001
    """到期处理：待生效的转为可用，逾期未领的退回，过期的清零 / release, lapse and expire what is due now."""
    now = datetime.now(UTC)
    with database() as opened:
        with opened.read() as connection:
            cities = [city] if city is not None else all_cities(connection)
        done = {one: settle_due(opened, one, now, lambda: False) for one in cities}
    if as_json:
        click.echo(json_text({one: settled._asdict() for one, settled in done.items()}))
        return
    for one, settled in done.items():
        click.echo(
            f"{one}：到期账户 {settled.accounts} 个，生效 {settled.released} 笔，退回 {settled.lapsed} 笔，"
            f"过期 {settled.expired} 笔，抵扣欠账 {settled.repaid} 笔"
            f" / {settled.accounts} accounts due: {settled.released} released, {settled.lapsed} lapsed,"
            f" {settled.expired} expired, {settled.repaid} repaid"
        )


@ledger.command()
@click.argument("reference", type=click.UUID)
@city_option
@json_option
@click.pass_context
def posting(ctx: click.Context, reference: object, city: str, as_json: bool) -> None:  # noqa: FBT001
    """查一笔入账的各项转账 / the transfers of one cause.

    REFERENCE 为一单或一个政策版本的编号；没有时退出码为 1。

    REFERENCE is a basket, or a policy version. Exit 1 when there are none.
    """
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = queries.posting(connection, city, str(reference))
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
    for row in () if as_json else rows:
        click.echo(
            f"{moment(row.recorded_at)}  {row.step}.{row.line}  {row.reason}  {row.amount} {row.unit}  "
            f"{row.source} -> {row.destination}"
        )
    if not rows:
        click.echo("没有这笔入账 / no such posting", err=True)
    ctx.exit(0 if rows else 1)


def _print(verified: list[Verified]) -> None:
    if not verified:
        click.echo("没有可核对的城市 / no city to verify")
    for one in verified:
        for finding in one.findings:
            click.echo(_line(finding))
            for place, found in finding.breaks:
                click.echo(f"    {place}: {found}")


def _line(finding: Finding) -> str:
    zh, en = INVARIANTS[finding.invariant]
    verdict = "✓" if not finding.broken else f"✗ {finding.broken} 处不符 / broken"
    return f"{finding.invariant} {finding.city} {zh} / {en}：核对 {finding.checked} 项 {verdict}"


def _facts(verified: Verified) -> dict[str, object]:
    return {
        "city": verified.city,
        "sound": verified.sound,
        "invariants": [
            {**finding._asdict(), "breaks": [one._asdict() for one in finding.breaks]} for finding in verified.findings
        ],
    }
