import secrets
from datetime import UTC, datetime

import click

from backend.cli.connection import city_option, database, json_option, json_text, moment
from backend.devices import register
from backend.usecases.issue_token import bind_token, issue_token, revoke_token

TOKEN_BYTES = 32

service_option = click.option(
    "--service", required=True, type=click.Choice(["bridge", "pos", "metrics"]), help="网桥、商户系统或监控 / for what."
)
name_option = click.option("--name", required=True, help="自定名称，如 bridge-1 / what the installation calls it.")


@click.group(help="服务令牌：网桥、商户系统、监控 / bearer tokens of services.")
def tokens() -> None:
    pass


@tokens.command()
@service_option
@name_option
@click.option("--city", default=None, metavar="CODE", help="商户系统必填：所在城市 / of a shop's system: its city.")
@click.option("--retailer", default=None, help="商户系统必填：代哪个商户的门店办理 / and whose shops it acts for.")
def issue(service: str, name: str, city: str | None, retailer: str | None) -> None:
    """签发令牌，只显示这一次 / prints a new token; only its hash is kept.

    商户系统（pos）的令牌只能办理一个城市一个商户的门店，写法同登记门店时的 --retailer。

    A shop's system acts for the shops of one retailer in one city, named as its shops were entered.
    """
    if (city is None) != (retailer is None):
        raise click.UsageError("--city 与 --retailer 须同时给出 / give both")
    whose = None if city is None or retailer is None else (city, retailer)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = datetime.now(UTC)
    with database() as opened:
        opened.write(
            lambda connection: issue_token(connection, token, service=service, name=name, now=now, retailer=whose)
        )
    click.echo(token)
    click.echo("令牌只显示这一次，请妥善保存 / shown this once", err=True)


@tokens.command()
@name_option
@city_option
@click.option("--retailer", required=True, help="代哪个商户的门店办理 / whose shops it acts for.")
def bind(name: str, city: str, retailer: str) -> None:
    """为以前签发的 pos 令牌绑定商户 / binds pos tokens of before to a retailer.

    没有绑定的 pos 令牌一律被拒绝；绑定后 5 秒内生效，不能改绑。

    One that is bound to nobody is refused; bound, it works within 5 seconds, and is never bound to another.
    """
    now = datetime.now(UTC)
    with database() as opened:
        count = opened.write(lambda connection: bind_token(connection, name=name, retailer=(city, retailer), now=now))
    click.echo(f"已将 {count} 个名为 {name} 的 pos 令牌绑定到 {city} 的商户“{retailer}” / bound")


@tokens.command()
@service_option
@name_option
def revoke(service: str, name: str) -> None:
    """停用该名称的全部令牌 / revokes every token of that name."""
    now = datetime.now(UTC)
    with database() as opened:
        count = opened.write(lambda connection: revoke_token(connection, service=service, name=name, now=now))
    click.echo(f"已停用 {count} 个名为 {name} 的 {service} 令牌 / revoked")


@tokens.command("list")
@json_option
def list_(as_json: bool) -> None:  # noqa: FBT001
    """列出令牌的名称与日期 / names and dates; the tokens themselves are not kept."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = register.tokens(connection)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        state = "有效" if row.revoked_at is None else f"{moment(row.revoked_at)} 停用"
        whose = "" if row.retailer is None else f"  {row.of_city} {row.retailer}"
        click.echo(f"{row.service}  {row.name}  {moment(row.issued_at)} 签发  {state}{whose}")
