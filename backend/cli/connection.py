"""How a command comes to its database, its operator's name and its way of printing."""

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import psycopg
from environs import ValidationError
from sqlalchemy.exc import OperationalError

from backend.cli.operator import NAME_MAX, system_user
from backend.environment import SettingsRefused, platforms_in
from backend.kernel.errors import DomainError
from backend.kernel.periods import CHINA
from backend.key_files import fault_of, secret_key, signing_key
from backend.resident_settings import PREFIX
from backend.settings import CREDIT_PLATFORMS, LEDGER_KEY_FILE, load_database_url
from backend.storage.transaction import Database

IDENTITY_KEY_FILE = f"{PREFIX}IDENTITY_HASH_KEY_FILE"
_NOT_LET_IN = ("08", "28", "3D", "57P")
"""SQLSTATE: no connection, no such login, no such database, a server that is starting or stopping."""

json_option = click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取 / JSON for machines.")
city_option = click.option(
    "--city", required=True, metavar="CODE", help="城市代码（GB/T 2260），如 320100 / code of the city."
)
by_option = click.option("--by", default=None, help="经办人，默认为登录名 / who is recorded as having done it.")
dry_run_option = click.option("--dry-run", is_flag=True, help="试运行，不写入 / say what would change; store nothing.")


class NotConfigured(DomainError):
    code = "not-configured"
    text_zh = "环境变量 {faults}。"
    text_en = "Environment: {faults}."


class DatabaseUnreachable(DomainError):
    code = "database-unreachable"
    text_zh = "无法连接数据库：{detail}"
    text_en = "The database cannot be reached: {detail}"


@contextmanager
def database(role: str = "greenpoints_engine") -> Iterator[Database]:
    """One connection in `role`. Raises NotConfigured when no database is named, DatabaseUnreachable when it is away."""
    with reached(), closing(Database(database_url(), role=role, pool_size=1)) as opened:
        yield opened


@contextmanager
def reached() -> Iterator[None]:
    """Raises DatabaseUnreachable where the block finds no database, or none that lets it in."""
    try:
        yield
    except (OperationalError, psycopg.OperationalError) as error:
        original = error.orig if isinstance(error, OperationalError) else error
        state = getattr(original, "sqlstate", None)
        if state is not None and not state.startswith(_NOT_LET_IN):
            raise
        raise DatabaseUnreachable(detail=" ".join(str(original).split())) from None


def database_url() -> str:
    try:
        return load_database_url()
    except SettingsRefused as refused:
        raise NotConfigured(faults="; ".join(str(refused).splitlines())) from None


def ledger_key_file() -> Path | None:
    """What signs checkpoints, where it is set. Raises NotConfigured where the file that is named holds no key."""
    named = os.environ.get(LEDGER_KEY_FILE)
    if not named:
        return None
    if fault := fault_of(Path(named), signing_key):
        raise NotConfigured(faults=f"{LEDGER_KEY_FILE}: {fault}")
    return Path(named)


def identity_key() -> bytes:
    """What hashes identities. Raises NotConfigured where no file is named, or it holds no key."""
    named = os.environ.get(IDENTITY_KEY_FILE, "")
    fault = fault_of(Path(named), secret_key) if named else "必须设置 / required"
    if fault:
        raise NotConfigured(faults=f"{IDENTITY_KEY_FILE}: {fault}")
    return secret_key(Path(named))


def credit_platforms() -> dict[str, str]:
    """Where each city's credit platform is. Raises NotConfigured."""
    try:
        return platforms_in(os.environ.get(CREDIT_PLATFORMS, ""))
    except ValidationError as error:
        raise NotConfigured(faults=f"{CREDIT_PLATFORMS}: {error.messages[0]}") from None


def operator(by: str | None) -> str:
    return by[:NAME_MAX] if by else system_user()


def moment(at: datetime) -> str:
    """Civil time in China, to the second, for people; JSON keeps the instant itself."""
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def json_text(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
