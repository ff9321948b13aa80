"""Staff of retailers, who sign in at /shop/. A retailer's first manager is made here or in the console; the others there."""

from datetime import UTC, datetime

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.ids import new_id
from backend.officials import passwords, queries
from backend.officials.model import ROLE_NAMES, STAFF, Role
from backend.usecases.change_staff import NewStaff, invite_staff

SHOWN_MAX = 1_000
retailer_option = click.option(
    "--retailer", required=True, metavar="NAME", help="商户，与门店登记一致 / as with its shops."
)


@click.group(help="商户人员：首位管理员、列表 / staff of retailers, who use the shop console.")
def staff() -> None:
    pass


@staff.command()
@click.argument("login")
@city_option
@retailer_option
@click.option("--name", required=True, help="姓名 / name.")
@click.option(
    "--role",
    default=Role.SHOPKEEPER.value,
    show_default=True,
    type=click.Choice(sorted(role.value for role in STAFF)),
    help="角色 / role.",
)
@by_option
def add(login: str, city: str, retailer: str, name: str, role: str, by: str | None) -> None:
    """登记商户人员，打印一次性密码 / adds one of a retailer's staff and prints a one-time password."""
    password, held = passwords.one_time(), Role(role)
    new = NewStaff(city, retailer, new_id(), login, name, held, passwords.hashed(password), operator(by))
    with database() as opened:
        opened.write(lambda connection: invite_staff(connection, new, datetime.now(UTC)))
    click.echo(password)
    said = ROLE_NAMES[held][0]
    click.echo(
        f"{retailer} {name}（{said}）已登记。以上一次性密码只显示这一次，首次登录商户台须更换 / shown this once",
        err=True,
    )


@staff.command("list")
@city_option
@click.option("--retailer", default=None, metavar="NAME", help="只列一家商户 / one retailer only.")
@json_option
def list_(city: str, retailer: str | None, as_json: bool) -> None:  # noqa: FBT001
    """列出商户人员 / staff of the retailers of a city."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = queries.staff(connection, city, retailer, ("", ""), SHOWN_MAX)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        state = "" if row.disabled_at is None else f"  {moment(row.disabled_at)} 停用"
        click.echo(f"{row.login}  {row.name}  {ROLE_NAMES[row.role][0]}  {row.retailer}{state}")
