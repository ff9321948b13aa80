"""Tills in the console: entered, watched, set, replaced, revoked; updates offered, paused and ended. Of one's own city alone."""

import re
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.devices.health.read import State
from backend.devices.health.store import NewPresence, save_presence
from backend.officials.model import Role
from backend.retailers.store import Store
from backend.scans import gaps
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.move_rollout import move_rollout
from backend.usecases.open_store import open_store
from tests.http.conftest import Clock
from tests.worlds import books, officials
from tests.worlds.city import NANJING, SUZHOU

TILLS = ("nj-till-0001", "nj-till-0002")
OFFER = {"target": "till-2.0.tar", "version": "2.0", "hardware": "pi4, pi5", "min_version": "1.0"}


def furnished(database: Database, now: datetime, retailer: str = "示例商贸") -> None:
    """Two tills in two districts of Nanjing, of which one went; one in Suzhou. In shops of `retailer`."""
    with acting(Actor("command:tests", "command")):
        for city, device, district in (
            (NANJING, TILLS[0], "320102"),
            (NANJING, TILLS[1], "320106"),
            (SUZHOU, "sz-till-0001", "320508"),
        ):
            shop = Store(city, f"s-{device}", retailer, f"示例店{device[-1]}", district)
            database.write(partial(open_store, store=shop, now=now))
            database.write(
                partial(
                    enrol_device,
                    enrolment=Enrolment(device, city, shop.store, "k1", device.encode().ljust(32)),
                    now=now,
                )
            )
    gone = [
        NewPresence(TILLS[1], State(1, online=True), "{}", 1),
        NewPresence(TILLS[1], State(1, online=False), "{}", 2),
    ]
    database.write(partial(save_presence, city=NANJING, news=gone))


@pytest.fixture
def desk(client: FlaskClient, engine_db: Database, clock: Clock) -> FlaskClient:
    furnished(engine_db, clock.now)
    return officials.signed_in(client, engine_db, clock.now, Role.FLEET)


def send(client: FlaskClient, path: str, **form: str) -> TestResponse:
    return client.post(f"/console{path}", data={"csrf": client.csrf, **form})  # type: ignore[attr-defined]


def text(client: FlaskClient, path: str) -> str:
    return client.get(f"/console{path}").get_data(as_text=True)


def test_the_list_holds_the_citys_tills_and_can_show_those_that_are_gone(desk: FlaskClient) -> None:
    all_of_them, gone = text(desk, "/tills"), text(desk, "/tills?show=absent")

    assert all(device in all_of_them for device in TILLS)
    assert "sz-till-0001" not in all_of_them
    assert (TILLS[0] in gone, TILLS[1] in gone) == (False, True)
    assert "离线" in all_of_them


def test_an_official_of_one_district_sees_its_tills_alone(
    client: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    furnished(engine_db, clock.now)
    officials.signed_in(client, engine_db, clock.now, Role.FLEET, district="320106")

    assert TILLS[0] not in text(client, "/tills")
    assert client.get(f"/console/tills/{TILLS[0]}").status_code == 404
    assert client.get(f"/console/tills/{TILLS[1]}").status_code == 200


@pytest.mark.parametrize("act", ["settings", "revoke", "replace"])
def test_a_till_of_another_city_is_out_of_reach(desk: FlaskClient, engine_db: Database, act: str) -> None:
    refused = send(desk, f"/tills/sz-till-0001/{act}", successor="sz-till-0009", version="0")

    assert refused.status_code == 404
    assert books.rows(engine_db, "SELECT state FROM device_directory WHERE device = 'sz-till-0001'") == [("active",)]


def test_a_till_is_entered_by_a_claim_that_is_shown_once(desk: FlaskClient) -> None:
    shown = send(desk, "/tills/new", device="nj-till-0003", store=f"s-{TILLS[0]}").get_data(as_text=True)

    token = re.search(r"<code>([^<]+)</code>", shown)
    assert token
    assert "data:image/svg+xml" in shown
    assert token[1] not in text(desk, "/tills")


def test_a_wrong_entry_keeps_what_was_typed_and_says_why(desk: FlaskClient) -> None:
    refused = send(desk, "/tills/new", device="nj-till-0003", store="nowhere")

    assert refused.status_code == 404
    assert 'value="nj-till-0003"' in refused.get_data(as_text=True)
    assert "没有编号为 nowhere 的门店" in refused.get_data(as_text=True)


def test_settings_are_sent_checked_and_not_overwritten_unseen(desk: FlaskClient) -> None:
    page = f"/tills/{TILLS[0]}"
    assert send(desk, f"{page}/settings", version="0", **{"set-basket_timeout_s": "90"}).status_code == 303
    assert 'value="90"' in text(desk, page)

    stale = send(desk, f"{page}/settings", version="0", **{"set-basket_timeout_s": "60"})
    wrong = send(desk, f"{page}/settings", version="1", **{"set-basket_timeout_s": "1"})

    assert (stale.status_code, wrong.status_code) == (409, 422)
    assert 'value="90"' in text(desk, page)
    assert send(desk, f"{page}/settings", version="1").status_code == 303
    assert 'value="90"' not in text(desk, page)


def test_a_revoked_till_stays_so_and_the_act_is_on_record(desk: FlaskClient, engine_db: Database) -> None:
    assert send(desk, f"/tills/{TILLS[0]}/revoke").status_code == 303

    assert "已停用" in text(desk, f"/tills/{TILLS[0]}")
    whose = books.rows(engine_db, "SELECT who FROM acts WHERE key = :d AND what = 'device-revoked'", d=TILLS[0])
    assert len(whose) == 1
    assert not str(whose[0][0]).startswith("command:")


def test_a_replaced_till_is_revoked_and_its_successor_has_a_claim(desk: FlaskClient, engine_db: Database) -> None:
    shown = send(desk, f"/tills/{TILLS[0]}/replace", successor="nj-till-0009")

    assert "nj-till-0009" in shown.get_data(as_text=True)
    assert books.rows(engine_db, "SELECT state FROM device_directory WHERE device = :d", d=TILLS[0]) == [("revoked",)]


def test_an_update_goes_out_in_stages_and_is_paused_resumed_and_ended_with_a_reason(
    desk: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    page = send(desk, "/updates/new", **OFFER).headers["Location"].removeprefix("/console")
    engine_db.write(lambda c: move_rollout(c, city=NANJING, now=clock.now + timedelta(minutes=1)))

    assert "进行中" in text(desk, page)
    assert send(desk, f"{page}/pause").status_code == 303
    assert "进行中" in text(desk, page)  # no reason, no pause
    for turn, state in (("pause", "已暂停"), ("resume", "进行中"), ("abort", "已中止")):
        assert send(desk, f"{page}/{turn}", reason="观察").status_code == 303
        assert state in text(desk, page)
    assert send(desk, f"{page}/resume", reason="再试").status_code == 409


def test_two_updates_at_once_are_refused_and_nothing_typed_is_lost(desk: FlaskClient) -> None:
    send(desk, "/updates/new", **OFFER)

    refused = send(desk, "/updates/new", **OFFER | {"version": "2.1"})

    assert refused.status_code == 409
    assert 'value="2.1"' in refused.get_data(as_text=True)


@pytest.mark.parametrize("typed", [{"soak": "一天"}, {"soak": "9000"}, {"patience": "0"}, {"patience": "7.5"}])
def test_hours_that_are_not_understood_are_refused_and_no_others_are_taken(
    desk: FlaskClient, typed: dict[str, str]
) -> None:
    refused = send(desk, "/updates/new", **OFFER | typed)

    assert refused.status_code == 422
    assert f'value="{next(iter(typed.values()))}"' in refused.get_data(as_text=True)
    assert send(desk, "/updates/new", **OFFER).status_code == 303


def test_a_hole_in_a_tills_numbers_leads_from_the_overview_to_the_till(
    desk: FlaskClient, engine_db: Database, clock: Clock
) -> None:
    of = gaps.Stream(TILLS[0], "0" * 32, 1, 9)
    engine_db.write(lambda c: gaps.keep(c, NANJING, of, [(3, 4), (7, 7)], clock.now))

    assert "1 台终端有购物篮一直没有收到" in text(desk, "/")
    listed = text(desk, "/tills")
    assert re.search(rf'<a href="/console/tills/{TILLS[0]}">{TILLS[0]}</a></td><td>3 – 4</td>', listed)

    officials.signed_in(desk, engine_db, clock.now, Role.CLERK, retailer="示例商贸")
    assert "1 台终端有购物篮一直没有收到" in desk.get("/shop/").text
    assert "3 – 4" in desk.get("/shop/unreceipted").text
    officials.signed_in(desk, engine_db, clock.now, Role.FLEET, city=SUZHOU)
    assert "一直没有收到" not in text(desk, "/")
