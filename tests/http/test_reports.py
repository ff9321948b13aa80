"""Reports of false labels over HTTP: what a resident sends and reads."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from backend.bootstrap import Backend
from backend.cases.model import ReportOutcome, StepKind
from backend.residents.standing import ResidentClosed
from backend.usecases.file_report import AskedReport
from backend.usecases.handle_report import Taken, take_step
from tests.http.conftest import SignIn
from tests.http.shop import Shop
from tests.worlds.books import rows
from tests.worlds.city import NANJING, NOON, City

API = "/api/resident/v1"


def test_a_report_is_filed_answered_and_explained(client: FlaskClient, shop: Shop, city: City, sign_in: SignIn) -> None:
    headers = sign_in()
    asked = {"report_id": str(uuid4()), "text": "标志是贴上去的。", "store": "s1", "label": "有机码 1234"}

    first = client.post(f"{API}/reports", json=asked, headers=headers)
    again = client.post(f"{API}/reports", json=asked, headers=headers)

    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data), first.get_json()
    assert first.get_json()["sentence"].startswith("举报已收到，将在 ")
    taken = Taken(StepKind.DECIDE, "由市场监管部门办理。", "陈科员", ReportOutcome.DECLINED)
    report = first.get_json()["report"]
    city.database.write(lambda c: take_step(c, NANJING, report, taken, NOON + timedelta(hours=1)))
    (found,) = client.get(f"{API}/reports", headers=headers).get_json()["reports"]
    assert (found["state"], found["outcome"], found["due_on"]) == ("decided", "declined", None)
    assert found["sentence"] == "不予受理：由市场监管部门办理。"
    assert "陈科员" not in str(found)
    assert client.get(f"{API}/reports", headers=sign_in("wang")).get_json()["reports"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": " "},
        {"text": "x" * 501},
        {"store": None},
        {"line_no": 0},
        {"basket": str(uuid4())},
        {"text": "a\x00b"},
        {"store": "s\x001"},
        {"label": "\x00"},
    ],
)
def test_what_says_nothing_or_names_nothing_is_refused(
    client: FlaskClient, shop: Shop, sign_in: SignIn, wrong: dict[str, object]
) -> None:
    asked = {"report_id": str(uuid4()), "text": "标志是贴上去的。", "store": "s1"} | wrong

    assert client.post(f"{API}/reports", json=asked, headers=sign_in()).status_code == 422


def test_a_shop_that_is_none_and_another_persons_scan_are_unknown(client: FlaskClient, sign_in: SignIn) -> None:
    asked = {"report_id": str(uuid4()), "text": "标志是贴上去的。"}

    for about in ({"store": "nowhere"}, {"basket": str(uuid4()), "line_no": 0}):
        answer = client.post(f"{API}/reports", json=asked | about, headers=sign_in())
        assert (answer.status_code, answer.get_json()["code"]) == (404, "report-unknown")


def test_a_child_that_waits_for_a_guardian_and_one_who_left_report_nothing(
    client: FlaskClient, shop: Shop, city: City, backend: Backend, sign_in: SignIn
) -> None:
    child, left = sign_in("child"), sign_in("left")
    client.put(f"{API}/age-band", json={"band": "under_14"}, headers=child)
    ((home, resident),) = rows(
        city.database, "SELECT city, resident::text FROM residents WHERE age_band IS NULL ORDER BY joined_at"
    )
    gone = AskedReport(str(home), str(resident), str(uuid4()), "标志是贴上去的。", "s1")
    asked = {"report_id": str(uuid4()), "text": "我叫李明，标志是贴上去的。", "store": "s1"}

    waiting = client.post(f"{API}/reports", json=asked, headers=child)
    told = client.get(f"{API}/account/closing", headers=left).get_json()["told_sha256"]
    assert client.post(f"{API}/account/closing", json={"told_sha256": told}, headers=left).status_code == 200

    assert (waiting.status_code, waiting.get_json()["code"]) == (403, "guardian-consent-needed")
    with pytest.raises(ResidentClosed):  # as a process asks that still takes the session for good
        backend.file_report.file(gone, NOON)
    assert rows(city.database, "SELECT text FROM label_reports") == []


def test_a_report_that_is_sent_while_two_accounts_are_merged_is_in_the_one_that_is_left(
    client: FlaskClient, shop: Shop, city: City, backend: Backend, sign_in: SignIn
) -> None:
    other = sign_in("phone")
    ((resident,),) = rows(city.database, "SELECT resident::text FROM residents")
    mine = sign_in("wechat")
    token = other["Authorization"].removeprefix("Bearer ")
    merged = client.post(f"{API}/merges", json={"way": "session", "code": token}, headers=mine)
    assert merged.status_code == 200, merged.get_json()

    backend.file_report.file(AskedReport(NANJING, str(resident), str(uuid4()), "标志是贴上去的。", "s1"), NOON)

    (found,) = client.get(f"{API}/reports", headers=mine).get_json()["reports"]
    assert found["text"] == "标志是贴上去的。"
