"""Settings from afar, through every real program: an operator desires, the till applies, the register knows."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.demo.supervisor import Service
from backend.devices import fleet
from backend.devices.fleet import FleetRow
from backend.devices.health.model import Condition
from backend.devices.twin.model import Agreement
from backend.usecases.set_twin import SetTwin, set_twin
from tests.journeys.town import Town, till_of, utc_now, wait_until
from tests.worlds.city import NANJING

TILL = till_of(12)


@contextmanager
def running(town: Town, service: Service) -> Iterator[None]:
    town.programs.start(service)
    try:
        yield
    finally:
        town.programs.stop(service.name)


def row(town: Town) -> FleetRow:
    with town.owner.read() as connection:
        found = fleet.find(connection, TILL.device, utc_now())
    assert found is not None
    return found


def test_what_is_desired_is_applied_and_known_and_a_stopped_till_is_offline(town: Town) -> None:
    town.enrol(TILL, NANJING)
    wanted = SetTwin(TILL.device, 0, {"health_interval_s": "1", "finish_code": "GPEND"}, "ops")
    desired, _ = town.owner.write(lambda connection: set_twin(connection, wanted, utc_now()))
    place = town.home / "twin"

    with running(town, town.till(TILL, place, TWIN_TRIAL_S="1")):
        wait_until(lambda: row(town).twin is Agreement.APPLIED, "the settings to be applied")
        wait_until(
            lambda: (health := row(town).health) is not None and health.every_s == 1, "health by the new settings"
        )
        seen = row(town)
        assert seen.reported is not None
        assert (seen.reported.applied_version, seen.reported.sha256) == (1, desired.sha256)
        assert seen.standing.condition is Condition.ONLINE
        assert seen.health is not None
        assert (seen.health.baskets, seen.health.source, seen.health.set_aside) == (0, "stdin", False)
        assert seen.health.certificate_ends is not None

    wait_until(lambda: row(town).standing.condition is Condition.OFFLINE, "the till to be offline")
