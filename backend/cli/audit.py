from datetime import UTC, datetime

import click

from backend.cli.connection import database, json_option, json_text
from backend.cli.progress import progress
from backend.kernel.findings import Finding
from backend.kernel.periods import CHINA
from backend.usecases.replay_decisions import Wanted, replay_decisions
from backend.usecases.verify_ledger import all_cities


@click.group(help="审计：由留存事实重算核定 / decisions taken again from what was stored.")
def audit() -> None:
    pass


@audit.command()
@click.option("--city", default=None, metavar="CODE", help="城市代码，默认全部 / one city; every city by default.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    metavar="DATE",
    help="只重算自该日（中国时间）起的核定 / decisions taken from that civil day on.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="只抽约 N 项，整单抽取，每次不同 / about N of them, whole baskets, others each time.",
)
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    city: str | None,
    since: datetime | None,
    sample: int | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """由留存的事实、政策版本和证书版本重算核定，逐项比对 / takes decisions again and reports any difference.

    有任何不同时退出码为 1。

    Exit 1 when there is any.
    """
    began = datetime.now(UTC)
    wanted = Wanted(since.replace(tzinfo=CHINA) if since else None, sample, int(began.timestamp()))
    with database("greenpoints_auditor") as opened:
        with opened.read() as connection:
            cities = [city] if city else all_cities(connection)
        findings = []
        for one in cities:
            with progress(f"重算 {one}") as told:
                findings.append(replay_decisions(opened, one, wanted, told))
    if as_json:
        click.echo(json_text([_facts(one) for one in findings]))
    for finding in () if as_json else findings:
        _print(finding, (datetime.now(UTC) - began).total_seconds())
    if not findings and not as_json:
        click.echo("没有可重算的城市 / no city to replay")
    ctx.exit(1 if any(one.broken for one in findings) else 0)


def _print(finding: Finding, seconds: float) -> None:
    verdict = "全部一致 / all equal" if not finding.broken else f"✗ {finding.broken} 项不同 / differ"
    click.echo(f"{finding.city} 重算 {finding.checked} 项核定 / decisions replayed：{verdict}（{seconds:.1f} s）")
    for place, found in finding.breaks:
        click.echo(f"    {place}: {found}")


def _facts(finding: Finding) -> dict[str, object]:
    return {
        "city": finding.city,
        "replayed": finding.checked,
        "different": finding.broken,
        "differences": [one._asdict() for one in finding.breaks],
    }
