import click

from backend.cli.connection import database_url, json_option, json_text
from backend.storage import migrate


@click.group(help="The database schema.")
def db() -> None:
    pass


@db.command()
def upgrade() -> None:
    """Brings the schema to the newest revision; running it again changes nothing."""
    url = database_url()
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
    """Whether the schema is at the newest revision and as the code expects it. Exit 1 when not."""
    state = migrate.state(database_url())
    differences = migrate.drift(database_url()) if state.current == state.newest else ()
    if as_json:
        click.echo(json_text({**state._asdict(), "differences": differences}))
    elif state.current != state.newest:
        click.echo(f"数据库结构为 {state.current or '空'}，应为 {state.newest}：请运行 greenpoints db upgrade")
    else:
        click.echo(f"数据库结构 {state.current}，{len(differences)} 处差异 / differences")
        for difference in differences:
            click.echo(f"    {difference}")
    ctx.exit(0 if state.current == state.newest and not differences else 1)
