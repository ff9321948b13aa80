"""Pages of the audit: acts of one's own or of all, what changed, files without formulas, checkpoints, proofs, looks."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.adapters.schedule import SCHEDULE
from backend.audit.acting import acting
from backend.audit.acts import What
from backend.audit.model import Act, Actor
from backend.audit.store import record
from backend.officials.model import Role
from backend.usecases.seal_ledger import seal_ledger
from tests.db.checkpoints.conftest import KEY
from tests.http.conftest import Clock, SignIn
from tests.worlds import books, officials
from tests.worlds.city import FRIDGE, NANJING, City, read, resident

ACTS = "/console/audit/acts"


def text(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)[-3000:]
    return answer.get_data(as_text=True)


@pytest.fixture
def auditor(client: FlaskClient, city: City, clock: Clock) -> FlaskClient:
    return entered(client, city, clock, Role.AUDITOR, "审计员")


def entered(client: FlaskClient, city: City, clock: Clock, role: Role, name: str) -> FlaskClient:
    return officials.signed_in(client.application.test_client(), city.database, clock.now, role, name=name)


def did(city: City, clock: Clock, who: str, key: str, reason: str = "巡查") -> None:
    before, after = {"state": "active", "version": 1}, {"state": "revoked", "version": 1}
    act = Act(What.DEVICE_REVOKED, NANJING, "device", key, clock.now, reason, before=before, after=after)
    with acting(Actor(who, "fleet", "request-1")):
        city.database.write(lambda connection: record(connection, act))


def test_an_auditor_reads_all_acts_and_what_each_changed(auditor: FlaskClient, city: City, clock: Clock) -> None:
    did(city, clock, "command:root", "till-1")
    did(city, clock, "command:other", "till-2", "=HYPERLINK(1)")
    did(city, clock, "job:preview_policies", "till-3")

    listed = text(auditor.get(ACTS))
    filtered = text(auditor.get(f"{ACTS}?who=command:root&what=device-revoked&since=2020-01-01&until=2099-01-01"))
    ((act,),) = books.rows(city.database, "SELECT act::text FROM acts WHERE key = 'till-1'")
    one = text(auditor.get(f"{ACTS}/{act}"))
    file = text(auditor.get("/console/audit/acts.csv"))

    assert ("till-1" in listed, "till-2" in listed, "发布政策版本" in listed) == (True, True, True)
    assert ("till-1" in filtered, "till-2" in filtered) == (True, False)
    assert ("命令行：root" in listed, "命令行：root" in one) == (True, True)
    assert "定时任务：" + next(job.text_zh for job in SCHEDULE if job.name == "preview_policies") in listed
    assert ("revoked" in one, "有变化" in one, one.count("有变化")) == (True, True, 1)
    assert "'=HYPERLINK(1)" in file
    assert ",=HYPERLINK" not in file
    assert books.count(city.database, "acts", NANJING) > 3  # the file that was taken is an act as well
    assert "没有符合条件的操作" in text(auditor.get(f"{ACTS}?key=nothing"))


def test_others_read_their_own_acts_alone(client: FlaskClient, city: City, clock: Clock) -> None:
    fleet = entered(client, city, clock, Role.FLEET, "李雷")
    did(city, clock, "command:root", "till-1")
    ((act,),) = books.rows(city.database, "SELECT act::text FROM acts WHERE key = 'till-1'")

    listed = text(fleet.get(f"{ACTS}?who=command:root"))

    assert ("till-1" in listed, "还没有操作" in listed or "没有符合条件的操作" in listed) == (False, True)
    assert fleet.get(f"{ACTS}/{act}").status_code == 404
    assert fleet.get("/console/audit/acts.csv").status_code == 403


def test_checkpoints_are_held_against_the_log_and_an_award_is_proved(
    auditor: FlaskClient, city: City, clock: Clock
) -> None:
    assert "还没有检查点" in text(auditor.get("/console/audit/checkpoints"))
    arrival = city.till(1).basket(read(FRIDGE), resident=resident(1))
    city.record(arrival)
    seal_ledger(city.database, NANJING, clock.now + timedelta(minutes=1), KEY, lambda: False)

    listed = text(auditor.get("/console/audit/checkpoints"))
    proof = text(auditor.get(f"/console/audit/proof?basket={arrival.basket.basket}&line=0"))

    assert "一致" in listed
    assert ("award" in proof, f"greenpoints/{NANJING}/ledger" in proof) == (True, True)
    assert "32 位十六进制" in text(auditor.get("/console/audit/proof?basket=x&line=0"), 422)
    assert "没有奖励" in text(auditor.get(f"/console/audit/proof?basket={arrival.basket.basket}&line=7"))


def test_a_look_at_a_resident_asks_what_for_and_is_recorded_twice(
    client: FlaskClient, city: City, clock: Clock, sign_in: SignIn
) -> None:
    sign_in()
    ((who,),) = books.rows(city.database, "SELECT resident::text FROM residents")
    city.record(city.till(1).basket(read(FRIDGE, price_fen=10_000), resident=str(who)))
    desk = entered(client, city, clock, Role.CASE_OFFICER, "陈静")
    url = "/console/audit/residents"
    form = {"csrf": desk.csrf, "resident": who, "purpose": "enquiry", "ticket": "T-1"}  # type: ignore[attr-defined]

    assert "请选择查看目的" in text(desk.post(url, data=form | {"purpose": ""}), 422)
    assert "登录" in text(desk.post(url, data=form | {"resident": resident(9)}), 403)
    shown = text(desk.post(url, data=form))

    assert (f"{str(who)[:8]}-****" in shown, "积分" in shown) == (True, True)
    assert books.rows(city.database, "SELECT who, purpose, ticket FROM access_log") == [("陈静", "enquiry", "T-1")]
    looks = "SELECT key, reason, ticket FROM acts WHERE what = 'account-looked-at'"
    assert books.rows(city.database, looks) == [(who, "enquiry", "T-1")]
