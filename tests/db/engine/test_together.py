"""Batches of several callers in one transaction: each caller is told of its own baskets, and pays for its own faults."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event

from backend.scans.model import Recorded
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival, RecordBaskets
from backend.usecases.record_together import LEADERS_MAX, RecordTogether
from tests.worlds.city import FRIDGE, NANJING, NOON, WASHER, open_city, read, resident, states
from tests.worlds.later import assert_sound

LONG_S = 20


class Gated:
    """Holds the first batches back until it is told, and counts the baskets of each transaction."""

    def __init__(self, recorder: RecordBaskets) -> None:
        self.sizes: list[int] = []
        self.begun, self.go = Event(), Event()
        self._recorder = recorder

    def record(self, city: str, arrivals: Sequence[Arrival], now: datetime) -> list[Recorded]:
        self.sizes.append(len(arrivals))
        if len(self.sizes) == LEADERS_MAX:
            self.begun.set()
        assert self.go.wait(LONG_S)
        return self._recorder.record(city, arrivals, now)


def test_batches_that_wait_share_a_transaction_and_each_caller_has_its_own_answers(engine_db: Database) -> None:
    city = open_city(engine_db)
    tills = [city.till(number) for number in range(1, LEADERS_MAX + 1)]
    leading = [[till.basket(read(FRIDGE), resident=resident(1))] for till in tills]
    till, stolen = city.till(8), city.till(8)
    waiting = [
        [till.basket(read(FRIDGE), resident=resident(1)), till.basket(read(WASHER), resident=resident(2))],
        [stolen.basket(read(WASHER), resident=resident(3))],  # the number of the first, for other goods
        [city.till(9).basket(read(FRIDGE), resident=resident(1))],
    ]
    gated = Gated(city.recorder)
    together = RecordTogether(gated)

    with ThreadPoolExecutor(5) as threads:
        first = [threads.submit(together.record, NANJING, batch, NOON) for batch in leading]
        assert gated.begun.wait(LONG_S)
        rest = []
        for number, batch in enumerate(waiting, 1):
            rest.append(threads.submit(together.record, NANJING, batch, NOON))
            while len(together._shared._queues[NANJING]) < number:
                pass
        gated.go.set()
        answers = [each.result(LONG_S) for each in rest]

    assert [states(each.result()) for each in first] == [["recorded"]] * LEADERS_MAX
    assert [states(each) for each in answers] == [["recorded", "recorded"], ["quarantined"], ["recorded"]]
    assert [[one.seq for one in each] for each in answers] == [[1, 2], [1], [1]]
    assert gated.sizes == [1] * LEADERS_MAX + [4]
    assert_sound(engine_db, NANJING)
