from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scanner.till.conftest import backend, new_broker, shop
from tests.scanner.update.supply import Supply, furnish

__all__ = ["backend", "new_broker", "shop"]


@pytest.fixture(autouse=True)
def _no_sync_of_the_whole_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sync", lambda: None)


@pytest.fixture
def supply(tmp_path: Path) -> Iterator[Supply]:
    made = Supply.make(tmp_path)
    with made.served():
        yield made


@pytest.fixture
def slots(tmp_path: Path) -> Path:
    return furnish(tmp_path / "slots")
