"""A retailer's mainframe uploads its sales: each line is answered, each sale counts once, and nobody else's is touched."""

import csv
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.adapters.chores import Chores, Outside, SalesKeyMissing
from backend.audit.acting import acting
from backend.audit.model import Actor
from backend.bootstrap import Backend
from backend.kernel.ids import new_id
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.sales_files import store
from backend.sales_files.model import WAITING_MAX, NewFile, RowAnswer, Sale
from backend.usecases.record_sales import Uploaded
from backend.usecases.sales_files import AT_ONCE_BYTES_MAX, GIVEN_UP, put_sales_file, work_sales_files
from tests.db.residents.test_cards import issue
from tests.http.conftest import POS_TOKEN, Clock, bearer, shops_token
from tests.http.shop import RETAILER, Shop, batch
from tests.worlds import books
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, City, read, resident
from tests.worlds.later import assert_verified, resolver
from tests.worlds.returning import voider
from tests.worlds.sales_files import row, sheet

PATH = "/api/pos/v1/sales-files"
THEIRS = "token-of-another-retailer"
Rows = list[dict[str, str]]


def upload(client: FlaskClient, content: bytes, token: str = POS_TOKEN) -> dict[str, Any]:
    answer = client.post(f"{PATH}?name=1122.csv", data=content, content_type="text/csv", headers=bearer(token))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def answers(client: FlaskClient, one: dict[str, Any], token: str = POS_TOKEN) -> Rows:
    text = client.get(f"{PATH}/{one['upload']}/answers", headers=bearer(token)).get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def codes(rows: Rows) -> list[tuple[str, str]]:
    return [(one["结果 state"].split()[1], one["代码 code"]) for one in rows]


def counts(one: dict[str, Any]) -> tuple[int, int, int]:
    return one["accepted"], one["repeated"], one["refused"]


def half_bad(city: City) -> bytes:
    """Three sales that are right, one of them to a member; and everything that may be wrong with the others."""
    return sheet(
        row("A1", 会员码=city.issue_code(resident(1))),
        row("A1", 行号="2", 商品条码=UNCERTIFIED),
        row("A2"),
        row("B1"),
        row("B1", 行号="2", 件数="两台"),
        row("B2", 门店编号="s99"),
        row("B3", 销售时间="2026-11-22 13:00"),
        row("B4", 销售时间="2026-10-22 12:00"),
        row("A3", 行号=""),
    )


def test_good_sales_count_and_bad_lines_are_answered(client: FlaskClient, city: City, shop: Shop) -> None:
    done = upload(client, half_bad(city))

    rows = answers(client, done)
    assert codes(rows) == [
        ("accepted", "awarded"),
        ("accepted", "product_unknown"),
        ("accepted", "no_member"),
        ("refused", "sale-incomplete"),
        ("refused", "number-malformed"),
        ("refused", "store-not-own"),
        ("refused", "sold-in-future"),
        ("refused", "sold-too-long-ago"),
        ("accepted", "no_member"),
    ]
    assert (done["state"], done["rows"], counts(done), done["points"]) == ("recorded", 9, (4, 0, 5), 5)
    assert (rows[0]["积分 points"], rows[0]["购物单行 basket_line"], rows[4]["文件行 file_line"]) == ("5", "0", "6")
    assert "件数" in rows[4]["说明"]
    sold = books.rows(city.database, "SELECT count(*), bool_or(online), min(clock_quality) FROM baskets")
    assert sold == [(3, False, "rtc")]
    assert books.rows(
        city.database, "SELECT what, who, after::json ->> 'rows' FROM acts WHERE kind = 'sales-file'"
    ) == [("sales-uploaded", f"service:{POS_TOKEN}", "9")]
    assert books.rows(city.database, "SELECT content FROM sales_files") == [(None,)]
    assert_verified(city.database, NANJING)


def test_a_file_uploaded_twice_counts_once_and_its_corrected_lines_follow(
    client: FlaskClient, city: City, shop: Shop, clock: Clock
) -> None:
    content = half_bad(city)
    first = answers(client, upload(client, content))
    clock.forward(days=40)

    again = upload(client, content)
    corrected = upload(client, sheet(row("A2"), row("B1"), row("B1", 行号="2", 件数="2")))

    assert counts(again) == (0, 4, 5)
    told = ("代码 code", "积分 points", "购物单 basket")
    assert [[one[name] for name in told] for one in answers(client, again)[:3]] == [
        [one[name] for name in told] for one in first[:3]
    ]
    assert counts(corrected) == (0, 1, 2)  # by then it comes too late
    clock.now = NOON
    assert counts(upload(client, sheet(row("A2"), row("B1"), row("B1", 行号="2", 件数="2")))) == (2, 1, 0)


def test_a_number_stands_for_one_sale_and_a_slip_that_a_till_has_sent_counts_no_second_time(
    client: FlaskClient, city: City, shop: Shop
) -> None:
    sold = shop.message(shop.line(read(FRIDGE), slip_no="A-17"))
    client.post("/api/pos/v1/baskets:batch", json=batch(shop.delivery(sold)), headers=bearer(POS_TOKEN))
    upload(client, sheet(row("A1")))

    done = upload(
        client,
        sheet(
            row("A1", **{"成交价（分）": "9999"}),
            row("A2", 小票号="a17"),
            row("A3", 小票号="a17", 销售时间="2026-11-21 12:00"),
        ),
    )

    assert codes(answers(client, done)) == [
        ("refused", "sale-conflict"),
        ("refused", "recorded-by-till"),
        ("accepted", "no_member"),
    ]


def test_the_same_goods_of_one_slip_count_once_under_whatever_number_they_come(
    client: FlaskClient, city: City, shop: Shop
) -> None:
    first = upload(
        client,
        sheet(
            row("A1", 小票号="S-9"),
            row("A1", 小票号="S-9", 行号="2", 商品条码=UNCERTIFIED),
            row("A2", 小票号="S-9"),  # a long slip comes as two sales: other goods
            row("X2", 小票号="s9"),
            row("A3", 小票号="S-9", 销售时间="2026-11-21 12:00"),  # numbers of slips begin anew every day
        ),
    )
    again = upload(
        client,
        sheet(
            row("B1", 小票号="S9", 商品条码=UNCERTIFIED),
            row("B1", 小票号="S9", 行号="2"),
            row("B2", 小票号="S9"),
            row("A2", 小票号="S-9"),
            row("B3", 小票号="S-10"),
        ),
    )

    assert codes(answers(client, first)) == [
        ("accepted", "no_member"),
        ("accepted", "product_unknown"),
        ("accepted", "no_member"),
        ("refused", "recorded-by-another-number"),
        ("accepted", "no_member"),
    ]
    assert codes(answers(client, again)) == [
        ("refused", "recorded-by-another-number"),
        ("refused", "recorded-by-another-number"),
        ("refused", "recorded-by-another-number"),
        ("repeated", "no_member"),
        ("accepted", "no_member"),
    ]
    assert_verified(city.database, NANJING)


def test_the_goods_of_one_slip_count_once_also_where_their_line_is_not_kept(
    client: FlaskClient, city: City, shop: Shop
) -> None:
    card, citizen, late = issue(city).number.text, "11010519491231002X", city.issue_code(resident(2))
    goods = {"小票号": "S-9", "序列号": citizen}
    sold = [
        row("A1", 会员码=card, **goods),
        row("A1", 会员码=card, **goods | {"行号": "2", "商品条码": citizen, "序列号": ""}),
    ]
    upload(client, sheet(*sold))
    upload(client, sheet(row("A2", 小票号="S-8", 会员码=late)))  # shown once, which names nobody after that
    upload(client, sheet(row("A3", 小票号="S-7", 会员码=late)))

    again = upload(
        client,
        sheet(
            *(one | {"销售编号": "B1"} for one in sold),
            row("B2", 小票号="S-7", 会员码=city.issue_code(resident(2))),
            row("B3", 小票号="S-9", 会员码=card, 件数="2"),
        ),
    )

    assert codes(answers(client, again)) == [
        ("refused", "recorded-by-another-number"),
        ("refused", "recorded-by-another-number"),
        ("refused", "recorded-by-another-number"),
        ("accepted", "awarded"),
    ]
    assert books.rows(city.database, "SELECT count(*) FROM baskets WHERE line IS NULL") == [(3,)]
    assert_verified(city.database, NANJING)


def test_the_goods_of_one_slip_count_once_also_when_files_come_in_the_same_moment(
    client: FlaskClient, city: City, shop: Shop, backend: Backend
) -> None:
    def sent(number: int) -> NewFile:
        new = NewFile(new_id(), RETAILER, "x.csv", sheet(row(f"R{number}", 小票号="S-9")), "x", "x")
        with acting(Actor("service:mainframe", "retailer")):
            put_sales_file(city.database, backend.record_sales, NANJING, new, NOON)
        return new

    with ThreadPoolExecutor(WAITING_MAX // 2) as threads:
        files = list(threads.map(sent, range(WAITING_MAX // 2)))
    while work_sales_files(city.database, backend.record_sales, NANJING, NOON, lambda: False):
        pass

    found = [codes(answers(client, {"upload": one.upload})) for one in files]
    assert sorted(found) == [
        [("accepted", "no_member")],
        *[[("refused", "recorded-by-another-number")]] * (len(files) - 1),
    ]
    assert_verified(city.database, NANJING)


def test_a_retailers_files_are_recorded_one_after_another_and_keep_nobody_else_waiting(
    client: FlaskClient, city: City, shop: Shop, backend: Backend
) -> None:
    busy = put(city, 1)
    city.database.write(lambda c: store.take(c, NANJING, busy, NOON, NOON - GIVEN_UP))
    for number in range(2, WAITING_MAX):
        put(city, number)
    shops_token(city.database, "other", THEIRS)
    put(city, 1, "other")

    last = upload(client, sheet(row("Z1")))
    meanwhile = work_sales_files(city.database, backend.record_sales, NANJING, NOON, lambda: False)

    assert (last["state"], meanwhile) == ("waiting", 1)


def test_nobody_sees_or_sells_for_another_retailer(client: FlaskClient, city: City, shop: Shop) -> None:
    shops_token(city.database, THEIRS, "另一超市")
    own = upload(client, sheet(row("A1")))

    theirs = upload(client, sheet(row("A1")), THEIRS)

    assert codes(answers(client, theirs, THEIRS)) == [("refused", "store-not-own")]
    for path in (own["upload"], f"{own['upload']}/answers"):
        answer = client.get(f"{PATH}/{path}", headers=bearer(THEIRS))
        assert (answer.status_code, answer.get_json()["code"]) == (404, "sales-file-unknown")


def test_what_is_no_file_of_sales_is_refused_and_not_kept(client: FlaskClient, city: City) -> None:
    cases = {b"": "import-file-refused", b"a,b\n1,2\n": "sales-file-columns", b"PK\x03\x04x": "import-file-refused"}

    def sent(content: bytes, name: str = "x.csv") -> tuple[int, str]:
        answer = client.post(f"{PATH}?name={name}", data=content, content_type="text/csv", headers=bearer(POS_TOKEN))
        return answer.status_code, answer.get_json()["code"]

    assert {content: sent(content) for content in cases} == {content: (422, code) for content, code in cases.items()}
    assert sent(sheet(row("A")), "a%00b") == (422, "invalid-fields"), "the database cannot hold such a name"
    assert books.rows(city.database, "SELECT count(*) FROM sales_files") == [(0,)]


def test_a_large_file_is_recorded_by_the_job_and_goes_on_where_it_was_stopped(
    client: FlaskClient, city: City, shop: Shop, backend: Backend
) -> None:
    sales = 1_500
    content = sheet(*(row(f"BIG-{number}", 小票号=f"{number:>040}") for number in range(sales)))
    assert len(content) > AT_ONCE_BYTES_MAX
    waiting = upload(client, content)
    looks: list[bool] = []

    def halfway() -> bool:
        looks.append(len(looks) > 2)
        return looks[-1]

    outside = Outside(sales=backend.record_sales)
    doing = (city.database, resolver(city.database), voider(city.database), PolicyCache(chart.budget))
    with pytest.raises(SalesKeyMissing):
        Chores(*doing).works()["record_sales"](NOON, lambda: False)
    stopped = work_sales_files(city.database, backend.record_sales, NANJING, NOON, halfway)
    half = client.get(f"{PATH}/{waiting['upload']}", headers=bearer(POS_TOKEN)).get_json()
    ended = Chores(*doing, outside=outside).works()["record_sales"](NOON, lambda: False)

    done = client.get(f"{PATH}/{waiting['upload']}", headers=bearer(POS_TOKEN)).get_json()
    assert (waiting["state"], waiting["rows"], stopped, ended) == ("waiting", sales, 0, {"files": 1})
    assert 0 < half["done"] < sales
    # What was answered before the stop keeps its answer.
    assert (done["state"], counts(done), done["done"]) == ("recorded", (sales, 0, 0), sales)
    assert len(answers(client, done)) == sales


def put(city: City, number: int, retailer: str = RETAILER) -> str:
    """A file that nobody has begun to record."""
    new = NewFile(new_id(), retailer, "x.csv", sheet(row(f"A{number}")), "x", "x")
    city.database.write(lambda c: store.put(c, NANJING, new, 1, NOON))
    return new.upload


def test_what_a_dead_worker_left_is_taken_again(city: City, shop: Shop, backend: Backend) -> None:
    upload_id = put(city, 1)
    city.database.write(lambda c: store.take(c, NANJING, upload_id, NOON, NOON - GIVEN_UP))

    soon, later = (
        work_sales_files(city.database, backend.record_sales, NANJING, NOON + after, lambda: False)
        for after in (timedelta(minutes=1), GIVEN_UP + timedelta(minutes=1))
    )

    assert (soon, later) == (0, 1)


def test_each_slice_of_a_file_bears_its_own_moment(city: City, shop: Shop, backend: Backend) -> None:
    moments: list[datetime] = []

    class Noted:
        def record(self, uploaded: Uploaded, sales: Sequence[Sale], now: datetime) -> list[RowAnswer]:
            moments.append(now)
            return backend.record_sales.record(uploaded, sales, now)

    content = sheet(*(row(f"BIG-{number}") for number in range(1_200)))
    new = NewFile(new_id(), RETAILER, "x.csv", content, "x", "x")
    city.database.write(lambda c: store.put(c, NANJING, new, 1_200, NOON))

    assert work_sales_files(city.database, Noted(), NANJING, NOON, lambda: False) == 1
    assert len(set(moments)) == len(moments) > 1


def test_a_retailers_queue_has_an_end(client: FlaskClient, city: City, shop: Shop) -> None:
    for number in range(WAITING_MAX):
        put(city, number)

    answer = client.post(PATH, data=sheet(row("A")), content_type="text/csv", headers=bearer(POS_TOKEN))

    assert (answer.status_code, answer.get_json()["code"]) == (429, "sales-files-waiting")
