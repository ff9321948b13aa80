"""A town and its finance lived at random: invariants I4 to I11 hold, and each shop's account is what its claims come to.

The suite lives one short life, the same each time; `WALKS=20 STEPS=400 FIRST=1` lives as many and as long ones as it says.
"""

import os

import pytest

from backend.storage.transaction import Database
from tests.db.machine.treasury import Treasury

WALKS, STEPS, FIRST = (int(os.environ.get(name, usual)) for name, usual in (("WALKS", 1), ("STEPS", 30), ("FIRST", 1)))
LOOK_EVERY = 10


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_a_town_lived_at_random_keeps_its_books(engine_db: Database, seed: int) -> None:
    town = Treasury(engine_db, f"{300_000 + seed % 90_000}", seed)
    for number in range(1, STEPS + 1):
        said = town.step()
        if number % LOOK_EVERY == 0 or number == STEPS:
            town.assert_holds()
    print(sorted(town.log.items()), said)
