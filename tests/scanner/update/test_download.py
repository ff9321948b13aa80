"""A bundle comes whole, whatever an earlier attempt left of it."""

from pathlib import Path

import pytest

from firmware_bridge.wire.jobs import JobReport, UpdateState
from scanner.update.machine import Machine
from scanner.update.repository import RepositoryAway
from tests.scanner.update.supply import Supply, bundle, work
from tests.scanner.update.test_machine import outcome, till, told

__all__ = ["till", "told"]


def test_what_a_power_cut_damaged_of_a_download_is_fetched_anew(
    till: Machine, slots: Path, supply: Supply, told: list[JobReport], tmp_path: Path
) -> None:
    till.take(supply.publish(bundle(tmp_path)))
    supply.cut_after += [1_000]
    with pytest.raises(RepositoryAway):
        till.step()
    (part,) = slots.glob("*.part")
    part.write_bytes(bytes(1_000))

    work(till)

    assert outcome(told) == (UpdateState.STAGED, None)
