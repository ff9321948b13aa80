from datetime import UTC, datetime
from pathlib import Path

import click

from backend.certificates import listings, sheets
from backend.certificates.listings import Imported, List
from backend.cli.certificates import day_type
from backend.cli.certificates_text import write_errors
from backend.cli.connection import by_option, database, dry_run_option, json_option, json_text, operator
from backend.kernel.periods import CHINA
from backend.usecases.import_listings import import_listings

NAMES = {List.SERIOUS: "严重违法失信名单", List.ABNORMAL: "经营异常名录"}


@click.group(help="企业：官方名单的导入与查询 / enterprises on official lists.")
def enterprises() -> None:
    pass


@enterprises.command("import-lists")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="来源单位 / the office that the file comes from.")
@dry_run_option
@by_option
@click.option("--approved-by", default=None, help="复核人，试运行不需要 / the second person; a dry run needs none.")
@click.pass_context
def import_lists(
    ctx: click.Context,
    file: Path,
    source: str,
    dry_run: bool,  # noqa: FBT001
    by: str | None,
    approved_by: str | None,
) -> None:
    """导入严重违法失信名单、经营异常名录 / imports official lists.

    须由另一人复核（--approved-by）。个人的证件号不予保存。移出按日期自动生效。名单只供参考，不自动停用任何门店或证书。

    Another person approves. Persons are refused. A removal takes effect by its date. A list informs, and blocks nothing.
    """
    with file.open("rb") as opened:
        content = opened.read(sheets.FILE_BYTES_MAX + 1)
    origin = Imported(source[:100], operator(by), datetime.now(UTC), approved_by or "")
    with database() as opened:
        if dry_run:
            with opened.read() as connection:
                report = listings.compare(connection, content)
        else:
            report = opened.write(lambda connection: import_listings(connection, content, origin))
    written = write_errors(file.with_name(f"{file.name}.errors.csv"), report.errors)
    done = "试运行，未写入。" if dry_run else ""
    click.echo(
        f"{done}新列入 {report.added}，移出或更正 {report.changed}，无变化 {report.unchanged}，拒绝 {len(report.errors)} 行。"
    )
    if written:
        click.echo(f"拒绝的行见 {written}", err=True)
    ctx.exit(1 if report.errors else 0)


@enterprises.command("listed")
@click.option("--on", type=day_type, default=None, help="哪一天，默认今天 / on which day.")
@click.option("--after", default="", help="从此信用代码之后列起，用于翻页 / above this code.")
@json_option
def listed(on: datetime | None, after: str, as_json: bool) -> None:  # noqa: FBT001
    """列出当日在名单上的企业 / who is on a list on a day; a hundred at most."""
    day = datetime.now(UTC).astimezone(CHINA).date() if on is None else on.date()
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = listings.on_lists(connection, day, after=after)
    if as_json:
        click.echo(json_text([one.listing._asdict() | {"name": one.name} for one in found]))
        return
    for one in found:
        listing = one.listing
        click.echo(
            f"{listing.uscc}  {one.name or ''}  {NAMES[listing.list]}  {listing.document}  {listing.authority}"
            f"  {listing.listed_on}  {listing.removed_on or ''}"
        )
    click.echo(f"{len(found)} 条 / listings", err=True)
