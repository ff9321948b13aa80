"""What a city publishes about the passport, and what goes to its platform: `greenpoints passport …`."""

from datetime import UTC, date, datetime
from pathlib import Path

import click
import httpx

from backend.adapters.credit_platform import PlatformFile, PlatformHttp
from backend.cli.connection import by_option, city_option, database, operator
from backend.credit import store
from backend.credit.queries import Benefit
from backend.credit.store import Ground
from backend.usecases import publish_passport
from backend.usecases.deliver_exports import deliver_exports


@click.group()
def passport() -> None:
    """绿色信用凭证：法律依据、优惠、向平台提供 / the green-credit passport."""


@passport.command("publish-ground")
@city_option
@click.option("--platform", required=True, help="接收方名称 / the receiver.")
@click.option("--contact", required=True, help="接收方联系方式 / its contact.")
@click.option("--document-number", required=True, help="文号 / number of the document.")
@click.option("--issuer", required=True, help="发文机关 / who issued it.")
@click.option("--published-on", required=True, help="发布日期 / its date, YYYY-MM-DD.")
@click.option("--document-url", required=True, help="原文链接 / where it is read.")
@by_option
def publish_ground(by: str | None, city: str, published_on: str, **said: str) -> None:
    """公布向信用平台提供的法律依据；文本随之更新，须重新同意 / the basis; residents are asked anew."""
    day = date.fromisoformat(published_on)
    with database() as opened:
        with opened.read() as connection:
            before = store.ground(connection, city)
        ground = Ground(version=1 if before is None else before.version + 1, published_on=day, **said)
        opened.write(
            lambda connection: publish_passport.publish_ground(
                connection, city, ground, by=operator(by), now=datetime.now(UTC)
            )
        )
    click.echo(f"已公布第 {ground.version} 版 / published as version {ground.version}")


@passport.command("publish-benefit")
@city_option
@click.option("--benefit", required=True, help="编号 / its id.")
@click.option("--at-least", required=True, type=click.IntRange(1), help="声明的最低次数 / purchases stated.")
@click.option("--title-zh", required=True)
@click.option("--title-en", required=True)
@click.option("--recipient", required=True, help="核验单位 / who is shown the statement.")
@click.option("--document-number", required=True)
@click.option("--document-url", required=True)
def publish_benefit(city: str, at_least: int, **said: str) -> None:
    """公布声明可享的优惠 / what a statement opens."""
    with database() as opened:
        opened.write(
            lambda connection: publish_passport.publish_benefit(
                connection, city, Benefit(at_least=at_least, **said), datetime.now(UTC)
            )
        )
    click.echo("已公布 / published")


@passport.command("deliver")
@city_option
@click.option("--file", "path", type=click.Path(path_type=Path), help="写入该文件，每行一个 JSON / JSON lines.")
@click.option("--url", help="或发送至该地址（https）/ or to this address.")
def deliver(city: str, path: Path | None, url: str | None) -> None:
    """向信用平台提供已同意的声明与删除请求 / sends what was agreed to, and requests for deletion."""
    if (path is None) == (url is None) or (url is not None and not url.startswith("https://")):
        raise click.UsageError("须给出 --file 或 https 的 --url 之一 / give --file, or --url with https.")
    with database() as opened, httpx.Client() as client:
        platform = PlatformFile(path) if path is not None else PlatformHttp(url or "", client)
        done = deliver_exports(opened, platform, city, datetime.now(UTC))
    click.echo(f"已提供 {done.sent} / sent；待重试 {done.waiting} / waiting")
