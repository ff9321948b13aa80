import secrets
from datetime import UTC, datetime

import click

from backend.cases import queries, samples
from backend.cases.model import TEXT_MAX, Report, ReportOutcome, StepKind
from backend.cases.samples import Finding, Sample
from backend.cases.terms import SALT_BYTES, CaseTerms, terms_set
from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.periods import CHINA
from backend.policies.words import amount_words
from backend.scans.holds.rulings import Said
from backend.usecases.handle_report import Taken, take_step
from backend.usecases.review_sample import review_sample
from backend.usecases.set_case_terms import set_case_terms

reason_option = click.option("--reason", required=True, help="理由，记入档案 / why; kept on record.")


@click.group(help="案件：虚假标签举报、抽查 / reports of false labels, samples of awards.")
def cases() -> None:
    pass


@cases.command("list")
@city_option
@click.option("--limit", type=click.IntRange(1, queries.PAGE_MAX), default=100, help="最多列出几条 / at most.")
@json_option
def list_(city: str, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出待办的举报，先到期的在前 / reports that wait, the first due first."""
    today = datetime.now(UTC).astimezone(CHINA).date()
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.waiting(connection, city, limit=limit)
    if as_json:
        overdue = [one.due_on is not None and one.due_on < today for one in found]
        click.echo(json_text([one._asdict() | {"overdue": late} for one, late in zip(found, overdue, strict=True)]))
        return
    for one in found:
        click.echo(_line(one) + ("  已逾期 / overdue" if one.due_on and one.due_on < today else ""))
    click.echo(f"{len(found)} 份待办 / waiting", err=True)


@cases.command()
@click.argument("report", type=click.UUID)
@city_option
@click.option(
    "--step", type=click.Choice([kind.value for kind in StepKind]), required=True, help="步骤 / what is done."
)
@click.option("--outcome", type=click.Choice([one.value for one in ReportOutcome]), help="结论 / of a decision.")
@reason_option
@by_option
def step(report: object, city: str, step: str, outcome: str | None, reason: str, by: str | None) -> None:
    """处理一份举报：受理、抽样、证据、决定、结案 / takes one step in a report.

    决定的理由会告知举报人。

    The reason of a decision is what the reporter reads.
    """
    kind = StepKind(step)
    if (kind is StepKind.DECIDE) != (outcome is not None):
        raise click.BadParameter("作决定时必填，其他步骤不填 / of a decision alone", param_hint="--outcome")
    taken = Taken(kind, _told(reason), operator(by), None if outcome is None else ReportOutcome(outcome))
    with database() as opened:
        _, state = opened.write(lambda c: take_step(c, city, str(report), taken, datetime.now(UTC)))
    click.echo(f"{report}：{state.value}")


@cases.command()
@city_option
@click.option("--accept-days", type=click.IntRange(1, 120), default=7, help="受理期限，工作日 / working days.")
@click.option("--decide-days", type=click.IntRange(1, 120), default=15, help="办结期限，工作日 / working days.")
@click.option("--sample-bp", type=click.IntRange(0, 10_000), required=True, help="抽查比例，万分之几 / basis points.")
@reason_option
@by_option
def terms(city: str, accept_days: int, decide_days: int, sample_bp: int, reason: str, by: str | None) -> None:
    """设定办案期限与随机抽查比例 / sets the clocks, and the share of awards that is drawn."""
    given = CaseTerms(datetime.now(UTC), accept_days, decide_days, sample_bp, operator(by), _told(reason))
    with database() as opened:
        opened.write(lambda connection: set_case_terms(connection, city, given, secrets.token_bytes(SALT_BYTES)))
    click.echo(f"受理 {accept_days} 个工作日，办结 {decide_days} 个工作日，抽查万分之 {sample_bp} / set")


@cases.command("terms-set")
@city_option
@json_option
def terms_set_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出设定过的期限与比例，新的在前 / what was set, the latest first."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = terms_set(connection, city)
    if as_json:
        click.echo(json_text([one._asdict() for one in found]))
        return
    for one in found:
        click.echo(
            f"{moment(one.since)}  {one.accept_days}/{one.decide_days}  万分之 {one.sample_bp}  {one.by}  {one.reason}"
        )


@cases.command("samples")
@city_option
@click.option("--limit", type=click.IntRange(1, samples.PAGE_MAX), default=100, help="最多列出几条 / at most.")
@json_option
def samples_(city: str, limit: int, as_json: bool) -> None:  # noqa: FBT001
    """列出待核的抽查 / awards that were drawn and wait for a look."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = samples.waiting(connection, city, limit=limit)
    if as_json:
        click.echo(json_text([one._asdict() for one in found]))
        return
    for one in found:
        click.echo(_sample_line(one))
    click.echo(f"{len(found)} 笔待核 / waiting", err=True)


@cases.command()
@click.argument("basket", type=click.UUID)
@click.argument("line_no", type=click.IntRange(0, 49))
@city_option
@click.option("--right/--wrong", required=True, default=None, help="核对无误，或有误 / what was found.")
@reason_option
@by_option
def review(basket: object, line_no: int, city: str, right: bool, reason: str, by: str | None) -> None:  # noqa: FBT001
    """记录一笔抽查的结论 / what a look at a drawn award found."""
    finding = Finding.RIGHT if right else Finding.WRONG
    given = (finding, Said(operator(by), _told(reason)), datetime.now(UTC))
    with database() as opened:
        opened.write(lambda connection: review_sample(connection, city, (str(basket), line_no), *given))
    click.echo(f"{basket} {line_no}：{'无误' if right else '有误'} / {finding.value}")


def _line(one: Report) -> str:
    where = one.store or ""
    return f"{one.report}  {one.state.value}  至 {one.due_on}  {moment(one.filed_at)}  {where}  {one.text}"


def _sample_line(one: Sample) -> str:
    return (
        f"{one.basket} {one.line_no}  {moment(one.sold_at)}  {amount_words(one.unit, one.award).zh}  {one.category or ''}"
        f"  {one.store or ''} {one.device}"
    )


def _told(reason: str) -> str:
    if not 1 <= len(reason.strip()) <= TEXT_MAX:
        raise click.BadParameter(f"1-{TEXT_MAX} 字 / characters", param_hint="--reason")
    return reason.strip()
