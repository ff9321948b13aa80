"""What the province's document set, and what the demonstration city has set itself, so that the pages have something to show.

The province's values are those of 苏政办发〔2022〕21号 as 江南时报 reported them on 2022-04-10; where progress is entered by hand
none is invented. A city's own are invented, and say so.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.storage.transaction import Database
from backend.targets.model import Goal, Measure, Target, Yardstick
from backend.usecases.set_target import set_target

FOUNDER = Actor(f"{COMMAND}:demonstration", COMMAND)
DOCUMENT = "苏政办发〔2022〕21号《关于深入推进绿色认证促进绿色低碳循环发展的意见》"
REPORT = "http://www.jntimes.cn/zdzx/202204/t20220410_7497143.shtml"
JIANGSU = "320000"
ISSUED_ON, DUE_ON = date(2022, 3, 19), date(2025, 12, 31)
OF_THE_PROVINCE = (
    ("全省有机产品认证证书力争突破 2000 张", 2_000, "张"),
    ("绿色优质农产品比重达 75% 以上", 75, "%"),
    ("全省各类服务认证有效证书达 10000 张", 10_000, "张"),
    ("全省各类环境管理体系认证证书达 50000 张", 50_000, "张"),
    ("全省能源管理体系认证证书达 1500 张", 1_500, "张"),
    ("节能节水低碳产品认证有效证书达 7000 张", 7_000, "张"),
)


@acting(FOUNDER)
def set_targets(owner: Database, city: str, begins_on: date, due_on: date, now: datetime) -> None:
    """`begins_on`: when the demonstration's sales begin. Repeating it is harmless."""
    for place, targets in ((JIANGSU, _of_the_province(now)), (city, _of_a_city(city, begins_on, due_on, now))):
        for one in targets:
            owner.write(lambda connection: set_target(connection, place, one))  # noqa: B023 - called at once


def _of_the_province(now: datetime) -> Iterator[Target]:
    for title, value, unit in OF_THE_PROVINCE:
        yardstick = Yardstick(Measure.BY_HAND, None, unit, ISSUED_ON, 0, None)
        goal = Goal(title, value, DUE_ON, DOCUMENT, "具体目标", REPORT)
        yield _target(JIANGSU, yardstick, goal, now)


def _of_a_city(city: str, begins_on: date, due_on: date, now: datetime) -> Iterator[Target]:
    wanted = (
        ("演示：参与居民 600 人", Measure.PARTICIPANTS, 600),
        ("演示：认证商品销量 20000 件", Measure.CERTIFIED_UNITS, 20_000),
        ("演示：核定补贴 50 万元", Measure.SUBSIDY_GRANTED, 50_000_000),
        ("演示：有效证书 120 张", Measure.VALID_CERTIFICATES, 120),
        ("演示：活跃门店 10 家", Measure.ACTIVE_STORES, 10),
        ("演示：覆盖区县 6 个", Measure.DISTRICTS_REACHED, 6),
    )
    for title, measure, value in wanted:
        goal = Goal(title, value, due_on, "演示文件（虚构）", None, None)
        yield _target(city, Yardstick(measure, None, None, begins_on, 0, None), goal, now)


def _target(city: str, yardstick: Yardstick, goal: Goal, now: datetime) -> Target:
    number = str(UUID(bytes=hashlib.sha256(f"target {city} {goal.title_zh}".encode()).digest()[:16], version=4))
    return Target(number, 1, yardstick, goal, withdrawn=False, reason=None, by="demo", at=now)
