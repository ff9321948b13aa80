import secrets
from datetime import UTC, datetime

import click

from backend.cli.connection import database, json_option, json_text
from backend.devices import register
from backend.usecases.issue_token import issue_token, revoke_token

TOKEN_BYTES = 32

service_option = click.option("--service", required=True, type=click.Choice(["bridge", "pos", "metrics"]))
name_option = click.option("--name", required=True, help="What the installation calls it, e.g. bridge-1.")


@click.group(help="Bearer tokens of bridges, shop systems and monitoring.")
def tokens() -> None:
    pass


@tokens.command()
@service_option
@name_option
def issue(service: str, name: str) -> None:
    """Prints a new token, this once; only its hash is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = datetime.now(UTC)
    with database() as opened:
        opened.write(lambda connection: issue_token(connection, token, service=service, name=name, now=now))
    click.echo(token)
    click.echo("令牌只显示这一次，请妥善保存 / shown this once", err=True)


@tokens.command()
@service_option
@name_option
def revoke(service: str, name: str) -> None:
    """Revokes every token of that name."""
    now = datetime.now(UTC)
    with database() as opened:
        count = opened.write(lambda connection: revoke_token(connection, service=service, name=name, now=now))
    click.echo(f"已停用 {count} 个名为 {name} 的 {service} 令牌 / revoked")


@tokens.command("list")
@json_option
def list_(as_json: bool) -> None:  # noqa: FBT001
    """Names and dates of all tokens; the tokens themselves are not kept."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = register.tokens(connection)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        state = "有效" if row.revoked_at is None else f"{row.revoked_at.isoformat()} 停用"
        click.echo(f"{row.service}  {row.name}  {row.issued_at.isoformat()} 签发  {state}")
