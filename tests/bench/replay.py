"""A hundred thousand mixed decisions, taken by the engine and taken again from what it stored: all equal."""

import time

from backend.storage.migrate import upgrade
from backend.storage.transaction import Database
from backend.usecases.replay_decisions import Wanted, replay_decisions
from tests.bench.ground import Ground
from tests.bench.report import Ratio, say
from tests.worlds import mixed
from tests.worlds.city import NANJING

SCANS = 96_000
"""With the second decisions of what was unknown at first, a little more than a hundred thousand decisions."""


def replay_equal_share(ground: Ground, alternations: int) -> Ratio:
    """The share of decisions that come to themselves; must be all of them. `alternations` makes cities of other seeds."""
    url = ground.database()
    upgrade(url)
    database = Database(url, role="greenpoints_engine")
    try:
        began = time.perf_counter()
        mixed.fill(database, SCANS, seed=alternations)
        filled = time.perf_counter()
        found = replay_decisions(database, NANJING, Wanted())
        took = time.perf_counter() - filled
    finally:
        database.close()
    for place, fault in found.breaks:
        say(f"  {place}: {fault}")
    say(f"  {found.checked:,} 项核定 / decisions: taken in {filled - began:.0f} s, again in {took:.0f} s")
    return Ratio("replay_equal_share", 1 - found.broken / found.checked, 1.0)
