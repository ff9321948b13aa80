"""Officials of the console. The first administrator of a city is made here; the others in the console."""

from datetime import UTC, datetime

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.kernel.ids import new_id
from backend.labels.regions import region_name
from backend.officials import passwords, queries
from backend.officials.model import OFFICES, PROVINCE_SUFFIX, ROLE_NAMES, Role
from backend.officials.store import NewOfficial
from backend.usecases.add_official import add_official

SHOWN_MAX = 1_000


@click.group(help="控制台人员：首个管理员、列表 / officials who use the console.")
def officials() -> None:
    pass


@officials.command()
@click.argument("login")
@city_option
@click.option("--name", required=True, help="姓名 / name.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role if role in OFFICES]),
    help="角色，可多次 / role.",
)
@click.option("--district", default=None, metavar="CODE", help="只办理一个区县 / one district only.")
@by_option
def add(login: str, city: str, name: str, roles: tuple[str, ...], district: str | None, by: str | None) -> None:
    """登记控制台人员，打印一次性密码 / adds an official and prints a one-time password.

    不指定角色即为本市管理员（省代码为省级）；增设城市亦用此命令登记其管理员。

    Without a role it is the city's administrator, of a province its own role; a second city begins with this command.
    """
    default = Role.PROVINCE if city.endswith(PROVINCE_SUFFIX) else Role.CITY_ADMINISTRATOR
    held = frozenset(map(Role, roles)) or frozenset({default})
    password = passwords.one_time()
    new = NewOfficial(city, new_id(), login, name, district, held, passwords.hashed(password), operator(by))
    with database() as opened:
        opened.write(lambda connection: add_official(connection, new, datetime.now(UTC)))
    click.echo(password)
    said = "、".join(ROLE_NAMES[role][0] for role in sorted(held))
    click.echo(
        f"{region_name(city)} {name}（{said}）已登记。以上一次性密码只显示这一次，首次登录须更换 / shown this once",
        err=True,
    )


@officials.command("list")
@city_option
@json_option
def list_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出一个城市的控制台人员 / officials of a city."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = queries.listed(connection, city, "", SHOWN_MAX)
    if as_json:
        click.echo(json_text([row._asdict() | {"roles": sorted(row.roles)} for row in rows]))
        return
    for row in rows:
        said = "、".join(ROLE_NAMES[role][0] for role in sorted(row.roles))
        state = "" if row.disabled_at is None else f"  {moment(row.disabled_at)} 停用"
        click.echo(f"{row.login}  {row.name}  {said}  {row.district or ''}{state}")
