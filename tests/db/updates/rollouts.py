"""A rollout and its fleet in a test's hands."""

from collections import Counter
from datetime import timedelta

import orjson

from backend.devices import store as device_store
from backend.devices.store import Report
from backend.devices.updates.model import Release, Rollout, RolloutState
from backend.kernel.periods import milliseconds
from backend.storage.transaction import Database
from backend.usecases.move_rollout import MovedOn, move_rollout
from backend.usecases.offer_update import offer_update
from tests.worlds import books
from tests.worlds.city import NANJING, NOON

ROLLOUT = "01980000-0000-7000-8000-000000000001"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RELEASE = Release("till-2.0.tar", "2.0", ("pi4", "pi5"), "1.0")
FLEET = 60


def till(number: int) -> str:
    return f"nj-till-{number:04}"


def offer(database: Database, rollout: str = ROLLOUT, city: str = NANJING, release: Release = RELEASE) -> Rollout:
    made = Rollout(rollout, release, RolloutState.CREATED, 0, NOON, DAY, 3 * DAY, "Li", NOON)
    database.write(lambda connection: offer_update(connection, city, made))
    return made


def report(
    database: Database, device: str, state: str, rollout: str = ROLLOUT, *, at_h: int = 1, **more: object
) -> None:
    fields = {"v": 1, "job": "update", "rollout": rollout, "state": state, "version": "1.0", "reason": None, **more}
    said = Report(device, "job", orjson.dumps(fields).decode(), milliseconds(NOON + at_h * HOUR))
    database.write(lambda connection: device_store.save_reports(connection, NANJING, [said]))


def move(database: Database, after: timedelta, city: str = NANJING) -> MovedOn:
    return database.write(lambda connection: move_rollout(connection, city, NOON + after))


def state(database: Database, rollout: str = ROLLOUT) -> tuple[object, ...]:
    (found,) = books.rows(
        database, "SELECT state, stage, reason FROM rollouts WHERE rollout = CAST(:rollout AS uuid)", rollout=rollout
    )
    return tuple(found)


def devices(database: Database) -> dict[str, str]:
    return dict(books.rows(database, "SELECT device, state FROM rollout_devices"))


def jobs(database: Database, kind: str) -> Counter[str]:
    """How often each till was sent a job of that kind."""
    rows = books.rows(database, "SELECT topic, payload FROM downlinks WHERE topic LIKE '%/down/job'")
    return Counter(topic.split("/")[2] for topic, payload in rows if orjson.loads(bytes(payload))["job"] == kind)


def settle(database: Database, outcome: str = "committed", at_h: int = 1) -> None:
    """Every till that was offered the release says how it ended."""
    version = "2.0" if outcome == "committed" else "1.0"
    for device, found in devices(database).items():
        if found == "offered":
            report(database, device, outcome, version=version, at_h=at_h)
