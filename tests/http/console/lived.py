"""Suzhou as officials find it in the morning: lived as the demonstration lives it, and with something on every desk."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.audit.acting import acting
from backend.audit.model import JOB, Actor
from backend.bootstrap import log_key
from backend.cases.terms import SALT_BYTES, CaseTerms, set_terms
from backend.certificates.cache import RegistryCache
from backend.demo import once
from backend.demo.year import founding
from backend.demo.year.goods import ARTICLES
from backend.demo.year.life import Keys, Span, live, resident_of
from backend.demo.year.shops import SHOPS, SUZHOU
from backend.kernel.periods import CHINA, milliseconds
from backend.ledger import chart
from backend.officials.model import STAFF, Role, Stage, side_of
from backend.policies.drafts import find_draft
from backend.policies.store import PolicyCache
from backend.residents.people import Home
from backend.settlements import queries as settlements
from backend.storage.transaction import Database
from backend.usecases.claim_missing_points import AskedMissing, ClaimMissingPoints, MissingTerms
from backend.usecases.count_certificates import count_certificates
from backend.usecases.count_scans import count_scans, keep_outlooks
from backend.usecases.device_reports import read_report, save_reports
from backend.usecases.draft_policy import draft_policy
from backend.usecases.draw_samples import draw_samples
from backend.usecases.export_tables import run_exports
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.usecases.file_report import AskedReport, FileReport
from backend.usecases.import_listings import approve_listings
from backend.usecases.measure_targets import measure_targets
from backend.usecases.preview_policy import Place
from backend.usecases.reconcile_shops import keep_reconciliation
from backend.usecases.run_previews import run_previews
from backend.usecases.seal_ledger import seal_ledger
from tests.http import conftest
from tests.http.conftest import settings_of
from tests.worlds import books, officials
from tests.worlds.console import Served, serving
from tests.worlds.sales_files import row, sheet

MORNING = datetime.combine(date(2026, 11, 2), time(10), CHINA)
"""A Monday: what was held in the week before waits, and October wants to be closed."""
MONTH = "2026-10"
DAYS = Span(MORNING.date(), days=6, residents=24, baskets=24)
QUARTER = Span(MORNING.date(), days=95, residents=90, baskets=12)
PEOPLE = {
    Role.POLICY_AUTHOR: "李娜",
    Role.APPROVER: "王敏",
    Role.FINANCE: "赵文慧",
    Role.CASE_OFFICER: "陈静",
    Role.FLEET: "孙立",
    Role.AUDITOR: "周正",
    Role.CITY_ADMINISTRATOR: "吴芳",
    Role.PROVINCE: "郑华",
    Role.SHOPKEEPER: "周玲",
}
NAMES = (
    "认证项目,证书编号,认证机构批准号,获证企业名称,统一社会信用代码,产品名称,规格型号,产品编码,等级,证书生效日期,证书到期日期,证书状态",
    "energy_label,202611-14-10000001-000000000999,CNIS,示例热水器有限公司,,热水器,RS-60,9521234000990,1,2026-01-01,长期,有效",
    "energy_label,202611-14-10000001-000000000998,CNIS,示例有限公司,,热水器,,,1,三月,长期,有效",
)
LISTED = (
    "名单,统一社会信用代码,文号,列入机关,列入日期,移出日期,移出文号,企业名称",
    "经营异常名录,91371323760038087M,苏市监异〔2026〕12号,苏州市市场监督管理局,2026-03-01,,,示例热水器有限公司",
)
SHOP = SHOPS[5].store
"""Whose manager signs in: it sells appliances."""
UNREWARDED = """
SELECT resident::text, basket::text, line_no FROM decisions
WHERE city = :c AND outcome = 'none' AND resident IS NOT NULL ORDER BY basket LIMIT 1"""


@dataclass
class Lived:
    """One official of each role, signed in: `tokens`; of stages, whoever is about to, at the city's door, or `at_shops`."""

    served: Served
    url: str
    tokens: dict[Role | Stage, str] = field(default_factory=dict)
    at_shops: dict[Role | Stage, str] = field(default_factory=dict)
    officials: dict[Role, str] = field(default_factory=dict)

    @property
    def engine(self) -> Database:
        return self.served.engine

    def begin(self, role: Role) -> None:
        at = f"{SUZHOU[:2]}0000" if role is Role.PROVINCE else SUZHOU
        retailer = SHOP.retailer if role in STAFF else None
        named = {"login": role.replace("_", "."), "name": PEOPLE[role], "retailer": retailer}
        official = officials.enter(self.engine, MORNING, role, city=at, **named)
        self.tokens[role] = officials.session(self.engine, MORNING, official, at)
        self.officials[role] = official
        waiting = self.at_shops if role in STAFF else self.tokens
        for stage in (Stage.PASSWORD, Stage.FACTOR):
            waiting[stage] = officials.session(self.engine, MORNING, official, at, stage)

    def post(self, role: Role, path: str, file: bytes | None = None, **form: str) -> str:
        """Where it leads; or the page, where it stays."""
        token, name = self.tokens[role], "销售.csv" if role in STAFF else "名录.csv"
        answer = httpx.post(
            f"{self.served.url}/{side_of(role).value}{path}",
            data=form | {"csrf": officials.form_token_of(token)},
            files=None if file is None else {"file": (name, file)},
            cookies=dict.fromkeys(officials.COOKIES, token),
            timeout=60,
        )
        assert answer.status_code in (200, 303), answer.text[-1_500:]
        return answer.headers.get("Location", "").removeprefix("/console")


@contextmanager
def lived(url: str, folder: Path, span: Span) -> Iterator[Lived]:
    """On the database at `url`, which is the owner's and new."""
    keys = conftest.Keys()
    (folder / "ledger").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    settings = replace(settings_of(url, keys, folder), ledger_key_file=folder / "ledger")
    owner = Database(url, role=None, pool_size=2)
    founding.found(url, owner, span.begins - timedelta(days=2))
    live(url, Keys(bytes(32), bytes(32), "n1", keys.member.sign), span)
    owner.close()
    with serving(settings, lambda: MORNING) as served:
        world = Lived(served, url)
        for role in PEOPLE:
            world.begin(role)
        _money(world)
        _cases(world)
        _fleet(world)
        _papers(world)
        _targets(world)
        world.post(
            Role.CITY_ADMINISTRATOR, "/officials/new", login="he.ping", name="何平", roles="approver", reason="任命"
        )
        world.post(Role.CASE_OFFICER, "/registry/imports", source="能效标识备案", file="\n".join(NAMES).encode())
        sold = {"门店编号": SHOP.store, "销售时间": "2026-11-01 15:20"}
        world.post(Role.SHOPKEEPER, "/uploads", file=sheet(row("P-1", **sold), row("P-2", **sold | {"件数": "两台"})))
        world.post(Role.SHOPKEEPER, "/tokens/new", name="收银系统")
        count_certificates(world.engine)
        count_scans(world.engine, SUZHOU, MORNING)
        keep_outlooks(world.engine, SUZHOU, MORNING)
        seal_ledger(world.engine, SUZHOU, MORNING, log_key(folder / "ledger"), lambda: False)
        yield world


def _money(world: Lived) -> None:
    wanted = {"of": "resident", "whose": resident_of(1), "unit": "points", "cause": "goodwill", "ticket": "T-2026-118"}
    world.post(Role.FINANCE, "/adjustments/new", **wanted, amount="50000", explanation="终端停机两小时，补偿当日购买")
    world.post(Role.FINANCE, "/settlements/close", month=MONTH)
    world.post(Role.FINANCE, "/exports", kind="statements", first="2026-10-01", last="2026-11-01")
    run_exports(world.engine, SUZHOU, lambda: MORNING, lambda: False)
    keep_reconciliation(world.engine, SUZHOU, MORNING)
    with world.engine.read() as connection:
        first, second, *_ = settlements.statements_of_month(connection, SUZHOU, MONTH, after="", limit=2)
    world.post(Role.FINANCE, f"/statement-acts/dispute/{MONTH}/1/{first.retailer}", reason="件数与小票不符")
    world.post(Role.FINANCE, f"/statement-acts/confirm/{MONTH}/0/{second.retailer}")
    world.post(Role.FINANCE, "/payments/prepare")


def _cases(world: Lived) -> None:
    terms = CaseTerms(MORNING - timedelta(days=1), 7, 15, 1_000, "吴芳", "年度抽查计划")
    world.engine.write(lambda connection: set_terms(connection, SUZHOU, terms, bytes(SALT_BYTES)))
    draw_samples(world.engine, SUZHOU, MORNING + timedelta(minutes=10))
    said = "店里的冰箱贴着一级能效标识，备案号在网上查不到，店员说是新款。"
    for number, days in enumerate((30, 4, 1)):
        asked = AskedReport(SUZHOU, resident_of(number), str(number), said, SHOP.store, label=ARTICLES[0].code)
        FileReport(world.engine, None).file(asked, MORNING - timedelta(days=days))
    claiming = ClaimMissingPoints(world.engine, RegistryCache(), PolicyCache(chart.budget), MissingTerms(90, 15))
    slip = AskedMissing(
        SUZHOU, str(uuid4()), SHOPS[0].store.store, MORNING.date() - timedelta(days=3), "S01-0042", 8_650
    )
    claiming.claim(slip, Home(SUZHOU, resident_of(2)), MORNING)
    for resident, basket, line_no in books.rows(world.engine, UNREWARDED, c=SUZHOU):
        appeal = AskedAppeal(SUZHOU, resident, str(uuid4()), basket, line_no, "我买的是一级能效，小票可以提供。")
        file_appeal(world.engine, appeal, 15, MORNING)
    notice = {"basis": "《苏州市绿色积分管理办法（示例）》第十二条", "reason": "三次抽查，标签与备案不符。"}
    world.post(Role.CASE_OFFICER, "/cases/suspensions", store=SHOPS[6].store.store, reply_days="5", **notice)
    for lines in (LISTED, [line.replace("2026-03-01,", "2026-03-01,2026-12-31") for line in LISTED]):
        sent = "\n".join(lines).encode()
        where = world.post(Role.CASE_OFFICER, "/cases/lists", source="市场监管局", write="yes", file=sent)
        if lines is LISTED:  # the second waits
            file = where.partition("file=")[2]
            world.engine.write(partial(approve_listings, city=SUZHOU, file=file, by="王科长", now=MORNING))


def _fleet(world: Lived) -> None:
    """All tills report, but for one that left and one that fell silent."""
    at_ms, reports = milliseconds(MORNING), []
    devices = [shop.device(number) for shop in SHOPS for number in range(1, shop.tills + 1)]
    for place, device in enumerate(devices):
        born = {"session": 7, "online": True, "fw": "2.0" if place % 3 else "1.9", "slot": "ab"[place % 2]}
        health = {
            "every_s": 60,
            "outbox": {"baskets": place % 4, "percent": place % 4, "rejected": 0, "oldest_age_ms": 900 * (place % 4)},
            "clk": {"src": "ntp", "off_ms": 3 * place, "err_ms": 8},
            "disk_free_bytes": 9 * 10**9,
            "cpu_millicelsius": 45_000 + 700 * place,
            "cert_ends_s": at_ms // 1_000 + 90 * 86_400,
        }
        heard_ms = at_ms - (9_000_000 if place == 3 else 20_000)
        for kind, doc in (("state", born | {"online": place != 6}), ("health", health)):
            told = read_report(device, kind, json.dumps(doc).encode(), heard_ms)
            assert told is not None
            reports.append(told)
    world.engine.write(lambda connection: save_reports(connection, SUZHOU, reports))
    release = {"target": "till-2.1.tar", "version": "2.1", "hardware": "pi4, pi5", "min_version": "1.0"}
    world.post(Role.FLEET, "/updates/new", **release)


def _papers(world: Lived) -> None:
    """Appliances at 13 % from next year on are approved; at 12 % they wait for a second person."""
    first, second = (_draft(world, percent) for percent in (13, 12))
    with acting(Actor("job:preview_policies", JOB)):
        run_previews(world.engine, Place(world.url, once.READER), SUZHOU, MORNING, lambda: False)
    for draft in (first, second):
        world.post(Role.POLICY_AUTHOR, f"/policy-drafts/{draft}/submit", revision="1")
    with world.engine.read() as connection:
        found = find_draft(connection, SUZHOU, first)
    seen = {"sha256": found.sha256, "preview_sha256": str(found.preview_sha256)}
    world.post(Role.APPROVER, f"/policy-drafts/{first}/approve", **seen, reason="同意")


def _draft(world: Lived, percent: int) -> str:
    text = json.loads(founding.POLICIES[1].read_text(encoding="utf-8"))
    text |= {"title_zh": "苏州市一级能效家电补贴（2027 年）", "from": "2027-01-01T00:00:00+08:00"}
    text["document"] |= {"number": f"示例发〔2026〕{percent}号", "published_on": "2026-10-30"}
    text["rules"][0]["rewards"][0] |= {"basis_points": percent * 100, "cap_per_unit": 120_000}
    text["rules"][0]["name_zh"] = f"一级能效（水效）家电 {percent}%"
    author = Role.POLICY_AUTHOR.replace("_", ".")
    with acting(Actor(world.officials[Role.POLICY_AUTHOR], Role.POLICY_AUTHOR.value)):
        made = world.engine.write(lambda c: draft_policy(c, SUZHOU, json.dumps(text), by=author, now=MORNING))
    world.post(Role.POLICY_AUTHOR, f"/policy-drafts/{made.draft}/preview")
    return made.draft


def _targets(world: Lived) -> None:
    usual = {
        "begins_on": "2026-01-01",
        "start": "0",
        "due_on": "2027-12-31",
        "scheme": "",
        "link": "https://example.org/1",
    }
    paper = {"document": "苏州市绿色消费行动方案（演示）", "clause": "第三条"}
    counted = {"title": "全年认证商品销量", "measure": "certified_units", "value": "5000"}
    told = {"title": "优质农产品比重", "measure": "by_hand", "unit": "%", "value": "75"}
    for target in (counted, told):
        world.post(Role.POLICY_AUTHOR, "/targets", **usual | paper | target)
    count_scans(world.engine, SUZHOU, MORNING - timedelta(minutes=1))
    measure_targets(world.engine, SUZHOU, MORNING)
