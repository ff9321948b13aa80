from datetime import UTC, datetime

import click

from backend.cli.connection import city_option, database, json_option, json_text
from backend.retailers import store as shops
from backend.retailers.store import Store
from backend.usecases.open_store import open_store


@click.group(help="Shops: enter them before their tills.")
def stores() -> None:
    pass


@stores.command()
@click.argument("store")
@city_option
@click.option("--district", required=True, metavar="CODE", help="GB/T 2260 code of the district, e.g. 320102.")
@click.option("--retailer", required=True, help="Whose shop it is: a USCC, or the retailer's name.")
@click.option("--name", "name_zh", required=True, help="What residents call it.")
def add(store: str, city: str, district: str, retailer: str, name_zh: str) -> None:
    """Enters a shop; the same again changes nothing, another shop under its number is refused."""
    shop = Store(city, store, retailer, name_zh, district)
    with database() as opened:
        new = opened.write(lambda connection: open_store(connection, shop, datetime.now(UTC)))
    click.echo(f"门店 {store}（{name_zh}）{'已登记' if new else '此前已登记，无需更改'}")


@stores.command("list")
@city_option
@json_option
def list_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """The shops of a city."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = shops.listed(connection, city)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        click.echo(f"{row.store}  {row.district}  {row.name_zh}  {row.retailer}")
