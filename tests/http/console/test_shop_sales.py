"""A retailer's staff upload sales and read every line's answer; they see what was refused at their tills, and nobody's name."""

import io
import re

import pytest
from werkzeug.test import TestResponse

from backend.bootstrap import Backend
from backend.kernel.ids import new_id
from backend.officials.model import Role
from backend.sales_files import store
from backend.sales_files.model import NewFile
from backend.scans.sentences import SENTENCES
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans
from backend.web.app import create_app
from backend.web.console.reason_words import NAMES
from tests.http.conftest import Clock
from tests.http.console.test_officials import Desk, Office
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, read, resident
from tests.worlds.sales_files import row, sheet
from tests.worlds.settling import BIG, SMALL, open_office
from tests.worlds.settling import Office as Shops


@pytest.fixture
def shops(engine_db: Database) -> Shops:
    return open_office(engine_db)


@pytest.fixture
def office(shops: Shops, backend: Backend, engine_db: Database, clock: Clock) -> Office:
    return Office(create_app(backend, clock), engine_db, clock)


def upload(desk: Desk, content: bytes, name: str = "1122.csv") -> TestResponse:
    return desk.post("/shop/uploads", file=(io.BytesIO(content), name))


def test_a_half_bad_file_is_answered_line_by_line(office: Office) -> None:
    clerk, manager = (office.desk(role, retailer=BIG) for role in (Role.CLERK, Role.SHOPKEEPER))

    assert upload(clerk, sheet(row("A1"))).status_code == 403
    sent = upload(manager, sheet(row("A1"), row("A2", 件数="两台"), row("A3", 门店编号="s3")))
    where = sent.headers["Location"]
    page, everything = clerk.page(where), clerk.page(f"{where}?show=all")
    answers = clerk.client.get(f"{where}/answers.csv").get_data(as_text=True)

    assert ("须为 1 至 9999 的整数" in page, "不是本商户的门店" in page, ">A1<" in page) == (True, True, False)
    assert ">A1<" in everything
    assert upload(manager, sheet(row("A1")), "\x00").status_code == 303
    assert len(answers.splitlines()) == 4
    assert "有未入账的行" in clerk.page("/shop/uploads")
    assert books.rows(office.database, "SELECT store FROM baskets") == [("s1",)]
    other = office.desk(Role.SHOPKEEPER, retailer=SMALL).client
    assert [other.get(path).status_code for path in (where, f"{where}/answers.csv")] == [404, 404]


def test_a_file_that_waits_is_followed_on_its_page(office: Office) -> None:
    new = NewFile(new_id(), BIG, "大文件.csv", sheet(row("A1"), row("A2")), "x", "林悦")
    office.database.write(lambda c: store.put(c, NANJING, new, 2, NOON))
    clerk = office.desk(Role.CLERK, retailer=BIG)

    waiting = clerk.page(f"/shop/uploads/{new.upload}")
    office.database.write(lambda c: store.take(c, NANJING, new.upload, NOON, NOON))
    recording = clerk.page(f"/shop/uploads/{new.upload}")

    assert ("一分钟内开始" in waiting, 'hx-trigger="every 2s"' in waiting) == (True, True)
    assert 'value="0" max="2"' in recording
    assert "处理中" in clerk.page("/shop/uploads")


def test_what_is_no_file_of_sales_is_said_at_the_field(office: Office) -> None:
    manager = office.desk(Role.SHOPKEEPER, retailer=BIG)

    template = manager.client.get("/shop/uploads/template.csv").get_data(as_text=True)
    refused = [upload(manager, content) for content in (b"", "甲,乙\n1,2\n".encode())]

    assert [one.status_code for one in refused] == [422, 422]
    assert 'aria-describedby="w-file"' in refused[1].get_data(as_text=True)
    assert "销售编号、门店编号" in refused[1].get_data(as_text=True)
    assert template.startswith("\ufeff销售编号,门店编号,销售时间")


def test_refusals_are_counted_by_reason_and_name_no_resident(office: Office, shops: Shops, clock: Clock) -> None:
    shops.sell(1)
    till = shops.city.till(7)
    for at, person, code in (("s1", None, FRIDGE), ("s2", resident(3), UNCERTIFIED), ("s3", None, FRIDGE)):
        arrival = till.basket(read(code), resident=person)
        arrival.basket.store = at
        shops.city.record(arrival)
    count_scans(office.database, NANJING, NOON)
    clerk = office.desk(Role.CLERK, retailer=BIG)

    page = clerk.page("/shop/refusals")
    one = clerk.page("/shop/refusals?days=90&reason=product_unknown")

    counted = re.findall(r"reason=(\w+)", page)
    assert sorted(counted) == ["no_member", "product_unknown"]
    assert ("结账时没有出示会员码" in page, "还没有查到这件商品的认证" in page, UNCERTIFIED in page) == (True,) * 3
    assert ("示例店 s2" in one, "示例店 s1" in one) == (True, False)
    assert not {resident(1), resident(3)} & set(re.findall(r"[0-9a-f-]{36}", page))
    other = office.desk(Role.CLERK, retailer=SMALL).page("/shop/refusals")
    assert ("示例店 s3" in other, "示例店 s1" in other) == (True, False)


def test_refusals_follow_later_decisions_and_end_after_three_months(office: Office, shops: Shops, clock: Clock) -> None:
    arrival = shops.city.till(7).basket(read(FRIDGE))
    shops.city.record(arrival)
    count_scans(office.database, NANJING, NOON)
    clock.forward(days=93)

    count_scans(office.database, NANJING, clock.now)

    assert books.rows(office.database, "SELECT count(*) FROM refusal_totals") == [(0,)]
    assert books.rows(office.database, "SELECT count(*) FROM refused_lines") == [(0,)]


def test_every_reason_has_its_word() -> None:
    reasons = {one for one in SENTENCES if not one.startswith("label_")} - {"awarded", "awarded_in_part"}

    assert reasons - NAMES.keys() == set()
    assert NAMES.keys() - SENTENCES.keys() <= {"label_personal"}
