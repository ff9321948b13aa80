from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli import fleet as words
from backend.cli.claims import alarms, claim, replace
from backend.cli.connection import city_option, database, dry_run_option, json_option, json_text
from backend.cli.twin import twin
from backend.devices import fleet
from backend.devices import queries as device_queries
from backend.devices.public_key import FILE_BYTES_MAX, raw_public_key
from backend.usecases.enrol_device import Enrolled, Enrolment, enrol_device
from backend.usecases.revoke_device import DeviceUnknown, revoke_device


class _Rehearsed(Exception):
    """Ends a dry run before anything is stored."""

    def __init__(self, *, changed: bool) -> None:
        super().__init__()
        self.changed = changed


@click.group(help="扫码终端：登记、停用、状况、设置 / tills.")
def devices() -> None:
    pass


devices.add_command(claim)
devices.add_command(replace)
devices.add_command(alarms)


@devices.command()
@click.option(
    "--device",
    required=True,
    help="设备编号，8-40 个小写字母、数字或连字符，与其证书名一致 / its id, as in its certificate.",
)
@city_option
@click.option("--store", required=True, help="所在门店，不能更换 / the shop it stands in, for ever.")
@click.option("--key-id", required=True, help="签名密钥编号，如 k1 / the name of the key it signs by.")
@click.option(
    "--public-key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ed25519 公钥文件：PEM、32 字节或 base64 / public key: PEM, 32 raw bytes, or base64.",
)
@json_option
def enrol(device: str, city: str, store: str, key_id: str, public_key: Path, as_json: bool) -> None:  # noqa: FBT001
    """登记终端及其签名公钥 / enters a till and the key it signs by.

    重复登记不作更改；新的密钥编号则增加一把公钥。

    The same again changes nothing; a new key id is added.
    """
    with public_key.open("rb") as opened_file:
        enrolment = Enrolment(device, city, store, key_id, raw_public_key(opened_file.read(FILE_BYTES_MAX)))
    with database() as opened:
        enrolled = opened.write(lambda connection: enrol_device(connection, enrolment, datetime.now(UTC)))
    if as_json:
        click.echo(json_text({"device": device, **enrolled._asdict()}))
    else:
        click.echo(f"设备 {device}（{city} {store}）{_done(enrolled, key_id)}")


@devices.command()
@click.argument("device")
@dry_run_option
def revoke(device: str, dry_run: bool) -> None:  # noqa: FBT001
    """停用终端，立即生效且不能恢复 / revokes a till at once and for ever.

    此后它发来的内容只留存，不计分。

    What it sends from now on is quarantined, not counted.
    """
    with database() as opened:
        try:
            changed = opened.write(
                lambda connection: _revoked(revoke_device(connection, device, datetime.now(UTC)), dry_run=dry_run)
            )
        except _Rehearsed as rehearsed:
            changed = rehearsed.changed
    done = "将停用" if dry_run else "已停用"
    click.echo(f"设备 {device} {done if changed else '此前已停用，无需更改'}")


@devices.command("list")
@click.option("--city", default=None, metavar="CODE", help="城市代码，默认全部 / one city; every city by default.")
@json_option
def list_(city: str | None, as_json: bool) -> None:  # noqa: FBT001
    """全部终端：在线与否、待传、时钟、版本、设置 / every till, and how it stands."""
    now = datetime.now(UTC)
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        cities = device_queries.cities(connection) if city is None else [city]
        rows = (row for each in cities for row in fleet.fleet(connection, each, now))
        if as_json:
            click.echo(json_text([words.facts(row) for row in rows]))
            return
        for row in rows:
            click.echo(words.line(row))


@devices.command()
@click.argument("device")
@json_option
def show(device: str, as_json: bool) -> None:  # noqa: FBT001
    """一台终端的全部状况 / everything that is known of one till."""
    now = datetime.now(UTC)
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        row = fleet.find(connection, device, now)
    if row is None:
        raise DeviceUnknown(device=device)
    if as_json:
        click.echo(json_text(words.facts(row)))
        return
    for line in words.lines(row, now):
        click.echo(line)


devices.add_command(twin)


def _revoked(changed: bool, *, dry_run: bool) -> bool:  # noqa: FBT001
    if dry_run:
        raise _Rehearsed(changed=changed)
    return changed


def _done(enrolled: Enrolled, key_id: str) -> str:
    if enrolled.new_device:
        return f"已登记，密钥 {key_id}"
    return f"已增加密钥 {key_id}" if enrolled.new_key else "此前已登记，无需更改"
