import click

from backend.cli.connection import database_url, json_option, json_text, reached
from backend.storage import migrate


@click.group(help="数据库结构 / the database schema.")
def db() -> None:
    pass


@db.command()
def upgrade() -> None:
    """升级到最新结构，可重复执行 / to the newest revision; again changes nothing."""
    url = database_url()
    with reached():
        before = migrate.state(url)
        migrate.upgrade(url)
        after = migrate.state(url)
    if before.current == after.current:
        click.echo(f"数据库结构已是最新 {after.current} / up to date")
    else:
        click.echo(f"数据库结构 {before.current or '空'} -> {after.current} / upgraded")


@db.command()
@json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:  # noqa: FBT001
    """检查结构是否最新且与程序一致 / whether the schema is as it must be.

    不一致时退出码为 1。

    Exit 1 when it is not.
    """
    url = database_url()
    with reached():
        state = migrate.state(url)
        differences = migrate.drift(url) if state.current == state.newest else ()
        closing = migrate.closing_sql(url) if state.current == state.newest else None
    if as_json:
        click.echo(json_text({**state._asdict(), "differences": differences, "closing_sql": closing}))
    elif state.current != state.newest:
        click.echo(f"数据库结构为 {state.current or '空'}，应为 {state.newest}：请运行 greenpoints db upgrade")
    else:
        click.echo(f"数据库结构 {state.current}，{len(differences)} 处差异 / differences")
        for difference in differences:
            click.echo(f"    {difference}")
        if closing:
            click.echo(f"任何登录用户都能连接该数据库，请执行 / every login may connect; run:\n    {closing}")
    ctx.exit(0 if state.current == state.newest and not differences and not closing else 1)
