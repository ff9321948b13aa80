"""Residents who asked for it are told before points end: once for each end, whatever happens at that moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from backend.adapters.wechat.client import WechatClient
from backend.residents.consents.model import Purpose
from backend.residents.notices import store
from backend.residents.notices.seal import seal
from backend.storage.transaction import Database
from backend.usecases import send_notices
from backend.usecases.send_notices import SendNotices, Sent
from tests.worlds import rules, wechat
from tests.worlds.books import rows
from tests.worlds.city import FRIDGE, NANJING, NOON, City, open_city, read, resident
from tests.worlds.wechat import APPID, SECRET, WechatServer

LI, TEMPLATE, KEY = resident(7), "tmpl-0123456789abcdef", bytes(32)
END = datetime.fromisoformat("2026-12-31T16:00:00+00:00")
"""The end of 2026-12-31 in China is 16:00 UTC of that day."""


@pytest.fixture
def server() -> Iterator[WechatServer]:
    with wechat.serving() as serving:
        yield serving


@pytest.fixture
def client(server: WechatServer) -> Iterator[WechatClient]:
    made = WechatClient(server.url, APPID, SECRET)
    yield made
    made.close()


@pytest.fixture
def city(engine_db: Database) -> City:
    """Li has 10 points that end with 2026-12-31, agreed to notices, and granted three."""
    city = open_city(engine_db, rules.document() | {"expiry": {"on": "2026-12-31"}})
    city.record(city.till().basket(read(FRIDGE), resident=LI))
    agree(engine_db)
    grant(engine_db, 3)
    return city


def agree(database: Database, who: str = LI) -> None:
    rows_of = (
        "INSERT INTO consent_history (city, resident, number, purpose, given, given_by, text_sha256, at)"
        " VALUES (%s, %s, 1, %s, true, 'resident', %s, %s)"
    )
    database.write(lambda c: c.exec_driver_sql(rows_of, (NANJING, who, Purpose.NOTICES.value, bytes(32), NOON)))


def grant(database: Database, times: int, who: str = LI) -> None:
    sealed = seal(KEY, "oLi", bytes(12))
    for _ in range(times):
        database.write(lambda c: store.grant(c, NANJING, who, NANJING, sealed, NOON))


def left(database: Database) -> int:
    return int(rows(database, "SELECT grants FROM notice_grants")[0][0])


def states(database: Database) -> list[tuple[object, ...]]:
    return rows(database, "SELECT days_before, state FROM notices ORDER BY days_before DESC")


def test_told_thirty_and_seven_days_before_and_once_each(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer
) -> None:
    sending = SendNotices(engine_db, KEY, client, TEMPLATE)
    server.grants["oLi", TEMPLATE] = 3

    days = [31, 30, 29, 8, 7, 6, 0]
    sent = [sending.send(NANJING, END - timedelta(days=day, hours=6)).sent for day in days]

    assert sent == [0, 1, 0, 0, 1, 0, 0]
    assert left(engine_db) == 1
    assert [one["data"]["thing1"]["value"] for one in server.sent] == ["10 分", "10 分"]
    assert server.sent[0]["data"]["time2"]["value"] == "2026年12月31日"
    assert server.sent[0]["touser"] == "oLi"


def test_a_sender_that_dies_after_the_claim_never_sends_twice(
    engine_db: Database, city: City, server: WechatServer
) -> None:
    class Dies:
        def send_notice(self, *_notice: object) -> None:
            raise SystemExit

    now = END - timedelta(days=7)
    with pytest.raises(SystemExit):
        SendNotices(engine_db, KEY, Dies(), TEMPLATE).send(NANJING, now)  # type: ignore[arg-type]  # its one method

    client = WechatClient(server.url, APPID, SECRET)
    assert SendNotices(engine_db, KEY, client, TEMPLATE).send(NANJING, now) == Sent()
    client.close()
    assert (server.sent, states(engine_db), left(engine_db)) == ([], [(7, "claimed")], 2)


def test_a_refused_notice_uses_its_grants_up_and_a_busy_wechat_none(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer
) -> None:
    sending, now = SendNotices(engine_db, KEY, client, TEMPLATE), END - timedelta(days=7)
    server.busy = 9

    assert (sending.send(NANJING, now).waiting, left(engine_db), states(engine_db)) == (1, 3, [])

    server.busy = 0
    assert sending.send(NANJING, now).refused == 1  # 43101: withdrawn at WeChat
    assert (left(engine_db), states(engine_db)) == (0, [(7, "refused")])
    assert sending.send(NANJING, now) == Sent()


def test_a_wechat_that_does_not_answer_is_not_asked_again(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer
) -> None:
    sending, now = SendNotices(engine_db, KEY, client, TEMPLATE), END - timedelta(days=7)
    server.mood = "broken"

    assert sending.send(NANJING, now).unsure == 1

    server.mood = None
    server.grants["oLi", TEMPLATE] = 3
    assert sending.send(NANJING, now) == Sent()
    assert server.sent == []


def test_a_wechat_that_nothing_has_reached_is_asked_again_and_no_grant_is_spent(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer
) -> None:
    server.grants["oLi", TEMPLATE] = 3
    nobody = WechatClient("http://127.0.0.1:1", APPID, SECRET)
    day = END - timedelta(days=30, hours=6)

    away = SendNotices(engine_db, KEY, nobody, TEMPLATE).send(NANJING, day)
    nobody.close()
    assert (away, left(engine_db)) == (Sent(waiting=1), 3)

    assert SendNotices(engine_db, KEY, client, TEMPLATE).send(NANJING, day) == Sent(sent=1)


def test_who_withdrew_consent_is_not_told(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer
) -> None:
    withdrawn = (
        "INSERT INTO consent_history (city, resident, number, purpose, given, given_by, text_sha256, at)"
        " VALUES (%s, %s, 2, %s, false, 'resident', %s, %s)"
    )
    engine_db.write(lambda c: c.exec_driver_sql(withdrawn, (NANJING, LI, Purpose.NOTICES.value, bytes(32), NOON)))
    server.grants["oLi", TEMPLATE] = 3

    assert SendNotices(engine_db, KEY, client, TEMPLATE).send(NANJING, END - timedelta(days=7)) == Sent()
    assert (left(engine_db), server.sent) == (3, [])


def test_as_many_as_are_looked_up_at_once_and_may_not_be_told_keep_nobody_behind_them_from_it(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_notices, "BATCH", 1)
    for number in (2, 3, 4, 9):
        city.record(city.till(number).basket(read(FRIDGE), resident=resident(number)))
        grant(engine_db, 1, resident(number))
    for number in (4, 9):
        agree(engine_db, resident(number))
    server.grants["oLi", TEMPLATE] = 3

    assert SendNotices(engine_db, KEY, client, TEMPLATE).send(NANJING, END - timedelta(days=7)).sent == 3


def test_one_run_tells_no_more_than_it_has_time_for(
    engine_db: Database, city: City, client: WechatClient, server: WechatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_notices, "BATCH", 2)
    monkeypatch.setattr(send_notices, "RUN_MAX", 3)
    for number in (2, 3, 4, 9):
        city.record(city.till(number).basket(read(FRIDGE), resident=resident(number)))
        grant(engine_db, 1, resident(number))
        agree(engine_db, resident(number))
    server.grants["oLi", TEMPLATE] = 5
    sending, now = SendNotices(engine_db, KEY, client, TEMPLATE), END - timedelta(days=7)

    assert [sending.send(NANJING, now).sent for _ in range(3)] == [3, 2, 0]
