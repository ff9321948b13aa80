"""People of the demonstration: an official for each role in Nanjing, an administrator of Suzhou, one of the province; and
managers of retailers, who sign in at the shops' door.

They share one password, made by chance for this installation; the second factor's code stands on the page, as
GREENPOINTS_DEVELOPMENT_SIGN_IN has it, which production refuses.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from backend.demo.city import CITY, MARKET
from backend.demo.year.shops import SHOPS
from backend.kernel.ids import new_id
from backend.officials import passwords, store
from backend.officials.model import Role
from backend.officials.store import NewOfficial
from backend.storage.children import write_private
from backend.storage.transaction import Database
from backend.usecases.add_official import add_official

BY = "demo"
PASSWORD_BYTES = 12
SUZHOU, JIANGSU = "320500", "320000"
OFFICIALS = (
    ("admin", "周敏", CITY, Role.CITY_ADMINISTRATOR),
    ("admin2", "吴涛", CITY, Role.CITY_ADMINISTRATOR),
    ("author", "陈静", CITY, Role.POLICY_AUTHOR),
    ("approver", "孙立", CITY, Role.APPROVER),
    ("finance", "钱岚", CITY, Role.FINANCE),
    ("finance2", "冯雪", CITY, Role.FINANCE),
    ("cases", "李娜", CITY, Role.CASE_OFFICER),
    ("cases2", "郑凯", CITY, Role.CASE_OFFICER),
    ("fleet", "赵军", CITY, Role.FLEET),
    ("auditor", "王敏", CITY, Role.AUDITOR),
    ("suzhou", "苏明", SUZHOU, Role.CITY_ADMINISTRATOR),
    ("province", "江宁", JIANGSU, Role.PROVINCE),
)
MANAGER, MANAGER_OF_YEAR = "shop", "shop.suzhou"
"""Of the retailer whose till reads pictures; of Suzhou's largest, whose year was made."""


def add_officials(owner: Database, kept: Path, now: datetime) -> str:
    """Their password, and the manager's, kept in the file `kept`. Repeating it is harmless."""
    if not kept.exists():
        write_private(kept, secrets.token_urlsafe(PASSWORD_BYTES))
    password = kept.read_text().strip()
    hashed = passwords.hashed(password)
    wanted = [
        NewOfficial(city, new_id(), login, name, None, frozenset({role}), hashed, BY)
        for login, name, city, role in OFFICIALS
    ]
    wanted.append(_manager(CITY, MARKET.retailer, MANAGER, "林悦", hashed))
    owner.write(lambda connection: _add(connection, wanted, now))
    return password


def add_manager_of_year(owner: Database, kept: Path, now: datetime) -> None:
    """The same for Suzhou, once its shops are there."""
    hashed, store = passwords.hashed(kept.read_text().strip()), SHOPS[0].store
    wanted = [_manager(store.city, store.retailer, MANAGER_OF_YEAR, "顾晴", hashed)]
    owner.write(lambda connection: _add(connection, wanted, now))


def _manager(city: str, retailer: str, login: str, name: str, hashed: str) -> NewOfficial:
    return NewOfficial(city, new_id(), login, name, None, frozenset({Role.SHOPKEEPER}), hashed, BY, retailer)


def _add(connection: Connection, wanted: Sequence[NewOfficial], now: datetime) -> None:
    for new in wanted:
        if store.home_of(connection, new.login) is None:
            add_official(connection, new, now)
            assert new.password_hash is not None
            store.set_password(connection, new.city, new.official, new.password_hash)
