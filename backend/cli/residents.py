"""What a service counter does for residents: `greenpoints residents verify-age`."""

from datetime import UTC, datetime

import click
import structlog

from backend.cli.connection import by_option, city_option, database, operator
from backend.residents.consents.counter_code import code_hash
from backend.residents.standing import AgeBand
from backend.usecases.change_consent import verify_age as enter_verified_age

log = structlog.get_logger()


@click.group()
def residents() -> None:
    """居民：核验年龄段 / residents, at a service counter."""


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
