"""Recurring work of finance: months are closed, the liability of each day is frozen, files are written."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from backend.adapters.planned import EVERY_MINUTE, Facts, Planned, Stopping, Work
from backend.storage.transaction import Database
from backend.usecases.close_settlement import close_last_month
from backend.usecases.export_tables import Ran, run_exports
from backend.usecases.report_liability import freeze_liability

Cities = Callable[[Stopping], Iterator[str]]

SCHEDULE = (
    Planned("write_exports", EVERY_MINUTE, "生成申请的导出文件", "write the files that officials asked for"),
    Planned(
        "freeze_liability",
        "10 17 * * *",
        "每日固定前一日的负债表",
        "freeze what the city owed at the end of the day before",
    ),
    Planned(
        "close_settlements",
        "30 16 * * *",
        "次月首日零时三十分结上月账，生成各商户对账单",
        "close the last month: a statement for each retailer",
    ),
)


def works(database: Database, cities: Cities) -> Mapping[str, Work]:
    """What each of them does. `cities`: every city in turn, until it is told to stop."""

    def write_exports(now: datetime, stopping: Stopping) -> Facts:
        done, began = Ran(), time.monotonic()
        for city in cities(stopping):
            done = done.plus(
                run_exports(database, city, lambda: now + timedelta(seconds=time.monotonic() - began), stopping)
            )
        return done._asdict()

    def freeze(now: datetime, stopping: Stopping) -> Facts:
        return {"rows": sum(freeze_liability(database, city, now) for city in cities(stopping))}

    def close_settlements(now: datetime, stopping: Stopping) -> Facts:
        closed = [close_last_month(database, city, now) for city in cities(stopping)]
        return {"closed": sum(one.new for one in closed), "lines": sum(one.lines for one in closed if one.new)}

    return {"write_exports": write_exports, "freeze_liability": freeze, "close_settlements": close_settlements}
