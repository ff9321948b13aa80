"""Slots for tills that are to come: `greenpoints devices claim`, `replace`, and `alarms` of what went wrong."""

import io
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import click
import segno
from sqlalchemy import Connection

from backend.cli.connection import city_option, database, json_option, json_text, moment
from backend.devices.enrolment.claim_code import RANDOM_BYTES, claim_hash, claim_of
from backend.devices.enrolment.model import Claim
from backend.devices.enrolment.queries import alarms as query_alarms
from backend.devices.enrolment.store import Alarm
from backend.usecases.claim_device import Slot, claim_device, replace_device

ALARMS_MAX = 200
WORDS = {
    Alarm.CLAIM_REUSED: "登记码被另一台终端使用 / another till used its claim",
    Alarm.STREAM_CONFLICT: "同一单号两份内容，疑有复制的终端 / one number, two contents: a copy of the till?",
    Alarm.EARLY_ROTATION: "未到期就更换密钥，疑有人取得其密钥 / keys changed long before the time: does another hold them?",
    Alarm.RETIRED_KEY: "仍用已失效的密钥签名，疑有人取得其密钥 / signs by a key that has ended: does another hold its keys?",
    Alarm.STREAM_IN_TWO_PLACES: "同一终端在两处上线，疑有复制的终端 / it lives in two places: a copy of the till?",
}

url_option = click.option(
    "--url", default=None, metavar="URL", help="写入二维码的后端地址 / address of the backend, for the QR code."
)


@click.command()
@click.option("--device", required=True, help="新终端的编号，不能与任何已登记的重复 / its id, never used before.")
@city_option
@click.option("--store", required=True, help="所在门店，不能更换 / the shop it will stand in, for ever.")
@url_option
@json_option
def claim(device: str, city: str, store: str, url: str | None, as_json: bool) -> None:  # noqa: FBT001
    """为新终端发放一次性登记码，24 小时有效 / a one-time claim for a new till.

    在终端上执行 python -m scanner enrol；再次发放则前一个作废。

    On the till: python -m scanner enrol. A new claim takes the place of the one before.
    """
    slot = Slot(device, city, store)
    _issue(lambda connection, hashed, now: claim_device(connection, slot, hashed, now), url, as_json=as_json)


@click.command()
@click.argument("device")
@click.option(
    "--by-device", required=True, metavar="DEVICE", help="替换它的终端的新编号 / id of the till that replaces it."
)
@url_option
@json_option
def replace(device: str, by_device: str, url: str | None, as_json: bool) -> None:  # noqa: FBT001
    """换机：立即停用旧终端，为同一门店的新终端发放登记码 / revokes a till and issues a claim for its successor."""
    _issue(
        lambda connection, hashed, now: replace_device(connection, device, by_device, hashed, now), url, as_json=as_json
    )


@click.command()
@city_option
@json_option
def alarms(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出终端告警：登记码被他人使用、疑似复制的终端 / what a person has to look at."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = query_alarms(connection, city, limit=ALARMS_MAX)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        click.echo(f"{moment(row.last_at)}  {row.device}  {WORDS[Alarm(row.kind)]}  {row.times} 次  {row.subject}")


def _issue(act: Callable[[Connection, bytes, datetime], Claim], url: str | None, *, as_json: bool) -> None:
    token, now = claim_of(secrets.token_bytes(RANDOM_BYTES)), datetime.now(UTC)
    with database() as opened:
        made = opened.write(lambda connection: act(connection, claim_hash(token), now))
    if as_json:
        facts = {"device": made.device, "city": made.city, "store": made.store}
        click.echo(json_text({**facts, "claim": token, "expires_at": made.expires_at}))
        return
    click.echo(f"设备 {made.device}（{made.city} {made.store}）的登记码，{moment(made.expires_at)} 前有效，只用一次：")
    click.echo(f"\n  {token}\n")
    picture = io.StringIO()
    segno.make(token if url is None else f"{token}@{url}", error="m").terminal(out=picture, compact=True)
    click.echo(picture.getvalue())
    click.echo("登记码只显示这一次 / shown this once", err=True)
