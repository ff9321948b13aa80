"""Programs of a running installation, started once for all journeys; tests that need a fresh city take another code."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.broker import find_mosquitto
from tests.journeys.town import Town, till_of
from tests.worlds.homes import new_home

TILLS = 14
"""With keys from the beginning; each test takes numbers of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def served() -> Iterator[Town]:
    """PostgreSQL and the server. JOURNEY_KEEP leaves their files and logs behind."""
    home = new_home("journey")
    town = Town.found(home, [till_of(number).device for number in range(TILLS)])
    try:
        town.run_server()
        yield town
    finally:
        town.close()
        if os.environ.get("JOURNEY_KEEP"):
            print(f"\n  the logs are in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def town(served: Town) -> Town:
    """The same with a broker and a bridge."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto): no till can reach the bridge")
    served.run_transport()
    return served
