"""The registry in a real browser: a file is tried and imported, a certificate lost, its ripple read; axe finds nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import BrowserContext

from backend.certificates import amend
from backend.certificates.model import CertificateState
from backend.kernel.periods import CHINA
from backend.officials.model import Role
from tests.http.page.looks import fits, violations
from tests.worlds.city import FRIDGE, UNCERTIFIED, certificate_row, open_city, read, resident
from tests.worlds.console import Desk, Served

NUMBER = certificate_row(code=FRIDGE)["certificate_no"]
LINES = (
    "认证项目,证书编号,认证机构批准号,获证企业名称,统一社会信用代码,产品名称,规格型号,产品编码,等级,证书生效日期,证书到期日期,证书状态",
    f"energy_label,202601-14-10000001-000000000999,CNIS,示例热水器有限公司,,热水器,RS-60,{UNCERTIFIED},1,2026-01-01,长期,有效",
    f"energy_label,{NUMBER},CNIS,示例有限公司,,冰箱,BCD-500,{FRIDGE},2,2024-01-01,长期,有效",
    "energy_label,202601-14-10000001-000000000998,CNIS,示例有限公司,,热水器,,,1,三月,长期,有效",
)


def clean(desk: Desk) -> None:
    assert violations(desk.page) == []
    assert fits(desk.page) == []
    assert desk.complaints == []


def test_an_official_tries_a_file_imports_it_and_reads_the_ripple(
    served: Served, window: BrowserContext, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    city = open_city(served.engine)
    arrival = city.till().basket(read(FRIDGE), read(UNCERTIFIED), resident=resident(1), sold_at=now)
    city.record(arrival, now=now)
    file = tmp_path / "名录.csv"
    file.write_text("\n".join(LINES), encoding="utf-8")
    desk = served.enter(window, Role.CASE_OFFICER, name="陈静")
    page = desk.page

    desk.go("/registry/unknown")
    clean(desk)
    assert page.get_by_role("link", name="登记", exact=True).is_visible()
    desk.go("/registry/imports")
    clean(desk)
    page.get_by_label("来源单位").fill("能效标识备案")
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="上传并试运行").click()
    page.get_by_role("heading", name="差异").wait_for()
    clean(desk)
    page.get_by_role("button", name="导入 2 行变更").click()
    page.get_by_text("已导入：变更 2 行").wait_for()
    clean(desk)

    on = (now.astimezone(CHINA) - timedelta(days=3)).date()
    amend.change_state(
        served.engine, amend.StateChange(NUMBER, None, CertificateState.WITHDRAWN, on, "抽查不合格", "陈静", now)
    )
    desk.go(f"/registry/search?q={NUMBER[:12]}")
    clean(desk)
    page.get_by_role("link", name=NUMBER).first.click()
    page.get_by_role("heading", name="状态随时间").wait_for()
    clean(desk)
    page.get_by_role("link", name="失效追溯").last.click()
    page.get_by_role("button", name="一键冻结").wait_for()
    clean(desk)
