from datetime import UTC, datetime

import click

from backend.appeals import queries
from backend.appeals.model import Appeal, Verdict
from backend.certificates.cache import RegistryCache
from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.periods import CHINA
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.policies.words import amount_words
from backend.usecases.decide_appeal import DecideAppeal

LISTED_MAX = 1_000
EXPLANATION_MAX = 500


@click.group(help="申诉：查看、办结 / appeals of residents.")
def appeals() -> None:
    pass


@appeals.command("list")
@city_option
@click.option("--limit", type=click.IntRange(1, LISTED_MAX), default=100, help="最多列出几条 / at most.")
@json_option
def list_(city: str, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出待办的申诉，先到期的在前 / those that wait, the first due first."""
    today = datetime.now(UTC).astimezone(CHINA).date()
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.waiting(connection, city, limit=limit)
    if as_json:
        click.echo(json_text([one._asdict() | {"overdue": one.due_on < today} for one in found]))
        return
    for one in found:
        click.echo(_line(one) + ("  已逾期 / overdue" if one.due_on < today else ""))
    click.echo(f"{len(found)} 份待办 / waiting", err=True)


@appeals.command()
@click.argument("appeal", type=click.UUID)
@city_option
@click.option("--uphold/--reject", required=True, default=None, help="成立并重新核定，或驳回 / upheld, or not.")
@click.option("--explanation", required=True, help="给居民的说明 / what the resident is told.")
@by_option
@click.option(
    "--approved-by", default=None, help="复核人，超过单人权限时须有 / the second person, beyond one's own power."
)
def decide(
    appeal: object,
    city: str,
    uphold: bool,  # noqa: FBT001
    explanation: str,
    by: str | None,
    approved_by: str | None,
) -> None:
    """办结一份申诉 / decides an appeal.

    不得由原裁定的人办理；成立的按购买时的政策和现在的名录重新核定并入账。

    Not by whoever ruled before; what is upheld is decided again under the policy of its sale, and posted.
    """
    if not 1 <= len(explanation.strip()) <= EXPLANATION_MAX:
        raise click.BadParameter(f"1-{EXPLANATION_MAX} 字 / characters", param_hint="--explanation")
    verdict = Verdict(operator(by), approved_by, explanation.strip())
    with database() as opened:
        deciding, now = DecideAppeal(opened, RegistryCache(), PolicyCache(chart.budget)), datetime.now(UTC)
        if not uphold:
            deciding.reject(city, str(appeal), verdict, now)
            click.echo(f"{appeal}：已驳回 / rejected")
            return
        taken = deciding.uphold(city, str(appeal), verdict, now)
    for decision in taken.decisions:
        earned = amount_words(decision.unit or "", decision.award)
        click.echo(f"{appeal}：申诉成立，第 {decision.decision_no} 次核定，奖励 {earned.zh} / upheld, {earned.en}")


def _line(one: Appeal) -> str:
    return f"{one.appeal}  至 {one.due_on}  {moment(one.filed_at)}  {one.basket} {one.line_no}  {one.text}"
