from datetime import UTC, datetime
from decimal import Decimal

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.retailers import store as shops
from backend.retailers.store import Store
from backend.usecases.open_store import open_store
from backend.usecases.place_store import place_store

LATITUDE_MAX, LONGITUDE_MAX = 90, 180
PLACES_SHOWN_MAX = 100


@click.group(help="门店：登记、列表 / shops, entered before their tills.")
def stores() -> None:
    pass


@stores.command()
@click.argument("store")
@city_option
@click.option(
    "--district", required=True, metavar="CODE", help="区县代码（GB/T 2260），如 320102 / code of the district."
)
@click.option("--retailer", required=True, help="经营者：统一社会信用代码或名称 / whose shop it is: a USCC, or a name.")
@click.option("--name", "name_zh", required=True, help="门店名称，居民所见 / what residents call it.")
def add(store: str, city: str, district: str, retailer: str, name_zh: str) -> None:
    """登记门店 / enters a shop.

    重复登记不作更改；编号已属其他门店时拒绝。

    The same again changes nothing; another shop under its number is refused.
    """
    shop = Store(city, store, retailer, name_zh, district)
    with database() as opened:
        new = opened.write(lambda connection: open_store(connection, shop, datetime.now(UTC)))
    click.echo(f"门店 {store}（{name_zh}）{'已登记' if new else '此前已登记，无需更改'}")


@stores.command()
@click.argument("store")
@city_option
@click.option("--at", required=True, metavar="LAT,LON", help="纬度,经度（WGS 84，度），如 32.041,118.784 / in degrees.")
@by_option
def place(store: str, city: str, at: str, by: str | None) -> None:
    """登记门店位置，供核查两店距离 / where a shop stands, for watches of journeys.

    没有位置的门店不参与核查。每次登记都留存经办人和时间。

    A shop without a place is not watched. Who placed it when is kept.
    """
    given = shops.StorePlace(datetime.now(UTC), *_place(at), operator(by))
    with database() as opened:
        opened.write(lambda connection: place_store(connection, city, store, given))
    click.echo(f"门店 {store} 的位置已登记 / placed")


@stores.command()
@click.argument("store")
@city_option
@json_option
def places(store: str, city: str, as_json: bool) -> None:  # noqa: FBT001
    """门店位置的登记经过，新的在前 / every place that a shop was given, newest first."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        shops.find_store(connection, city, store)
        rows = shops.places(connection, city, store, limit=PLACES_SHOWN_MAX)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        at = f"{_degrees(row.latitude_e6)},{_degrees(row.longitude_e6)}"
        click.echo(f"{moment(row.placed_at)}  {at}  {row.placed_by}")


@stores.command("list")
@city_option
@json_option
def list_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出一个城市的门店 / the shops of a city."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = shops.listed(connection, city)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        at = "" if row.latitude_e6 is None else f"  {_degrees(row.latitude_e6)},{_degrees(row.longitude_e6 or 0)}"
        click.echo(f"{row.store}  {row.district}  {row.name_zh}  {row.retailer}{at}")


def _place(at: str) -> tuple[int, int]:
    try:
        latitude, longitude = (Decimal(part) for part in at.split(","))
        if abs(latitude) <= LATITUDE_MAX and abs(longitude) <= LONGITUDE_MAX:
            return int(latitude.scaleb(6)), int(longitude.scaleb(6))
    except (ArithmeticError, ValueError):
        pass
    raise click.BadParameter("须为 纬度,经度，以度计 / latitude,longitude in degrees", param_hint="--at")


def _degrees(millionths: int) -> str:
    return f"{Decimal(millionths).scaleb(-6).normalize():f}"
