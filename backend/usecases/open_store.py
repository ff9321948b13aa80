"""A shop is entered, once: tills are enrolled into it, and its district is a fact that rules may look at."""

import re
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.errors import DomainError
from backend.retailers import store as shops
from backend.retailers.store import Store

_STORE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_DISTRICT = re.compile(r"\d{6}")
CITY_DIGITS = 4
NAME_MAX = 100


class StoreRefused(DomainError):
    code = "store-refused"
    text_zh = "门店登记有误：{what_zh}。"
    text_en = "The store cannot be entered: {what_en}."


def open_store(connection: Connection, store: Store, now: datetime) -> bool:
    """True when it is new, False when the very same store was entered before.

    Raises StoreRefused for a malformed number, a district outside the city, or a number that stands for another store.
    """
    if not _STORE.fullmatch(store.store):
        raise StoreRefused(
            what_zh="编号须为 1-64 个字母、数字或 _.:-", what_en="its number has 1-64 letters, digits or _.:-"
        )
    if not _DISTRICT.fullmatch(store.district) or store.district[:CITY_DIGITS] != store.city[:CITY_DIGITS]:
        raise StoreRefused(what_zh="区县代码不属于该城市", what_en="its district is not in the city")
    if not (0 < len(store.name_zh) <= NAME_MAX and 0 < len(store.retailer) <= NAME_MAX):
        raise StoreRefused(what_zh="名称须为 1-100 个字", what_en="names have 1-100 characters")
    if shops.insert_store(connection, store, now):
        told = {"retailer": store.retailer, "shop": store.name_zh, "district": store.district}
        record(connection, Act(What.STORE_OPENED, store.city, "store", store.store, now, after=told))
        return True
    if shops.find_store(connection, store.city, store.store) != store:
        raise StoreRefused(what_zh="该编号已登记为另一门店", what_en="its number stands for another store")
    return False
