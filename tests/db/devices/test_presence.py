"""Births and deaths in any order, in any batches, from any number of bridges, end in the greatest session."""

import random
import threading
from functools import partial

from sqlalchemy import text

from backend.devices.health.read import State
from backend.devices.health.store import NewPresence, save_presence
from backend.storage.transaction import Database
from backend.usecases.device_reports import read_report, save_reports
from tests.worlds.city import NANJING


def stored(database: Database) -> dict[str, tuple[int, bool]]:
    with database.read() as connection:
        rows = connection.execute(text("SELECT device, session, online FROM device_presence WHERE city = '320100'"))
        return {device: (session, online) for device, session, online in rows}


def life(device: str, sessions: range, *, ends: bool) -> list[NewPresence]:
    """A birth and a death each session, births repeated as bridges come up; `ends`: the last one has died, too."""
    said = [(session, True) for session in sessions for _ in range(2)]
    said += [(session, False) for session in sessions if ends or session != sessions[-1]]
    return [NewPresence(device, State(*one), "{}", 1_000 + number) for number, one in enumerate(said)]


def test_any_order_in_any_batches_ends_in_the_greatest_session(engine_db: Database) -> None:
    chance = random.Random(7)
    lives = {
        f"till-{n:04}": life(f"till-{n:04}", range(5, 5 + chance.randint(1, 4)), ends=n % 2 == 0) for n in range(60)
    }
    news = [one for said in lives.values() for one in said]
    chance.shuffle(news)

    while news:
        size = chance.randint(1, 60)
        batch, news = news[:size], news[size:]
        engine_db.write(partial(save_presence, city=NANJING, news=batch))

    expected = {device: max(one.rank for one in said) for device, said in lives.items()}
    assert stored(engine_db) == {device: (session, not ended) for device, (session, ended) in expected.items()}


def test_two_bridges_at_once_end_in_the_greatest_session(engine_db: Database) -> None:
    news = [one for n in range(20) for one in life(f"till-{n:04}", range(1, 6), ends=False)]

    def deliver(seed: int) -> None:
        mine = list(news)
        random.Random(seed).shuffle(mine)
        for start in range(0, len(mine), 40):
            engine_db.write(partial(save_presence, city=NANJING, news=mine[start : start + 40]))

    bridges = [threading.Thread(target=deliver, args=(seed,)) for seed in (1, 2)]
    for bridge in bridges:
        bridge.start()
    for bridge in bridges:
        bridge.join()

    assert set(stored(engine_db).values()) == {(5, True)}


def test_a_repeated_birth_is_no_sign_of_life_and_a_death_keeps_what_was_born(engine_db: Database) -> None:
    birth, death = b'{"online":true,"session":9,"fw":"1.2"}', b'{"online":false,"session":9}'

    for at_ms, payload in ((1_000, birth), (900_000, birth), (950_000, death), (960_000, death), (970_000, birth)):
        report = read_report("till-0001", "state", payload, at_ms)
        assert report is not None
        engine_db.write(partial(save_reports, city=NANJING, reports=[report]))

    with engine_db.read() as connection:
        rows = connection.execute(
            text("SELECT online, report, extract(epoch FROM since)::int FROM device_presence")
        ).all()
    assert rows == [(False, birth.decode(), 950)]
