from datetime import UTC, datetime

import click

from backend.certificates.cache import RegistryCache
from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.amounts import unit_price
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.policies.words import amount_words, yuan
from backend.scans.decide import Decision
from backend.scans.holds.rulings import FIRST, HELD_MAX, HeldScan, Said, held_scans
from backend.scans.sentences import OUTCOMES
from backend.storage.transaction import Database
from backend.usecases.rule_on_hold import REASON_MAX, Place, RuleOnHold

_REASONS = {
    "clock_uncertain": "收银设备时间不可信",
    "label_review": "标签需人工核对",
    "signal": "触发核查",
    "store_suspended": "门店停用期内",
}
basket_argument = click.argument("basket", type=click.UUID)
line_argument = click.argument("line_no", type=click.IntRange(0, 49))
reason_option = click.option("--reason", required=True, help="理由，记入档案 / why; kept on record.")


@click.group(help="待核查的扫码：查看、放行、不予奖励 / held scans.")
def holds() -> None:
    pass


@holds.command("list")
@city_option
@click.option("--after", default=FIRST, type=click.UUID, help="从此单之后列起，用于翻页 / baskets above this one.")
@click.option("--limit", type=click.IntRange(1, HELD_MAX), default=100, help="最多列出几条 / scans at most.")
@json_option
def list_(city: str, after: object, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出待核查的扫码 / scans that wait for a person."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = held_scans(connection, city, after=str(after), limit=limit)
    if as_json:
        click.echo(json_text([scan._asdict() for scan in found]))
        return
    for scan in found:
        click.echo(_line(scan))
    click.echo(f"{len(found)} 条待核查 / held", err=True)


@holds.command()
@basket_argument
@line_argument
@city_option
@reason_option
@by_option
@click.option(
    "--approved-by", default=None, help="复核人，超过单人权限时须有 / the second person, beyond one's own power."
)
@json_option
def release(
    basket: object,
    line_no: int,
    city: str,
    reason: str,
    by: str | None,
    approved_by: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """放行：按购买时的政策重新核定 / decides a held scan as if nothing had held it."""
    place, said = Place(str(basket), line_no), Said(operator(by), _told(reason))
    with database() as opened:
        _print(place, _ruling(opened).release(city, place, said, datetime.now(UTC), approved_by), as_json=as_json)


@holds.command()
@basket_argument
@line_argument
@city_option
@reason_option
@by_option
@json_option
def refuse(basket: object, line_no: int, city: str, reason: str, by: str | None, as_json: bool) -> None:  # noqa: FBT001
    """不予奖励 / refuses a held scan."""
    place, said = Place(str(basket), line_no), Said(operator(by), _told(reason))
    with database() as opened:
        _print(place, _ruling(opened).refuse(city, place, said, datetime.now(UTC)), as_json=as_json)


def _ruling(opened: Database) -> RuleOnHold:
    return RuleOnHold(opened, RegistryCache(), PolicyCache(chart.budget))


def _print(place: Place, decision: Decision, *, as_json: bool) -> None:
    if as_json:
        facts = {"outcome": decision.outcome, "reason": decision.reason, "unit": decision.unit, "award": decision.award}
        click.echo(json_text({**place._asdict(), "decision_no": decision.decision_no, **facts}))
        return
    earned = f"，{amount_words(decision.unit, decision.award).zh}" if decision.award else ""
    said_zh, said_en = OUTCOMES[decision.outcome]
    click.echo(f"第 {decision.decision_no} 次核定：{said_zh}（{decision.reason}）{earned} / {said_en}")


def _line(scan: HeldScan) -> str:
    would = f"，应得 {amount_words(scan.unit, scan.gross).zh}" if scan.gross else ""
    named = f"（{scan.limit_name}）" if scan.limit_name else ""
    return (
        f"{scan.basket} {scan.line_no}  {moment(scan.sold_at)}  {_REASONS.get(scan.reason, scan.reason)}{named}{would}  "
        f"{scan.category or ''}  {scan.store or ''} {scan.device} {scan.cashier or ''}{_compared(scan)}"
    )


def _compared(scan: HeldScan) -> str:
    """What watches compared with, where they did."""
    price = unit_price(scan.price_fen, scan.quantity)
    dear = (
        "" if scan.median_fen is None or price is None else f"  单价 {yuan(price)} 元，常见 {yuan(scan.median_fen)} 元"
    )
    return dear if scan.travel_kmh is None else f"{dear}  自另一门店赶到须时速 {scan.travel_kmh} 公里"


def _told(reason: str) -> str:
    if not 1 <= len(reason.strip()) <= REASON_MAX:
        raise click.BadParameter(f"1-{REASON_MAX} 字 / characters", param_hint="--reason")
    return reason.strip()
