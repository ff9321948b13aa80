"""Claims of missing points, for the officials who decide them."""

from datetime import UTC, datetime

import click

from backend.certificates.cache import RegistryCache
from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.periods import CHINA
from backend.ledger import chart
from backend.missing_points import queries
from backend.missing_points.model import TEXT_MAX, MissingClaim, MissingUnknown, MissingVerdict
from backend.policies.store import PolicyCache
from backend.policies.words import amount_words
from backend.scans import slip_search
from backend.usecases.decide_missing_points import DecideMissingPoints

LISTED_MAX = 1_000
SALES_MAX = 20

explanation_option = click.option("--explanation", required=True, help="给居民的说明 / what the resident is told.")


@click.group(help="补记积分：查看、办结 / claims of missing points.")
def missing() -> None:
    pass


@missing.command("list")
@city_option
@click.option("--limit", type=click.IntRange(1, LISTED_MAX), default=100, help="最多列出几条 / at most.")
@json_option
def list_(city: str, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出待办的补记申请，先到期的在前 / those that wait, the first due first."""
    today = datetime.now(UTC).astimezone(CHINA).date()
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.waiting(connection, city, limit=limit)
    if as_json:
        click.echo(json_text([_facts(one) | {"overdue": one.due_on < today} for one in found]))
        return
    for one in found:
        click.echo(_line(one) + ("  已逾期 / overdue" if one.due_on < today else ""))
    click.echo(f"{len(found)} 份待办 / waiting", err=True)


@missing.command()
@click.argument("claim", type=click.UUID)
@city_option
@json_option
def show(claim: object, city: str, as_json: bool) -> None:  # noqa: FBT001
    """一份申请，和当日该店可以补记的销售 / a claim, and the sales of that day that nobody has yet, the likeliest first."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        one = queries.find(connection, city, str(claim))
        if one is None:
            raise MissingUnknown
        sales = slip_search.of_day(
            connection, city, one.store, one.bought_on, slip_no=one.slip_no, amount_fen=one.amount_fen, limit=SALES_MAX
        )
    if as_json:
        click.echo(json_text(_facts(one) | {"sales": [sale._asdict() for sale in sales]}))
        return
    click.echo(_line(one))
    for sale in sales:
        total = amount_words("fen", sum(sale.prices_fen)).zh
        click.echo(f"  {sale.basket}  {moment(sale.sold_at)}  小票 {sale.slip_no or '—'}  {total}")


@missing.command()
@click.argument("claim", type=click.UUID)
@city_option
@click.option("--basket", required=True, type=click.UUID, help="所补记的销售 / the sale that is given.")
@explanation_option
@by_option
@click.option(
    "--approved-by", default=None, help="复核人，超过单人权限时须有 / the second person, beyond one's own power."
)
def grant(claim: object, city: str, basket: object, explanation: str, by: str | None, approved_by: str | None) -> None:
    """补记：按购买时的政策核定并入账 / gives the sale: decided under its policy, and posted."""
    verdict = _verdict(by, approved_by, explanation)
    with database() as opened:
        deciding = DecideMissingPoints(opened, RegistryCache(), PolicyCache(chart.budget))
        taken = deciding.grant(city, str(claim), str(basket), verdict, datetime.now(UTC))
    for decision in taken.decisions:
        earned = amount_words(decision.unit or "", decision.award)
        click.echo(f"{claim}：已补记第 {decision.line_no + 1} 行，奖励 {earned.zh} / credited, {earned.en}")


@missing.command()
@click.argument("claim", type=click.UUID)
@city_option
@explanation_option
@by_option
def reject(claim: object, city: str, explanation: str, by: str | None) -> None:
    """不予补记，说明理由；居民可申请由另一人复核一次 / not credited, and why; once another official may look again."""
    verdict = _verdict(by, None, explanation)
    with database() as opened:
        deciding = DecideMissingPoints(opened, RegistryCache(), PolicyCache(chart.budget))
        deciding.reject(city, str(claim), verdict, datetime.now(UTC))
    click.echo(f"{claim}：不予补记 / rejected")


def _verdict(by: str | None, approved_by: str | None, explanation: str) -> MissingVerdict:
    if not 1 <= len(explanation.strip()) <= TEXT_MAX:
        raise click.BadParameter(f"1-{TEXT_MAX} 字 / characters", param_hint="--explanation")
    return MissingVerdict(operator(by), approved_by, explanation.strip())


def _facts(one: MissingClaim) -> dict[str, object]:
    """Without who the resident is: the slip decides."""
    facts = one._asdict()
    del facts["resident"], facts["home"]
    return facts


def _line(one: MissingClaim) -> str:
    amount = amount_words("fen", one.amount_fen).zh
    why = f"  复核：{one.text}" if one.text else ""
    return f"{one.claim}  至 {one.due_on}  {one.store}  {one.bought_on}  小票 {one.slip_no}  {amount}{why}"
