"""What a service counter does for residents: `greenpoints residents verify-age`, `show`, `card`."""

from datetime import UTC, datetime
from uuid import UUID

import click
import structlog

from backend.cli.cards import card
from backend.cli.connection import by_option, city_option, database, operator
from backend.residents.access.log import Look, Purpose, Role, What
from backend.residents.consents.counter_code import code_hash
from backend.residents.standing import AgeBand
from backend.usecases.change_consent import Who
from backend.usecases.change_consent import verify_age as enter_verified_age
from backend.usecases.look_at_account import look_at_account

log = structlog.get_logger()


@click.group()
def residents() -> None:
    """居民：核验年龄段、查看账户 / residents, at a service counter."""


residents.add_command(card)


@residents.command("verify-age")
@city_option
@click.option("--code", required=True, help="居民出示的年龄核验码 / the code that the resident reads out.")
@click.option(
    "--band", required=True, type=click.Choice([band.value for band in AgeBand]), help="证件显示的年龄段 / its band."
)
@by_option
def verify_age(city: str, code: str, band: str, by: str | None) -> None:
    """看过证件后登记年龄段；证件信息一概不留 / enters a band after a look at a document, of which nothing is kept."""
    with database() as opened:
        opened.write(
            lambda connection: enter_verified_age(connection, city, code_hash(code), AgeBand(band), datetime.now(UTC))
        )
    log.info("age_verified", city=city, by=operator(by))
    click.echo("已登记 / entered")


@residents.command("show")
@city_option
@click.option("--resident", required=True, type=click.UUID, help="账簿内部编号 / the books' name of the resident.")
@click.option(
    "--purpose",
    required=True,
    type=click.Choice([Purpose.ENQUIRY, Purpose.APPEAL, Purpose.AUDIT, Purpose.INVESTIGATION]),
    help="查看目的，居民可见 / what for; the resident reads it.",
)
@click.option("--ticket", default=None, metavar="ID", help="工单号 / ticket.")
@by_option
def show(city: str, resident: UUID, purpose: str, ticket: str | None, by: str | None) -> None:
    """查看居民在所属城市的账户；每次查看都记入居民的查阅记录 / an account; the resident reads that it was looked at."""
    look = Look(Role.OFFICIAL, operator(by), purpose, What.ACCOUNT, ticket)
    with database() as opened:
        found = opened.write(
            lambda connection: look_at_account(connection, Who(city, str(resident)), look, datetime.now(UTC))
        )
    for one in found:
        click.echo(f"{one.place.kind}  {one.unit}  {one.amount}  {one.place.end}")
