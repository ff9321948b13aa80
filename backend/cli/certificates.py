from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cases.ripple import ripple
from backend.certificates import amend, imports, queries, sheets
from backend.certificates.headings import HEADINGS, REQUIRED
from backend.certificates.model import CertificateState
from backend.certificates.timeline import civil_day, day_number, midnight_ms
from backend.cli.certificates_text import (
    STATES,
    csv_text,
    history_facts,
    json_text,
    print_found,
    print_report,
    print_ripple,
    progress,
    standing_facts,
    write_errors,
    write_xlsx,
)
from backend.cli.connection import by_option, city_option, database, json_option, operator
from backend.kernel.periods import civil_date, milliseconds
from backend.labels.parse import parse
from backend.usecases.ripple import subject_of

_BY_HAND = [state.value for state in CertificateState if state is not CertificateState.EXPIRED]

day_type = click.DateTime(["%Y-%m-%d"])


@click.group(help="认证证书库：导入、查询、撤销、互认 / the registry of certified products.")
def certificates() -> None:
    pass


@certificates.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default=None, help="来源单位，默认为文件名 / the register or office the file comes from.")
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="拒绝的行写入此 CSV 文件 / where refused lines are reported.",
)
@click.option("--dry-run", is_flag=True, help="试运行，不写入 / say what would change; store nothing.")
@by_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    file: Path,
    source: str | None,
    errors: Path | None,
    dry_run: bool,  # noqa: FBT001 - click passes flags by name
    by: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags by name
) -> None:
    """导入 CSV 或 XLSX 证书文件 / stores the good lines of a file.

    合格的行入库，其余写入报告文件；有拒绝的行时退出码为 1。

    The other lines are reported in a file. Exit 1 when any line was refused.
    """
    name = _storable(file.name)[:255]
    with file.open("rb") as opened:
        content = opened.read(sheets.FILE_BYTES_MAX + 1)
    origin = imports.Source((source or name)[:100], name, operator(by), datetime.now(UTC))
    with database() as opened, progress() as told:
        report = imports.import_file(opened, content, origin, dry_run=dry_run, progress=told)
    written = write_errors(errors or file.with_name(f"{file.name}.errors.csv"), report.errors)
    print_report(report, written, dry_run=dry_run, as_json=as_json)
    ctx.exit(1 if report.errors else 0)


@certificates.command()
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="写入此 .csv 或 .xlsx 文件 / a file to write."
)
def template(output: Path | None) -> None:
    """输出导入模板 / prints an empty import file, or writes it.

    第二行是填写示例。

    The second line shows what belongs where.
    """
    lines = [
        [f"{heading.zh}（必填）" if name in REQUIRED else heading.zh for name, heading in HEADINGS.items()],
        [heading.example for heading in HEADINGS.values()],
    ]
    if output is None:
        for name, heading in HEADINGS.items():
            needed = "必填" if name in REQUIRED else ""
            click.echo(f"# {name}\t{heading.zh}\t{needed}\t{heading.note_zh}", err=True)
        click.echo(csv_text(lines), nl=False)
    elif output.suffix.lower() == ".xlsx":
        write_xlsx(output, lines)
    else:
        output.write_text(csv_text(lines), encoding="utf-8-sig")


@certificates.command()
@click.argument("text")
@click.option("--at", "on", type=day_type, default=None, help="查询哪一天的状态，默认今天 / standing on this day.")
@click.option(
    "--known-at", type=click.DateTime(), default=None, help="证书库在此时刻（UTC）所知 / as the registry knew it then."
)
@json_option
@click.pass_context
def show(ctx: click.Context, text: str, on: datetime | None, known_at: datetime | None, as_json: bool) -> None:  # noqa: FBT001
    """查询标签内容或证书编号的登记 / what is registered under a code or number.

    TEXT 为商品条码、备案号、标签网址或证书编号；没有登记时退出码为 1。

    TEXT is a GTIN, a filing number, the URL of a label … or a certificate number. Exit 1 when nothing is registered.
    """
    now = datetime.now(UTC)
    at_ms = milliseconds(now) if on is None else midnight_ms(day_number(on.date())) + 43_200_000
    text = _storable(text)
    reading = parse(text)
    with database() as opened, opened.read() as connection:
        version = queries.version_known_at(connection, now if known_at is None else known_at.replace(tzinfo=UTC))
        standings = queries.at_version(connection, reading.registry_keys, as_of_world_ms=at_ms, version=version)
        histories = () if reading.personal else queries.by_number(connection, text.strip().upper(), version=version)
    found = {
        "keys": [standing_facts(key, standing) for key, standing in standings.items()],
        "certificates": [history_facts(history) for history in histories],
        "registry_version": version,
    }
    if as_json:
        click.echo(json_text(found))
    else:
        print_found(found, civil_date(at_ms))
    known = any(standing.entry for standing in standings.values()) or histories
    ctx.exit(0 if known else 1)


@certificates.command()
@click.argument("number")
@click.option(
    "--from", "from_on", type=day_type, required=True, help="新状态的第一天 / the first day of the new state."
)
@click.option("--reason", required=True, help="所依据的决定或文件，将记录 / the decision behind it; recorded.")
@click.option(
    "--state",
    type=click.Choice(_BY_HAND),
    default="withdrawn",
    help="新状态，默认为撤销 / withdrawn unless said otherwise.",
)
@click.option(
    "--body", default=None, help="认证机构批准号，用于区分同号证书 / where several bodies gave the same number."
)
@click.option("--dry-run", is_flag=True, help="试运行，不写入 / say what would change; store nothing.")
@by_option
@json_option
def revoke(
    number: str,
    from_on: datetime,
    reason: str,
    state: str,
    body: str | None,
    dry_run: bool,  # noqa: FBT001 - click passes flags by name
    by: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags by name
) -> None:
    """登记证书撤销、暂停、注销或恢复 / records a new state from a day on.

    Withdrawn, or suspended, cancelled, valid again.
    """
    change = amend.StateChange(
        number=_storable(number).strip().upper(),
        body=body,
        state=CertificateState(state),
        from_on=from_on.date(),
        reason=_storable(reason).strip(),
        by=operator(by),
        now=datetime.now(UTC),
    )
    with database() as opened:
        receipt = amend.change_state(opened, change, dry_run=dry_run)
    facts = {
        "certificate": receipt.history.number,
        "body": receipt.history.body,
        "state": state,
        "from": change.from_on.isoformat(),
        "changed": receipt.changed,
        "dry_run": dry_run,
        "registry_version": receipt.version,
    }
    if as_json:
        click.echo(json_text(facts))
    elif not receipt.changed:
        click.echo(f"{receipt.history.number}：自 {change.from_on} 起已登记为{STATES[state]}，无需更改。")
    else:
        done = "将登记" if dry_run else "已登记"
        click.echo(
            f"{receipt.history.number}：自 {change.from_on} 起{done}为{STATES[state]}（证书库版本 {receipt.version}）。"
        )


@certificates.command()
@click.argument("from_scheme")
@click.argument("to_scheme")
@click.option("--region", required=True, help="地区代码，320000 为江苏，000000 为全国 / where it is accepted.")
@click.option("--from", "from_on", type=day_type, required=True, help="第一天 / the first day.")
@click.option(
    "--until", "last_on", type=day_type, default=None, help="最后一天，默认长期 / the last day; open when left out."
)
@click.option("--document", required=True, help="所依据的文件 / the document that says so.")
@by_option
def recognise(
    from_scheme: str,
    to_scheme: str,
    region: str,
    from_on: datetime,
    last_on: datetime | None,
    document: str,
    by: str | None,
) -> None:
    """登记认证互认 / records that one scheme is accepted for another.

    要求 TO_SCHEME 的地方，FROM_SCHEME 的证书同样有效；本版核定尚不使用。

    Certificates of FROM_SCHEME are accepted where TO_SCHEME is asked for. Decisions do not use it yet.
    """
    until_on = None if last_on is None else civil_day(day_number(last_on.date()) + 1)
    recognition = amend.NewRecognition(
        from_scheme, to_scheme, region, from_on.date(), until_on, document, operator(by), datetime.now(UTC)
    )
    with database() as opened:
        version = amend.recognise(opened, recognition)
    click.echo(f"已登记：{from_scheme} 在 {region} 视同 {to_scheme}（证书库版本 {version}）。")


@certificates.command("ripple")
@click.argument("text")
@city_option
@click.option(
    "--body", default=None, help="认证机构批准号，用于区分同号证书 / where several bodies gave the same number."
)
@json_option
def ripple_(text: str, city: str, body: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """失效证书或假序列号已造成的奖励：笔数、门店、金额 / what a lost certificate has cost.

    TEXT 为证书编号，或单品标签的内容。居民善意取得的积分保留；未付的结算另行冻结。

    TEXT is a certificate number, or the label of one piece. Residents in good faith keep their points.
    """
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        subject = subject_of(connection, _storable(text), body)
        found = ripple(connection, city, subject.lost)
    if as_json:
        facts = found._asdict() | {"amounts": [one._asdict() | {"net": one.net} for one in found.amounts]}
        click.echo(json_text(facts | {"shops": [one._asdict() for one in found.shops]}))
        return
    print_ripple(subject.history.number if subject.history else text, found)


def _storable(argument: str) -> str:
    """Arguments and file names of a terminal in another encoding carry bytes that are no text."""
    return argument.encode("utf-8", "replace").decode()
