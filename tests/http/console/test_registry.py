"""The registry's pages: search, a certificate through time, imports with their dry run, unknown products, the ripple."""

import io
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.certificates import amend, screens
from backend.certificates.model import CertificateState
from backend.officials.model import Role
from backend.storage.transaction import hot
from tests.http.conftest import Clock
from tests.worlds import books, officials
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    UNCERTIFIED,
    City,
    certificate_row,
    read,
    resident,
    unit_label,
)

NUMBER = certificate_row(code=FRIDGE)["certificate_no"]


@pytest.fixture
def city(usual_city: City) -> City:
    return usual_city


@pytest.fixture
def desk(client: FlaskClient, city: City, clock: Clock) -> FlaskClient:
    return officials.signed_in(client, city.database, clock.now, Role.CASE_OFFICER, name="陈静")


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.get_data(as_text=True)[-2000:]
    return answer.get_data(as_text=True)


def post(desk: FlaskClient, url: str, **form: object) -> TestResponse:
    data = {"csrf": desk.csrf} | form  # type: ignore[attr-defined]
    return desk.post(url, data=data, content_type="multipart/form-data")


def the_certificate(city: City) -> str:
    with city.database.read() as connection:
        (found,) = screens.search(connection, NUMBER, ()).certificates
    return str(found.id)


@pytest.mark.parametrize("asked", [NUMBER[:12], NUMBER, FRIDGE, "冰箱"])
def test_a_certificate_is_found_by_the_beginning_of_its_number_by_code_and_by_product(
    desk: FlaskClient, asked: str
) -> None:
    assert NUMBER in text(desk.get("/console/registry/search", query_string={"q": asked}))


def test_a_persons_number_is_not_searched_for_nor_shown(desk: FlaskClient) -> None:
    page = text(desk.get("/console/registry/search", query_string={"q": "11010519491231002X"}, follow_redirects=True))

    assert "没有查询，也没有保存" in page
    assert "11010519491231002X" not in page


def test_a_certificate_is_shown_on_both_axes_of_time(desk: FlaskClient, city: City) -> None:
    on = (NOON - timedelta(days=30)).date()
    amend.change_state(
        city.database,
        amend.StateChange(NUMBER, None, CertificateState.SUSPENDED, on, "飞行检查不合格", "陈静", NOON),
    )
    url = f"/console/registry/certificates/{the_certificate(city)}"

    page = text(desk.get(url))

    assert page.count('class="gp-bar ') == 3  # valid alone; then valid, suspended
    assert "飞行检查不合格" in page
    before = text(desk.get(url, query_string={"on": (on - timedelta(days=1)).isoformat()}))
    facts = re.findall(r"<dt>状态</dt><dd>(.*?)</dd>", before)
    assert "有效" in facts[0]
    assert desk.get("/console/registry/certificates/01a00000-0000-7000-8000-000000000000").status_code == 404


def test_a_new_state_is_entered_by_hand_with_its_reason(desk: FlaskClient, city: City) -> None:
    url = f"/console/registry/certificates/{the_certificate(city)}"
    given = {"state": "withdrawn", "from_on": "2026-11-01", "reason": "发证机构公告"}

    assert post(desk, url, **given | {"from_on": "x"}).status_code == 422
    assert post(desk, url, **given | {"reason": ""}).status_code == 422
    assert post(desk, url, **given).status_code == 303

    page = text(desk.get(url))
    assert ("发证机构公告" in page, page.count('class="gp-bar ')) == (True, 3)
    assert books.rows(city.database, "SELECT 1 FROM acts WHERE what = 'certificate-status-set'") == [(1,)]


def test_a_slip_in_the_year_is_no_state_of_a_certificate(desk: FlaskClient, city: City) -> None:
    """What the registry was told once is never taken back: its page has to open all the same."""
    url = f"/console/registry/certificates/{the_certificate(city)}"

    answers = [
        post(desk, url, state="withdrawn", reason="撤销公告〔2026〕3 号", from_on=on)
        for on in ("0001-01-01", "0202-06-01", "9999-12-31")
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert [
        "1990 年至 2100 年" in page and "撤销公告〔2026〕3 号" in page
        for page in (a.get_data(as_text=True) for a in answers)
    ] == [True] * 3
    text(desk.get(url))


def test_a_file_is_tried_first_and_imported_when_confirmed(desk: FlaskClient, city: City) -> None:
    good = "202601-14-10000001-000000000999"
    lines = [
        "认证项目,证书编号,认证机构批准号,获证企业名称,产品名称,产品编码,等级,证书生效日期,证书到期日期,证书状态",
        f"energy_label,{good},CNIS,示例有限公司,热水器,{UNCERTIFIED},1,2026-01-01,长期,有效",
        "energy_label,202601-14-10000001-000000000998,CNIS,=坏公司,热水器,,1,三月,长期,有效",
    ]
    file = (io.BytesIO("\n".join(lines).encode()), "heaters.csv")

    uploaded = post(desk, "/console/registry/imports", source="能效标识备案", file=file)
    url = uploaded.headers["Location"]
    tried = text(desk.get(url))

    assert (good in tried, "日期" in tried, "导入 1 行变更" in tried) == (True, True, True)
    assert books.rows(city.database, "SELECT 1 FROM certificates WHERE number = :number", number=good) == []
    errors = desk.get(f"{url}/errors.csv")
    assert "证书生效日期" in errors.get_data(as_text=True)

    post(desk, f"{url}/import")

    assert "已导入" in text(desk.get(url))
    assert len(books.rows(city.database, "SELECT 1 FROM certificates WHERE number = :number", number=good)) == 1
    ((who,),) = books.rows(
        city.database, "SELECT who FROM acts WHERE what = 'certificates-imported' AND after LIKE '%heaters%'"
    )
    assert len(who) == 36  # the official's id, not the job's
    assert "heaters.csv" in text(desk.get("/console/registry/imports"))


def test_a_file_that_is_no_table_says_why(desk: FlaskClient) -> None:
    uploaded = post(
        desk, "/console/registry/imports", source="x", file=(io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "a.xls")
    )

    assert "旧版 .xls" in text(desk.get(uploaded.headers["Location"]))
    assert post(desk, "/console/registry/imports", source="", file=(io.BytesIO(b"a"), "a.csv")).status_code == 422
    assert post(desk, "/console/registry/imports", source="x").status_code == 422


def test_an_unknown_product_is_registered_from_its_queue(desk: FlaskClient, city: City) -> None:
    city.record(city.till().basket(read(UNCERTIFIED), resident=resident(1)))
    page = text(desk.get("/console/registry/unknown"))
    assert f"enter?code={UNCERTIFIED}" in page
    form = {
        "scheme": "energy_label",
        "certificate_no": "202601-14-10000001-000000000777",
        "body": "CNIS",
        "holder": "示例有限公司",
        "product": "空调",
        "code": UNCERTIFIED,
        "grade": "1",
        "valid_from": "2026-01-01",
        "valid_until": "长期",
    }

    wrong = post(desk, "/console/registry/enter", **form | {"grade": "9"})
    right = post(desk, "/console/registry/enter", **form)

    assert (wrong.status_code, 'id="w-grade"' in wrong.get_data(as_text=True)) == (422, True)
    assert right.status_code == 303
    assert post(desk, "/console/registry/enter", **form).status_code == 409


def test_the_ripple_is_shown_and_what_is_unpaid_is_held(desk: FlaskClient, city: City) -> None:
    arrival = city.till().basket(read(FRIDGE), resident=resident(1))
    city.record(arrival)
    on = (NOON - timedelta(days=1)).date()
    amend.change_state(
        city.database, amend.StateChange(NUMBER, None, CertificateState.WITHDRAWN, on, "撤销", "陈静", NOON)
    )
    page = text(desk.get("/console/registry/ripple", query_string={"q": NUMBER}))
    assert arrival.basket.basket in page

    refused = post(desk, "/console/registry/ripple", q=NUMBER, body="", reason="")
    held = post(desk, "/console/registry/ripple", q=NUMBER, body="CNIS", reason="证书已撤销")

    assert (refused.status_code, held.status_code) == (422, 303)
    with city.database.read() as connection:
        assert hot(connection, "SELECT count(*) FROM claim_holds").fetchone() == (1,)
    assert "没有登记编号为" in desk.get("/console/registry/ripple?q=XYZ123").get_data(as_text=True)


def test_a_serial_that_was_read_again_is_shown_with_its_shops(desk: FlaskClient, city: City) -> None:
    assert "没有重复的序列号" in text(desk.get("/console/registry/repeated"))
    till, label = city.till(), unit_label("A1")
    city.record(*[till.basket(read(label), resident=resident(number)) for number in (1, 2)])

    assert "(21)A1" in text(desk.get("/console/registry/repeated"))
    page = text(desk.get("/console/registry/ripple", query_string={"q": label}))
    assert "涉及奖励" in page
    assert post(desk, "/console/registry/ripple", q=label, body="", reason="序列号系伪造").status_code == 303


def test_schemes_bodies_and_enterprises_are_shown(desk: FlaskClient) -> None:
    assert "energy_label" in text(desk.get("/console/registry/schemes"))
    assert "CNIS" in text(desk.get("/console/registry/bodies"))
    assert desk.get("/console/registry/enterprises/91371323760038087M").status_code == 404


def test_a_recognition_is_entered_with_its_document(desk: FlaskClient, city: City) -> None:
    given = {"from_scheme": "organic", "to_scheme": "green_food", "region": "320000", "document": "苏市监〔2026〕8号"}

    assert post(desk, "/console/registry/recognitions", **given, from_on="").status_code == 422
    assert (
        post(desk, "/console/registry/recognitions", **given | {"region": "32"}, from_on="2026-01-01").status_code
        == 422
    )
    assert post(desk, "/console/registry/recognitions", **given, from_on="2026-01-01").status_code == 303

    assert "苏市监〔2026〕8号" in text(desk.get("/console/registry/schemes"))


def test_a_recognition_until_the_last_day_that_can_be_written_has_no_end(desk: FlaskClient, city: City) -> None:
    given = {"from_scheme": "organic", "to_scheme": "green_food", "region": "320000", "document": "苏市监〔2026〕9号"}

    answer = post(desk, "/console/registry/recognitions", **given, from_on="2026-01-01", last_on="9999-12-31")

    assert answer.status_code == 303
    assert books.rows(city.database, "SELECT until_on FROM recognitions") == [(None,)]


def test_whoever_may_not_change_the_registry_sees_no_button_and_is_refused(
    client: FlaskClient, city: City, clock: Clock
) -> None:
    desk = officials.signed_in(client, city.database, clock.now, Role.AUDITOR)

    assert "上传名录" not in text(desk.get("/console/registry/imports"))
    assert post(desk, "/console/registry/imports", source="x", file=(io.BytesIO(b"a"), "a.csv")).status_code == 403
    assert NANJING
