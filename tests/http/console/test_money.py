"""The pages of money: a month from its close to its payment by two people, adjustments, files; each also refused."""

import re
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.kernel.ids import new_id
from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.usecases.export_tables import run_exports
from backend.usecases.reconcile_shops import keep_reconciliation
from backend.web.app import create_app
from tests.http.conftest import Clock
from tests.worlds import books
from tests.worlds.city import NANJING, resident
from tests.worlds.later import assert_verified
from tests.worlds.officials import signed_in
from tests.worlds.settling import BIG, CLOSING, MONTH, SMALL, Office, open_office

PAYMENT = re.compile(r"/console/payments/([0-9a-f-]{36})")


@pytest.fixture
def office(engine_db: Database) -> Office:
    opened = open_office(engine_db)
    opened.sell(4)
    opened.sell(2, "s2")
    opened.sell(5, "s3")
    return opened


@dataclass
class Desks:
    """Officials at desks of their own, all at the same moment."""

    app: Flask
    database: Database
    clock: Clock

    def of(self, *roles: Role, name: str = "王敏") -> FlaskClient:
        return signed_in(self.app.test_client(), self.database, self.clock.now, *roles, name=name)


@pytest.fixture
def desks(backend: Backend, office: Office, clock: Clock) -> Desks:
    """Half an hour into December."""
    clock.now = CLOSING
    return Desks(create_app(backend, clock), office.database, clock)


def send(client: FlaskClient, path: str, **form: object) -> TestResponse:
    return client.post(f"/console{path}", data={"csrf": client.csrf} | form)  # type: ignore[attr-defined]


def see(client: FlaskClient, path: str) -> str:
    answer = client.get(f"/console{path}")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200, text[-2_000:]
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len({*ids}), sorted(one for one in ids if ids.count(one) > 1)
    return text


def test_a_month_is_closed_disputed_ruled_on_and_paid_by_two(desks: Desks, office: Office) -> None:
    zhao = desks.of(Role.FINANCE, name="赵会计")
    assert "还没有结过账" in see(zhao, "/settlements")
    assert "尚未结账" not in see(zhao, "/settlements")
    desks.clock.forward(days=3)
    assert "尚未结账" not in see(desks.of(Role.AUDITOR), "/settlements")  # nobody was found to be owed anything
    keep_reconciliation(office.database, NANJING, desks.clock.now)
    assert f"{MONTH} 尚未结账" in see(desks.of(Role.AUDITOR), "/settlements")
    desks.clock.forward(days=-3)
    assert send(zhao, "/settlements/close", month=MONTH).status_code == 303
    assert BIG in see(zhao, "/settlements")
    assert "¥0.18" in see(zhao, f"/statements/{MONTH}/{BIG}")
    assert "购物单" in see(zhao, f"/statement-lines/{MONTH}/1/{BIG}")
    acts = f"/statement-acts/{{}}/{MONTH}/1/{BIG}"
    assert send(zhao, acts.format("dispute"), reason="少计").status_code == 303
    for typed in ("0.03", "3 分", "三"):
        refused = send(zhao, acts.format("rule"), reason="补计", difference=typed)
        page = refused.get_data(as_text=True)
        assert (refused.status_code, "是不为零的整数" in page, f'value="{typed}"' in page) == (422, True, True)
    assert send(zhao, acts.format("rule"), reason="补计", difference="３").status_code == 303
    assert "待复核" in see(zhao, "/settlements")
    assert send(zhao, acts.format("approve"), seen="3").status_code == 403

    desks.clock.forward(days=6)
    qian = desks.of(Role.FINANCE, name="钱处长")
    assert send(qian, acts.format("approve"), seen="2").status_code == 409
    assert send(qian, acts.format("approve"), seen="3").status_code == 303
    prepared = send(qian, "/payments/prepare")
    payment = PAYMENT.search(prepared.headers["Location"])[1]  # type: ignore[index]
    assert send(qian, f"/payments/{payment}/release").status_code == 403
    sun = desks.of(Role.FINANCE, name="孙科长")
    assert send(sun, f"/payments/{payment}/release").status_code == 303
    file = sun.get(f"/console/payments/{payment}/file")
    assert "合计" in file.get_data(as_text=True)
    assert "attachment" in file.headers["Content-Disposition"]
    for paid_on in ("2026-12-40", "2026-12-06", "2026-12-08"):
        refused = send(sun, f"/payments/{payment}/paid", paid_on=paid_on, bank_reference="ICBC-1")
        page = refused.get_data(as_text=True)
        assert (refused.status_code, 'id="w-paid_on"' in page, 'value="ICBC-1"' in page) == (422, True, True)
    assert 'id="w-bank_reference"' in send(sun, f"/payments/{payment}/paid", paid_on="2026-12-07").get_data(
        as_text=True
    )
    assert send(sun, f"/payments/{payment}/paid", paid_on="2026-12-07", bank_reference="ICBC-1").status_code == 303
    assert "已拨付" in see(sun, f"/payments/{payment}")
    assert "手续费" in sun.get(f"/console/statement-files/{MONTH}/{BIG}").get_data(as_text=True)
    assert keep_reconciliation(office.database, NANJING, desks.clock.now) == 3
    assert "全部账户相符" in see(sun, "/reconciliation")
    assert "line-disputed" in {row[0] for row in books.rows(office.database, "SELECT what FROM acts")}
    assert_verified(office.database, NANJING)


def test_what_no_column_takes_is_refused_at_the_door(desks: Desks, office: Office) -> None:
    zhao, auditor = desks.of(Role.FINANCE), desks.of(Role.AUDITOR)
    for path in ("/settlements?month=a%00b", f"/statements/{MONTH}/a%00b", "/payments?x=1&x=%00"):
        assert zhao.get(f"/console{path}").status_code == 400
    assert send(zhao, "/settlements/close", month="2026-11\x00").status_code == 400
    see(auditor, "/audit/acts?since=0001-01-01&until=9999-12-31")
    stranger = desks.app.test_client()
    assert stranger.post("/console/sign-in", data={"login": "a\x00b", "password": "x"}).status_code == 401


def test_others_read_and_do_not_act(desks: Desks, office: Office) -> None:
    office.close()
    auditor = desks.of(Role.AUDITOR)
    for path in (
        "/budgets",
        "/reservations",
        "/reconciliation",
        "/settlements",
        "/payments",
        "/adjustments",
        "/liability",
    ):
        see(auditor, path)
    assert "代商户确认" not in see(auditor, f"/statements/{MONTH}/{SMALL}")
    assert send(auditor, "/payments/prepare").status_code == 403
    assert desks.of(Role.FLEET).get("/console/settlements").status_code == 403


def test_what_is_held_on_its_page_is_not_paid(desks: Desks, office: Office) -> None:
    office.close()
    desks.clock.forward(days=6)
    zhao = desks.of(Role.FINANCE)
    acts = f"/statement-acts/{{}}/{MONTH}/1/{SMALL}"
    assert send(zhao, acts.format("hold"), reason="证书撤销").status_code == 303
    assert "证书撤销" in see(zhao, f"/statement-lines/{MONTH}/1/{SMALL}")
    send(zhao, "/payments/prepare")
    assert "¥0.18" in see(zhao, "/payments")
    assert send(zhao, acts.format("release"), reason="核实有效").status_code == 303
    assert "¥0.15" in see(zhao, f"/settlements?month={MONTH}")


def test_an_adjustment_within_the_limit_and_beyond(desks: Desks, office: Office) -> None:
    zhao = desks.of(Role.FINANCE)
    wanted = {"of": "resident", "whose": resident(1), "unit": "points", "cause": "goodwill", "ticket": "T-1"}
    assert "您一人可办的限额" in see(zhao, "/adjustments/new")
    assert send(zhao, "/adjustments/new", **wanted, amount="20", explanation="停机补偿").status_code == 303
    for typed in ("x", "0", "-0", "1.5", "1e3", "9" * 13, ""):
        refused = send(zhao, "/adjustments/new", **wanted, amount=typed, explanation="停机补偿")
        assert (refused.status_code, 'id="w-amount"' in refused.get_data(as_text=True)) == (422, True)
    assert send(zhao, "/adjustments/new", **wanted, amount="－１０", explanation="停机补偿").status_code == 303
    assert send(zhao, "/adjustments/new", **wanted, amount="5000", explanation="停机补偿").status_code == 303
    assert books.wallet(office.database, NANJING, resident(1)) == 21
    form = {"adjustment": new_id(), "explanation": "重试", "amount": "1"}
    assert [send(zhao, "/adjustments/new", **wanted, **form).status_code for _ in range(2)] == [303, 303]
    assert books.wallet(office.database, NANJING, resident(1)) == 22
    shop = wanted | {"of": "store", "whose": "s1", "unit": "fee", "explanation": "重复计费"}
    assert send(zhao, "/adjustments/new", **shop, amount="-0.1").status_code == 303
    assert send(zhao, "/adjustments/new", **shop, amount="0.123").status_code == 422
    assert books.balance(office.database, NANJING, "shop:s1:fee") == 12 - 10

    page = see(desks.of(Role.APPROVER), "/adjustments")
    approve = re.search(r"/console(/adjustments/[0-9a-f-]{36}/approve)", page)
    assert approve is not None
    assert send(zhao, approve[1]).status_code == 403
    assert send(desks.of(Role.APPROVER), approve[1]).status_code == 303
    assert books.wallet(office.database, NANJING, resident(1)) == 5_022
    told = "SELECT before::jsonb ->> 'state', after::jsonb ->> 'state' FROM acts WHERE what = 'adjustment-posted' ORDER BY act"
    assert books.rows(office.database, told)[-1] == ("proposed", "posted")


def test_a_file_is_asked_for_written_and_fetched_by_who_asked_alone(desks: Desks, office: Office) -> None:
    office.close()
    zhao = desks.of(Role.FINANCE)
    assert send(zhao, "/exports", kind="statements", first="2026-11-01", last="2028-12-31").status_code == 422
    assert send(zhao, "/exports", kind="statements", first="2026-11-01", last="2026-12-31").status_code == 303
    assert "排队中" in see(zhao, "/exports")
    run_exports(office.database, NANJING, lambda: CLOSING, lambda: False)
    link = re.search(r"/console(/exports/[0-9a-f-]{36}/file)", see(zhao, "/exports"))
    assert link is not None

    fetched = zhao.get(f"/console{link[1]}")

    assert fetched.data.startswith(b"PK")
    assert len(fetched.data) == int(fetched.headers["Content-Length"])
    assert desks.of(Role.FINANCE).get(f"/console{link[1]}").status_code == 404
    acts = [
        what for (what,) in books.rows(office.database, "SELECT what FROM acts WHERE what LIKE 'export%' ORDER BY at")
    ]
    assert acts == ["export-asked", "export-fetched"]


def test_money_asks_for_a_fresh_code(desks: Desks, office: Office) -> None:
    zhao = desks.of(Role.FINANCE)
    desks.clock.forward(minutes=11)

    answer = send(zhao, "/settlements/close", month=MONTH)

    assert (answer.status_code, "六位动态码" in answer.get_data(as_text=True)) == (403, True)
