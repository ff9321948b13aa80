import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import click
import httpx

from backend import logs
from backend.adapters.chores import Chores, Outside, Work
from backend.adapters.credit_platform import platforms_of
from backend.adapters.jobs import CONCURRENT_JOBS, Jobs
from backend.adapters.previews import Previews
from backend.adapters.schedule import SCHEDULE
from backend.bootstrap import log_key, notices_of
from backend.certificates.cache import RegistryCache
from backend.cli.connection import (
    IDENTITY_KEY_FILE,
    NotConfigured,
    credit_platforms,
    database_url,
    identity_key,
    json_option,
    json_text,
    ledger_key_file,
    reached,
)
from backend.environment import SettingsRefused
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.resident_settings import EXPIRY_TEMPLATE
from backend.settings import load, load_one
from backend.storage.transaction import Database
from backend.usecases.learn_sellers import SellersTerms
from backend.usecases.preview_policy import Place
from backend.usecases.record_baskets import RecordBaskets
from backend.usecases.record_sales import RecordSales
from backend.usecases.resolve_products import ResolveProducts
from backend.usecases.run_previews import PREVIEWS
from backend.usecases.send_notices import SendNotices
from backend.usecases.void_baskets import VoidBaskets

ROLE = "greenpoints_engine"
CONNECTIONS = CONCURRENT_JOBS + 2
"""Long jobs, such as exports and uploads, say how far they are while they read."""
READER = "greenpoints_auditor"

name_argument = click.argument("name", type=click.Choice([planned.name for planned in SCHEDULE]), metavar="NAME")


@click.group(help="定时任务：补核、对账、清理 / recurring work.")
def jobs() -> None:
    pass


@jobs.command()
def work() -> None:
    """按计划运行任务，直到收到停止信号 / runs the schedule until it is told to stop.

    可同时运行多个，每项任务只由其中一个执行。

    As many workers as you like may run; each job runs in one of them.
    """
    logs.configure("info")
    logs.forward_libraries()
    with _jobs() as built:
        asyncio.run(built.work())


@jobs.command()
@name_argument
@json_option
def run(name: str, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """立即执行一项任务 / does one job now, in this process.

    任务被拒绝（如账本不平）时退出码为 1。

    Exit 1 when it is refused, such as by a ledger that does not hold.
    """
    logs.configure("warning", sys.stderr.buffer)
    with _jobs() as built:
        facts = built.run(name)
    if as_json:
        click.echo(json_text(facts))
    else:
        click.echo(f"{name}：" + ("，".join(f"{key} {value}" for key, value in facts.items()) or "完成 / done"))


@jobs.command("list")
@json_option
def list_(as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """列出任务与时间表 / every job with its schedule.

    时间表依次为分、时、日、月、星期，以 UTC 计（北京时间减 8 小时）。

    The schedule is minute, hour, day, month, weekday, in UTC.
    """
    if as_json:
        click.echo(json_text([planned._asdict() for planned in SCHEDULE]))
        return
    for planned in SCHEDULE:
        click.echo(f"{planned.name:<18}{planned.cron:<14}{planned.text_zh} / {planned.text_en}")


def _notices(database: Database) -> SendNotices | None:
    """The jobs need no more than the database, unless residents are to be told of something."""
    return notices_of(load(), database) if EXPIRY_TEMPLATE in os.environ else None


def _sales(database: Database, policies: PolicyCache) -> RecordSales | None:
    """What records files of sales; None where the key that it needs is not set. Raises NotConfigured."""
    if IDENTITY_KEY_FILE not in os.environ:
        return None
    try:
        daily: int = load_one("card_sales_a_day")
    except SettingsRefused as refused:
        raise NotConfigured(faults="; ".join(str(refused).splitlines())) from None
    recorder = RecordBaskets(database, RegistryCache(), policies, line_key=identity_key(), card_sales_a_day=daily)
    return RecordSales(database, recorder, policies)


def _sellers() -> SellersTerms:
    """Raises NotConfigured."""
    try:
        return SellersTerms(load_one("sellers_days"), load_one("sellers_buyers_min"))
    except SettingsRefused as refused:
        raise NotConfigured(faults="; ".join(str(refused).splitlines())) from None


@contextmanager
def _jobs() -> Iterator[Jobs]:
    url = database_url()
    with (
        reached(),
        httpx.Client() as client,
        # One more: an import tells how far it is while its own transaction is open.
        closing(Database(url, role=ROLE, pool_size=CONNECTIONS)) as database,
    ):
        platforms = platforms_of(credit_platforms(), client)
        policies = PolicyCache(chart.budget)
        resolver = ResolveProducts(database, RegistryCache(), policies)
        chores = Chores(
            database,
            resolver,
            VoidBaskets(database, policies),
            policies,
            log_key(ledger_key_file()),
            Outside(_notices(database), platforms, _sellers(), _sales(database, policies)),
        )
        works: dict[str, Work] = {**chores.works(), PREVIEWS: Previews(database, Place(url, READER))}
        yield Jobs(url, ROLE, works, lambda: datetime.now(UTC))
