"""A shop's manager in a real browser: uploads a half-bad file, reads its answers and what was refused, disputes a line; axe finds
nothing.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from backend.officials.model import Role
from backend.usecases.count_scans import count_scans
from backend.usecases.prepay_subsidy import Prepaid, prepay_subsidy
from tests.conftest import copied
from tests.db.settlements.test_owed import subsidised
from tests.http.conftest import Keys, settings_of
from tests.http.console.test_registry_browser import clean
from tests.worlds.city import FRIDGE, NANJING, NOON, UNCERTIFIED, read, resident
from tests.worlds.console import Served, serving
from tests.worlds.sales_files import row, sheet
from tests.worlds.settling import BIG, CLOSING, MONTH, Office, open_office


@pytest.fixture(scope="module")
def served(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """On the night on which November was closed."""
    with (
        copied(server_url, template) as url,
        serving(settings_of(url, Keys(), tmp_path_factory.mktemp("keys")), lambda: CLOSING) as found,
    ):
        yield found


def furnished(served: Served) -> Office:
    office = open_office(served.engine, subsidised())
    first = office.sell(4)
    office.sell(2, "s2", person=resident(2))
    prepay_subsidy(served.engine, Prepaid(NANJING, "s1", "P1", "tests", ((first, 0),)), NOON)
    arrival = office.city.till(9).basket(read(FRIDGE), read(UNCERTIFIED, price_fen=1_990))
    office.city.record(arrival)
    office.close()
    return office


def test_a_manager_uploads_sales_reads_the_answers_and_disputes_a_line(
    served: Served, window: BrowserContext, tmp_path: Path
) -> None:
    furnished(served)
    file = tmp_path / "1130.csv"
    sold = (CLOSING - timedelta(hours=9)).strftime("%Y-%m-%d %H:%M")
    file.write_bytes(
        sheet(
            row("P-1", 销售时间=sold), row("P-2", 销售时间=sold, 件数="两台"), row("P-3", 门店编号="s3", 销售时间=sold)
        )
    )
    desk = served.enter(window, Role.SHOPKEEPER, name="林悦", retailer=BIG)
    page = desk.page

    desk.shop("/uploads")
    clean(desk)
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="上传", exact=True).click()
    page.get_by_role("heading", name="未入账的行").wait_for()
    clean(desk)
    assert page.get_by_text("“件数”须为 1 至 9999 的整数。").is_visible()
    assert page.get_by_text("门店编号不是本商户的门店。").is_visible()
    page.get_by_role("link", name="查看全部行").click()
    page.get_by_text("P-1", exact=True).wait_for()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="下载逐行结果").click()
    assert len(Path(fetched.value.path()).read_text(encoding="utf-8-sig").splitlines()) == 4

    count_scans(served.engine, NANJING, CLOSING)
    desk.shop("/refusals")
    page.get_by_role("heading", name="原因").wait_for()
    clean(desk)
    page.get_by_role("link", name="没有出示会员码").click()
    page.get_by_role("heading", name="最近的行：没有出示会员码").wait_for()

    desk.shop("/prepayments")
    clean(desk)
    desk.shop("/statements")
    clean(desk)
    page.get_by_role("link", name=MONTH, exact=True).click()
    page.get_by_role("heading", name=f"{MONTH} 对账单").wait_for()
    clean(desk)
    page.get_by_role("link", name="1", exact=True).click()
    page.get_by_label("理由").fill("小票上只有三件")
    clean(desk)
    page.get_by_role("button", name="提出异议").click()
    page.get_by_text("已提出异议，裁定之前该行不拨付。").wait_for()
    clean(desk)
    desk.shop(f"/statements/{MONTH}/confirm")
    clean(desk)
    page.get_by_role("button", name="确认对账单").click()
    page.get_by_text("已确认对账单。").wait_for()
