"""One basket that makes the work fail holds up no other; what passes by itself is nobody's fault; a fault of ours, which hits
every basket, sets aside a few and then nothing more.
"""

from collections.abc import Iterable, Mapping

import psycopg
import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from backend import metrics
from backend.certificates.cache import RegistryCache
from backend.certificates.model import Entry
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.usecases.record_baskets import CULPRITS_MAX, RecordBaskets
from backend.usecases.resolve_products import ResolveProducts
from tests.worlds import books
from tests.worlds.city import (
    FRIDGE,
    LINE_KEY,
    NANJING,
    NOON,
    UNCERTIFIED,
    WASHER,
    City,
    read,
    register,
    resident,
    states,
)
from tests.worlds.later import LATER, assert_sound, open_codes, resolve

LI = resident(1)
MARKED = 7
"""The quantity of the read that the database, or the registry, fails at."""
FAIL = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'planted' USING ERRCODE = '{state}'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON decisions FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fail()"""
MEND = "DROP TRIGGER fail ON decisions; DROP FUNCTION fail()"
NOT_OF_A_VALUE = ["54000", "XX001", "P0001", "42501"]


class Broken:
    """A registry with a bug that one code brings out."""

    def __init__(self, code: str) -> None:
        self.code, self.real = code, RegistryCache()

    def lookup(self, connection: Connection, keys: Iterable[str]) -> Mapping[str, tuple[Entry, ...]]:
        return self.real.lookup(connection, self._met(set(keys)))

    def as_of(self, connection: Connection, keys: set[str], version: int) -> Mapping[str, tuple[Entry, ...]]:
        return self.real.as_of(connection, self._met(keys), version)

    def _met(self, keys: set[str]) -> set[str]:
        if any(self.code in key for key in keys):
            raise ZeroDivisionError("planted")
        return keys


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


def plant(url: str, state: str, when: str = f"NEW.quantity = {MARKED}") -> None:
    run(url, FAIL.format(state=state, when=when))


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(statement)


def counted(doing: str) -> float:
    value: float = metrics.culprits.labels(doing)._value.get()
    return value


@pytest.mark.parametrize("state", NOT_OF_A_VALUE)
def test_any_lasting_error_of_the_database_quarantines_its_basket_alone(
    city: City, database_url: str, state: str
) -> None:
    plant(database_url, state)
    till, before = city.till(), counted("record_baskets")
    arrivals = [till.basket(read(FRIDGE, qty=MARKED if n == 4 else 1), resident=LI) for n in range(9)]

    with capture_logs() as logs:
        answers = city.record(*arrivals)

    assert states(answers) == ["recorded"] * 4 + ["quarantined"] + ["recorded"] * 4
    assert answers[4].code == f"sqlstate_{state}"
    assert books.rows(city.database, "SELECT payload FROM quarantine") == [(arrivals[4].basket.line,)]
    (line,) = [log for log in logs if log["event"] == "culprit_left_out"]
    assert (line["log_level"], line["item"], line["exc_info"]) == ("error", arrivals[4].basket.basket, True)
    assert counted("record_baskets") == before + 1
    assert_sound(city.database, NANJING)


def test_an_unexpected_exception_for_one_basket_quarantines_it_alone(city: City) -> None:
    recorder = RecordBaskets(city.database, Broken(WASHER), PolicyCache(chart.budget), line_key=LINE_KEY)
    till = city.till()
    arrivals = [till.basket(read(WASHER if n == 2 else FRIDGE), resident=LI) for n in range(7)]

    answers = recorder.record(NANJING, arrivals, NOON)

    assert states(answers) == ["recorded"] * 2 + ["quarantined"] + ["recorded"] * 4
    assert answers[2].code == "unexpected"
    assert books.rows(city.database, "SELECT payload FROM quarantine") == [(arrivals[2].basket.line,)]
    assert_sound(city.database, NANJING)


def test_a_fault_that_hits_every_basket_sets_a_few_aside_and_then_fails(city: City) -> None:
    recorder = RecordBaskets(city.database, Broken(""), PolicyCache(chart.budget), line_key=LINE_KEY)
    till = city.till()
    arrivals = [till.basket(read(FRIDGE), resident=LI) for _ in range(CULPRITS_MAX * 3)]

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            recorder.record(NANJING, arrivals, NOON)

    assert books.count(city.database, "quarantine", NANJING) == CULPRITS_MAX
    assert books.count(city.database, "baskets", NANJING) == 0


def test_a_process_that_records_again_may_set_aside_again(city: City) -> None:
    recorder = RecordBaskets(city.database, Broken(WASHER), PolicyCache(chart.budget), line_key=LINE_KEY)
    till = city.till()

    for _ in range(CULPRITS_MAX + 1):
        bad, good = till.basket(read(WASHER)), till.basket(read(FRIDGE))
        assert states(recorder.record(NANJING, [bad, good], NOON)) == ["quarantined", "recorded"]


def test_values_that_the_database_refuses_are_set_aside_however_many(city: City, database_url: str) -> None:
    plant(database_url, "22003")
    till = city.till()

    answers = city.record(*(till.basket(read(FRIDGE, qty=MARKED)) for _ in range(CULPRITS_MAX + 5)))

    assert states(answers) == ["quarantined"] * (CULPRITS_MAX + 5)


@pytest.mark.parametrize("state", ["57014", "53100", "53200", "25006"])
def test_what_passes_by_itself_is_no_baskets_fault(city: City, database_url: str, state: str) -> None:
    plant(database_url, state)
    till = city.till()

    with pytest.raises(psycopg.Error):
        city.record(till.basket(read(FRIDGE)), till.basket(read(FRIDGE, qty=MARKED)))

    assert books.count(city.database, "quarantine", NANJING) == books.count(city.database, "baskets", NANJING) == 0


def _wait(city: City, baskets: int) -> None:
    till = city.till()
    city.record(*(till.basket(read(UNCERTIFIED, qty=MARKED if n == 3 else 1), resident=LI) for n in range(baskets)))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"})


@pytest.mark.parametrize("state", [*NOT_OF_A_VALUE, "22003", "23514"])
def test_one_basket_that_cannot_be_decided_waits_and_the_others_do_not(
    city: City, database_url: str, state: str
) -> None:
    _wait(city, 9)
    plant(database_url, state)
    before = counted("resolve_products")

    with capture_logs() as logs:
        done = resolve(city)

    assert done._asdict() == {"codes": 0, "scans": 8, "awarded": 8, "failed": 1}
    assert [log["log_level"] for log in logs if log["event"] == "culprit_left_out"] == ["error"]
    assert counted("resolve_products") == before + 1
    assert open_codes(city.database, NANJING) != []
    assert_sound(city.database, NANJING)
    run(database_url, MEND)
    assert resolve(city)._asdict() == {"codes": 1, "scans": 1, "awarded": 1, "failed": 0}
    assert_sound(city.database, NANJING)


def test_an_unexpected_exception_holds_up_one_waiting_basket_alone(city: City) -> None:
    other = "9521234000983"
    till = city.till()
    city.record(till.basket(read(UNCERTIFIED), resident=LI), till.basket(read(other), resident=LI))
    register(city.database, {"code": UNCERTIFIED, "grade": "1"}, {"code": other, "grade": "1"})
    registry = Broken("none")
    resolver = ResolveProducts(city.database, registry, PolicyCache(chart.budget))
    known = resolver._known(open_codes(city.database, NANJING))
    registry.code = other

    done = resolver._resolve(NANJING, known, LATER, lambda: False)

    assert done._asdict() == {"codes": 1, "scans": 1, "awarded": 1, "failed": 1}


@pytest.mark.parametrize("state", ["57014", "53100", "25006"])
def test_a_pass_ends_when_the_database_is_busy(city: City, database_url: str, state: str) -> None:
    _wait(city, 9)
    plant(database_url, state)

    with pytest.raises(psycopg.Error):
        resolve(city)

    assert books.count(city.database, "decisions", NANJING) == 9
