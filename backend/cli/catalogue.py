from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli.connection import (
    by_option,
    city_option,
    database,
    dry_run_option,
    json_option,
    json_text,
    moment,
    operator,
)
from backend.redemptions import queries
from backend.redemptions.document import DOCUMENT_BYTES_MAX, Written, load_catalogue
from backend.redemptions.model import Kind, Offer
from backend.redemptions.queries import Listed
from backend.usecases.publish_catalogue import Change, PublishedEntry, Said, publish_catalogue, withdraw_entry

REASON_MAX = 500
KINDS = {
    Kind.SERVICE: "公共服务 / service",
    Kind.VOUCHER: "券 / voucher",
    Kind.DONATION: "捐赠 / donation",
}
_CHANGES = {Change.NEW: "新增 / new", Change.CHANGED: "更新 / changed", Change.UNCHANGED: "未变 / unchanged"}
file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
reason_option = click.option("--reason", required=True, help="理由，记入档案 / why; kept on record.")
entry_argument = click.argument("entry")


@click.group(help="兑换目录：校验、发布、停止、查看 / what points are good for.")
def catalogue() -> None:
    pass


@catalogue.command()
@file_argument
def check(file: Path) -> None:
    """校验目录文件，问题一次列全 / names every fault of a file; stores nothing."""
    written = _read(file)
    click.echo(f"{file.name}：{len(written)} 项，没有问题 / sound")


@catalogue.command()
@file_argument
@city_option
@reason_option
@by_option
@dry_run_option
@json_option
def publish(file: Path, city: str, reason: str, by: str | None, dry_run: bool, as_json: bool) -> None:  # noqa: FBT001
    """发布：文件中的各项成为新版本，记录何人、何时、为何 / each entry of the file becomes a new version.

    文件中没有的保持不变；已占用和已发的券按当时的版本。

    What the file does not name stays; what is held or issued keeps the version that was promised.
    """
    written = _read(file)
    said = Said(operator(by), told(reason))
    with database() as opened:
        published = publish_catalogue(opened, city, written, said, datetime.now(UTC), dry_run=dry_run)
    if as_json:
        click.echo(json_text({"dry_run": dry_run, "entries": [one._asdict() for one in published]}))
        return
    for one in published:
        click.echo(_published(one))
    if dry_run:
        click.echo("试运行，未写入 / nothing was stored", err=True)


@catalogue.command()
@entry_argument
@city_option
@reason_option
@by_option
def withdraw(entry: str, city: str, reason: str, by: str | None) -> None:
    """停止一项兑换 / ends an entry; what is held or issued stands."""
    said = Said(operator(by), told(reason))
    with database() as opened:
        version = opened.write(lambda connection: withdraw_entry(connection, city, entry, said, datetime.now(UTC)))
    click.echo(f"{entry}：已停止，第 {version} 版 / withdrawn")


@catalogue.command("list")
@city_option
@json_option
def list_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出全部兑换内容、库存和已兑 / every entry with its stock."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.listed(connection, city)
    if as_json:
        click.echo(json_text([_facts(one) for one in found]))
        return
    for one in found:
        click.echo(_line(one))


@catalogue.command()
@entry_argument
@city_option
@json_option
def history(entry: str, city: str, as_json: bool) -> None:  # noqa: FBT001
    """一项兑换的各个版本：何人、何时、为何 / every version of an entry: who, when, why."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.versions(connection, city, entry)
    if as_json:
        click.echo(json_text([one._asdict() for one in found]))
        return
    for one in found:
        stock = "不限" if one.stock is None else str(one.stock)
        click.echo(
            f"第 {one.version} 版  {moment(one.published_at)}  {one.published_by}  {one.reason}  {one.points} 分，总库存 {stock}"
            f"{'，停止' if one.withdrawn else ''}  {one.sha256[:14]}"
        )


def told(reason: str) -> str:
    if not 1 <= len(reason.strip()) <= REASON_MAX:
        raise click.BadParameter(f"1-{REASON_MAX} 字 / characters", param_hint="--reason")
    return reason.strip()


def _read(file: Path) -> list[Written]:
    with file.open("rb") as opened:
        return load_catalogue(opened.read(DOCUMENT_BYTES_MAX + 1))


def _published(one: PublishedEntry) -> str:
    return f"{one.entry}：第 {one.version} 版，{_CHANGES[one.change]}"


def _line(one: Listed) -> str:
    entry = one.offer.entry
    state = "  已停止 / withdrawn" if one.offer.withdrawn else ""
    until = moment(entry.ends_at)
    return (
        f"{entry.entry}  {KINDS[entry.kind]}  {entry.title_zh}  {entry.points} 分  {_stock(one.offer)}  至 {until}"
        f"  第 {one.offer.version} 版{state}"
    )


def _stock(offer: Offer) -> str:
    return f"已兑 {offer.taken}，" + ("库存不限" if offer.left is None else f"剩 {offer.left}")


def _facts(one: Listed) -> dict[str, object]:
    offer = one.offer
    return {
        **offer.entry._asdict(),
        "version": offer.version,
        "withdrawn": offer.withdrawn,
        "taken": offer.taken,
        "published_at": one.published_at,
        "published_by": one.published_by,
    }
