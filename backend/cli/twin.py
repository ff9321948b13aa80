from collections.abc import Mapping
from datetime import UTC, datetime

import click
import orjson
from sqlalchemy import Connection

from backend.cli.connection import by_option, database, dry_run_option, json_option, json_text, moment, operator
from backend.devices import fleet
from backend.devices.fleet import FleetRow
from backend.devices.twin import queries
from backend.devices.twin.document import NUMBERS, WORDS, json_schema
from backend.devices.twin.model import AGREEMENT_ZH, Desired
from backend.storage.transaction import Database
from backend.usecases.revoke_device import DeviceUnknown
from backend.usecases.set_twin import SetTwin, set_twin


class _Rehearsed(Exception):
    """Ends a dry run before anything is stored."""

    def __init__(self, outcome: tuple[Desired, bool]) -> None:
        super().__init__()
        self.outcome = outcome


@click.group(help="终端的远程设置：期望、实际、历史 / settings of a till, desired and reported.")
def twin() -> None:
    pass


@twin.command()
@click.argument("device")
@json_option
def show(device: str, as_json: bool) -> None:  # noqa: FBT001
    """期望的设置与终端所报 / what is desired of a till, and what it made of it."""
    row = _row(device)
    if as_json:
        click.echo(json_text(_facts(row)))
        return
    version = 0 if row.desired is None else row.desired.version
    click.echo(f"终端 {device}：{AGREEMENT_ZH[row.twin]}")
    for name, value in ({} if row.desired is None else orjson.loads(row.desired.text)).items():
        click.echo(f"    {name} = {value}  {' / '.join(WORDS[name])}")
    if row.reported is not None:
        error = "" if row.reported.error is None else f"，原因 {row.reported.error}"
        click.echo(f"终端运行第 {row.reported.applied_version} 版，已判断至第 {row.reported.version} 版{error}")
    click.echo(f"更改：greenpoints devices twin set {device} --expect {version} 名称=值")


@twin.command("set")
@click.argument("device")
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option(
    "--expect",
    required=True,
    type=click.IntRange(0),
    help="您所看到的版本号，未设置过为 0 / the version you saw; 0 where there is none.",
)
@by_option
@dry_run_option
@json_option
def set_(
    device: str,
    settings: tuple[str, ...],
    expect: int,
    by: str | None,
    dry_run: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """更改终端设置，其余不变；空值则交还终端自己的设置 / changes settings of a till.

    只接受可以安全地远程更改的设置；终端核验后试用，不正常即自动退回。

    The till checks them, tries them, and goes back by itself when it does not stay well.
    """
    wanted = SetTwin(device, expect, _pairs(settings), operator(by))
    with database() as opened:
        desired, changed = _set(opened, wanted, dry_run=dry_run)
    if as_json:
        click.echo(json_text({"device": device, "changed": changed, **desired._asdict()}))
        return
    done = ("将成为" if dry_run else "已设为") if changed else "没有变化，仍为"
    click.echo(f"终端 {device} 的设置{done}第 {desired.version} 版：{desired.text}")


@twin.command()
@click.argument("device")
@json_option
def history(device: str, as_json: bool) -> None:  # noqa: FBT001
    """最近 100 版设置 / the last 100 versions."""
    row = _row(device)
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.history(connection, row.city, device)
    if as_json:
        click.echo(json_text([each._asdict() for each in found]))
        return
    for each in found:
        click.echo(f"第 {each.version} 版  {moment(each.set_at)}  {each.set_by}  {each.text}")


@twin.command()
def schema() -> None:
    """可远程更改的设置，JSON Schema / what can be set, as JSON Schema."""
    click.echo(json_text(json_schema()))


def _set(opened: Database, wanted: SetTwin, *, dry_run: bool) -> tuple[Desired, bool]:
    def change(connection: Connection) -> tuple[Desired, bool]:
        outcome = set_twin(connection, wanted, datetime.now(UTC))
        if dry_run:
            raise _Rehearsed(outcome)
        return outcome

    try:
        return opened.write(change)
    except _Rehearsed as rehearsed:
        return rehearsed.outcome


def _row(device: str) -> FleetRow:
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        row = fleet.find(connection, device, datetime.now(UTC))
    if row is None:
        raise DeviceUnknown(device=device)
    return row


def _facts(row: FleetRow) -> dict[str, object]:
    desired = row.desired and row.desired._asdict() | {"text": orjson.loads(row.desired.text)}
    reported = row.reported and row.reported._asdict()
    return {"device": row.device, "state": row.twin, "desired": desired, "reported": reported}


def _pairs(settings: tuple[str, ...]) -> Mapping[str, str]:
    pairs = [word.partition("=") for word in settings]
    if any(not name or not equals for name, equals, _ in pairs):
        known = ", ".join(sorted(WORDS, key=lambda name: (name not in NUMBERS, name)))
        raise click.UsageError(f"写作 名称=值 / write NAME=VALUE: {known}")
    return {name: value for name, _, value in pairs}
