"""Every transfer gets one entry, in one order, whoever seals and however often; checkpoints are signed when they are due."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from backend.checkpoints import queries
from backend.checkpoints.merkle import inclusion, node_hash, rows_of
from backend.usecases.prove_award import prove_growth
from backend.usecases.seal_ledger import SealedNow
from tests.db.checkpoints.conftest import Trade
from tests.worlds.city import NANJING, NOON

ENTRIES = "SELECT entry, reference::text || step || line FROM log_entries ORDER BY entry"
SEALED = """
SELECT reference::text || step || line FROM transfers UNION ALL
SELECT act::text || 0 || 0 FROM acts WHERE city = '320100'"""


def test_every_transfer_and_act_has_one_entry_and_the_next_begin_where_they_end(trade: Trade) -> None:
    trade.sell(120)
    first = trade.seal()
    trade.sell(30, till=2)
    trade.act(4)

    assert first.entries == len(trade.run(ENTRIES))
    assert trade.seal(minutes=1).entries == 34
    assert trade.seal(minutes=2) == SealedNow(0, 0)
    found = trade.run(ENTRIES)
    assert [number for number, _ in found] == list(range(len(found)))
    assert sorted(key for _, key in found) == sorted(key for (key,) in trade.run(SEALED))


def test_many_who_seal_at_once_seal_once(trade: Trade) -> None:
    trade.sell(200)
    trade.act(30)

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda _: trade.seal(batch=20), range(6)))

    assert sum(each.entries for each in done) == len(trade.run(SEALED)) == len(trade.run(ENTRIES))


def test_a_transfer_that_was_committed_late_is_sealed_within_the_hour_or_by_night(trade: Trade) -> None:
    trade.sell(5)
    trade.seal()
    trade.sell(1, till=2, at=NOON - timedelta(minutes=59))
    trade.sell(1, till=3, at=NOON - timedelta(minutes=61))

    assert trade.seal(minutes=1).entries == 1
    assert trade.seal(minutes=2, since_ever=True).entries == 1


def test_a_checkpoint_is_due_after_ten_minutes_or_a_thousand_entries(trade: Trade) -> None:
    trade.sell(3)
    signed = [trade.seal().checkpoints]
    trade.sell(3, till=2)
    signed += [trade.seal(minutes=minutes).checkpoints for minutes in (9, 10, 30)]
    for till in range(3, 24):
        trade.sell(50, till=till)
    signed.append(trade.seal(minutes=31, batch=1_000).checkpoints)

    assert signed == [1, 0, 1, 0, 1]
    assert [size for (size,) in trade.run("SELECT size FROM checkpoints ORDER BY size")] == [
        5,
        8,
        1_008,
    ]  # the policy that was published is the fifth


def test_the_roots_are_of_the_entries_and_each_log_begins_with_the_last(trade: Trade) -> None:
    for till in range(1, 8):
        trade.sell(50, till=till)
        trade.seal(minutes=10 * till)

    with trade.city.database.read() as connection:
        made = queries.checkpoints(connection, NANJING, limit=10)
        assert len(made) == 7
        for each in made:
            last = each.size - 1
            hashes = queries.hashes(connection, NANJING, rows_of([last], each.size))
            found = hashes(0, last)
            for step in inclusion(hashes, last, each.size):  # whatever stands beside the last entry, stands left of it
                found = node_hash(step, found)
            assert found == each.root
        assert prove_growth(connection, NANJING, made[3].size, made[0].size)
