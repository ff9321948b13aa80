"""Goods that come back to the shop of a world's city."""

from datetime import datetime, timedelta

from backend.kernel.ids import new_id
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.storage.transaction import Database
from backend.usecases.return_goods import AskedReturn, Returned, ReturnGoods
from backend.usecases.take_back import Wanted
from backend.usecases.void_baskets import VoidBaskets
from tests.worlds.city import NANJING, NOON
from tests.worlds.redeeming import open_counter

DAY = timedelta(days=1)


def shop_system(database: Database) -> ReturnGoods:
    """One process of the backend, with caches of its own."""
    return ReturnGoods(database, PolicyCache(chart.budget))


def voider(database: Database) -> VoidBaskets:
    return VoidBaskets(database, PolicyCache(chart.budget))


def asked(
    *lines: tuple[str, int, int],
    number: str = "R1",
    store: str = "s1",
    at: datetime = NOON + timedelta(hours=1),
    city: str = NANJING,
) -> AskedReturn:
    """Lines are (basket, line, pieces)."""
    wanted = tuple(Wanted(*line) for line in lines)
    return AskedReturn(city, store, number, "a shop", "c07", "other", None, milliseconds(at), wanted)


def spend(database: Database, amount: int, person: str) -> None:
    """Redeems, what ends first."""
    open_counter(database).redeem(person, amount, new_id())


def bring_back(
    database: Database,
    *lines: tuple[str, int, int],
    number: str = "R1",
    at: datetime = NOON + timedelta(hours=1),
    now: datetime | None = None,
) -> Returned:
    return shop_system(database).give_back(asked(*lines, number=number, at=at), now or at)
