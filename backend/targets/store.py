from datetime import date, datetime

from sqlalchemy import Connection

from backend.storage.transaction import hot
from backend.targets.model import Reading, Target

ADD = """
INSERT INTO policy_targets (city, target, revision, measure, scheme, unit, begins_on, start, follows, title_zh, value, due_on,
                            document, clause, link, withdrawn, reason, entered_by, entered_at)
VALUES (%(city)s, %(target)s, %(revision)s, %(measure)s, %(scheme)s, %(unit)s, %(begins_on)s, %(start)s, %(follows)s,
        %(title_zh)s, %(value)s, %(due_on)s, %(document)s, %(clause)s, %(link)s, %(withdrawn)s, %(reason)s, %(by)s, %(at)s)
ON CONFLICT DO NOTHING"""

ENTER = """
INSERT INTO target_readings (city, target, number, on_day, value, source, link, entered_by, entered_at)
VALUES (%(city)s, %(target)s, %(number)s, %(on)s, %(value)s, %(source)s, %(link)s, %(by)s, %(at)s)
ON CONFLICT DO NOTHING"""

KEEP = """
INSERT INTO target_progress (city, target, on_day, value, reckoned_at)
VALUES (%(city)s, %(target)s, %(on)s, %(value)s, %(now)s)
ON CONFLICT (city, target, on_day) DO UPDATE SET value = EXCLUDED.value, reckoned_at = EXCLUDED.reckoned_at"""


def add(connection: Connection, city: str, one: Target) -> bool:
    """False where this revision is there already."""
    given = {**one.yardstick._asdict(), **one.goal._asdict(), "measure": one.yardstick.measure.value}
    rest = {name: getattr(one, name) for name in ("target", "revision", "withdrawn", "reason", "by", "at")}
    return hot(connection, ADD, {"city": city, **given, **rest}).rowcount == 1


def enter(connection: Connection, city: str, target: str, number: int, reading: Reading) -> bool:
    """False where a reading of this number is there already."""
    given = {"city": city, "target": target, "number": number, **reading._asdict()}
    return hot(connection, ENTER, given).rowcount == 1


def keep(connection: Connection, city: str, target: str, measured: tuple[date, int], now: datetime) -> None:
    on, value = measured
    hot(connection, KEEP, {"city": city, "target": target, "on": on, "value": value, "now": now})
