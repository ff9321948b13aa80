"""`make run`: the whole system on this machine, a show of what it does, then service until Ctrl-C."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.audit.acting import acting
from backend.audit.model import COMMAND, Actor
from backend.demo import seed
from backend.demo.broker import broker_service, free_port
from backend.demo.city import (
    CITY,
    PHONE_RESIDENT,
    PICTURE_TILL,
    REDEEMED,
    REDEEMER,
    RESIDENTS,
    TILLS,
    VIDEO_TILL,
    phone_goods,
    picture_sales,
    video_sale,
)
from backend.demo.enrol import claim_slots, enter_by_key, take_slots
from backend.demo.keys import Keyring, ensure_keys
from backend.demo.launch import (
    ROOT,
    Address,
    backend_service,
    backend_settings,
    bridge_service,
    front_service,
    jobs_service,
    program_environment,
    till_service,
)
from backend.demo.people import MANAGER, MANAGER_OF_YEAR, OFFICIALS, add_manager_of_year, add_officials
from backend.demo.phone import Phones, Resident
from backend.demo.show import Watch, differences, goods_of, phone_differences, spent_labels, wait_for_tills
from backend.demo.stage import stage_pictures, stage_video
from backend.demo.steps import step
from backend.demo.supervisor import Supervisor
from backend.demo.table import Table
from backend.demo.year.make import make_year
from backend.kernel.errors import DomainError
from backend.storage.cluster import prepare_home
from backend.storage.embedded import EmbeddedPostgres
from backend.storage.migrate import upgrade
from backend.storage.transaction import Database
from backend.usecases.count_scans import count_scans

BROKER_ACCESS = ROOT / "firmware_bridge" / "dynamic-security.json"
WATCH_S = 0.5
CONSOLE_PASSWORD = "console.password"  # noqa: S105 - the name of a file


class AlreadyRuns(DomainError):
    code = "demo-already-runs"
    text_zh = "演示正在 {home} 中运行，请先在那个终端按 Ctrl-C。"
    text_en = "The demonstration already runs in {home}: press Ctrl-C in its terminal first."


@dataclass
class System:
    """What runs, and what the show needs of it."""

    home: Path
    table: Table
    supervisor: Supervisor
    owner: Database
    keyring: Keyring
    address: Address
    settings: Mapping[str, str]
    keep_alive: Callable[[], None]


def run(home: Path, table: Table, *, once: bool, year: bool = False) -> int:
    """0 when everything was as it must be. Ends by KeyboardInterrupt (Ctrl-C, SIGTERM) with all programs stopped."""
    prepare_home(home)
    with ExitStack() as stack:
        _only_one(home, stack)
        system = _start(home, table, stack, year=year)
        good = _show(system)
        _print_places(system, once=once)
        if once:
            return 0 if good else 1
        while True:
            system.keep_alive()
            time.sleep(WATCH_S)


def _only_one(home: Path, stack: ExitStack) -> None:
    lock = stack.enter_context((home / "run.lock").open("a"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRuns(home=home) from error


def _start(home: Path, table: Table, stack: ExitStack, *, year: bool) -> System:
    demo = home / "demo"
    demo.mkdir(mode=0o700, exist_ok=True)
    now = datetime.now(UTC)
    with step("PostgreSQL 18"):
        url, keep_database = _database(home, table, stack)
        upgrade(url)
    keyring = ensure_keys(demo / "keys", [], now)
    owner = Database(url, role=None, pool_size=2)
    stack.callback(owner.close)
    with step("演示城市南京：名录、政策、门店、终端 demonstration city"):
        token = demo / "bridge.token"
        with acting(Actor(f"{COMMAND}:demonstration", COMMAND)):
            seed.import_certificates(owner, now)
            seed.publish(url, owner, now)
            seed.open_shops(owner, token, now)
            seed.publish_goods(owner, now)
            seed.make_snapshot(owner, now)
            add_officials(owner, demo / CONSOLE_PASSWORD, now)
    if year:  # before anything else works on its days
        make_year(url, owner, keyring, demo / "year", now)
        with acting(Actor(f"{COMMAND}:demonstration", COMMAND)):
            add_manager_of_year(owner, demo / CONSOLE_PASSWORD, now)
    supervisor = Supervisor(home / "logs", table.say)
    stack.callback(_stop, supervisor)
    address = Address(
        broker_port=free_port(demo / "broker.port"),
        backend_port=free_port(demo / "backend.port"),
        bridge_health_port=free_port(demo / "bridge.port"),
        tls_port=free_port(demo / "tls.port"),
    )
    settings = backend_settings(url, keyring, address)
    with step("Mosquitto (mTLS)"):
        supervisor.start(broker_service(home / "broker", keyring, BROKER_ACCESS, address.broker_port))
    with step("后端、任务、网桥 backend, jobs, bridge"):
        supervisor.start(backend_service(address, settings))
        supervisor.start(jobs_service(settings))
        supervisor.start(front_service(address, keyring))
        _enrol_tills(owner, supervisor, demo / "tills", address, keyring)  # before bridges ask whom brokers may let in
        supervisor.start(bridge_service(address, keyring, token))

    def keep_alive() -> None:
        keep_database()
        supervisor.watch()

    return System(home, table, supervisor, owner, keyring, address, settings, keep_alive)


def _enrol_tills(owner: Database, supervisor: Supervisor, place: Path, address: Address, keyring: Keyring) -> None:
    now = datetime.now(UTC)
    with acting(Actor(f"{COMMAND}:demonstration", COMMAND)):
        claims = claim_slots(owner, TILLS, now)
        take_slots(claims, supervisor, place, address, keyring)
        for till in TILLS:
            enter_by_key(owner, till, place, keyring, now)


def _database(home: Path, table: Table, stack: ExitStack) -> tuple[str, Callable[[], None]]:
    """The owner's address, and what keeps the server up: DATABASE_URL names one that is not ours to watch."""
    given = os.environ.get("DATABASE_URL")
    if given:
        return given, lambda: None
    server = EmbeddedPostgres(home)
    server.start()
    stack.callback(server.stop)

    def keep_up() -> None:
        if not server.is_running():
            table.say("PostgreSQL 意外退出，正在重启 / ended, starting again")
            server.start()

    return server.url(), keep_up


def _stop(supervisor: Supervisor) -> None:
    with step("正在停止 stopping"):
        supervisor.stop_all()


def _show(system: System) -> bool:
    now = datetime.now(UTC)
    run_no = _next_run(system.home / "demo" / "runs")
    sales, filmed = picture_sales(run_no), video_sale()
    due = {PICTURE_TILL: goods_of(sales), VIDEO_TILL: goods_of([filmed])}
    spent = spent_labels(system.owner, [goods for each in due.values() for goods in each])
    with closing(Phones(system.address.backend_url)) as phones:
        residents = {name: phones.sign_in(name, run_no) for name in RESIDENTS}
        with step("绘制标签图片与视频 drawing label pictures and a video"):
            _stage(system, phones, residents, run_no)
        watch = Watch(system.owner, system.table, now)
        system.table.heading()
        _start_tills(system)
        wait_for_tills(watch, {till.device: len(goods) for till, goods in due.items()}, system.keep_alive)
        scanner = residents[PHONE_RESIDENT]
        answers = [phones.scan(scanner, goods) for goods in phone_goods()]
        watch.look()
        faults = list(phone_differences(phone_goods(), answers, watch.of(scanner.device)))
        for till, goods in due.items():
            faults += differences(till.name_zh, goods, watch.of(till.device), spent)
        if not faults:
            _redeem(system.table, phones, residents[REDEEMER])
        return _conclude(system, {name: phones.points(resident) for name, resident in residents.items()}, faults)


def _redeem(table: Table, phones: Phones, resident: Resident) -> None:
    """With the points of this very run: they are there when every read gave what it must."""
    done = phones.redeem(resident, REDEEMED)
    table.say(f"\n  兑换 redemption  {resident.name}  {done['title']}，{done['points']} 分：{done['sentence']}")
    table.say(f"                   {done['title_en']}, {done['points']} points: {done['sentence_en']}")


def _stage(system: System, phones: Phones, residents: Mapping[str, Resident], run_no: int) -> None:
    sales, stage = picture_sales(run_no), system.home / "demo" / "stage"

    def show_code(member: str | None) -> str | None:
        return None if member is None else phones.member_code(residents[member])

    filmed = video_sale()
    stage_video(stage / "labels.avi", filmed, show_code(filmed.member) or "")
    codes = [show_code(sale.member) for sale in sales]
    stage_pictures(stage / "pictures", system.home / "demo" / "drawn", sales, codes)


def _start_tills(system: System) -> None:
    stage, place = system.home / "demo" / "stage", system.home / "demo" / "tills"
    for till, source in (
        (PICTURE_TILL, f"pictures:{stage / 'pictures'}"),
        (VIDEO_TILL, f"video:{stage / 'labels.avi'}"),
    ):
        system.supervisor.start(till_service(till, source, place, system.address, system.keyring))


def _conclude(system: System, points: Mapping[str, int], faults: list[str]) -> bool:
    table = system.table
    # The hourly job did so before the tills had sold anything.
    count_scans(system.owner, CITY, datetime.now(UTC))
    table.say()
    for name, amount in points.items():
        table.say(f"  {name}  {amount} 分 points")
    verified = subprocess.run(
        [sys.executable, "-m", "backend.cli", "ledger", "verify"],
        cwd=ROOT,
        env=program_environment(system.settings),
        capture_output=True,
        text=True,
        check=False,
    )
    table.say(verified.stdout.strip())
    for fault in faults:
        table.bad(fault)
    if verified.returncode:
        table.bad(f"账本核对未通过 / the ledger does not verify: {verified.stderr.strip()}")
    if not faults and not verified.returncode:
        table.good("每次读码都与政策应得结果一致 / every read gave what the policy says")
    return not faults and not verified.returncode


def _print_places(system: System, *, once: bool) -> None:
    say, year = system.table.say, (system.home / "demo" / "year").exists()
    say()
    if not once:
        say(f"  手机页面 phone page {system.address.backend_url}/m/  短信验证码写在后端日志 codes are in backend.log")
        password = (system.home / "demo" / CONSOLE_PASSWORD).read_text().strip()
        say(f"  城市控制台 console  {system.address.backend_url}/console/  密码 password {password}")
        say(f"                      登录名 sign in as {' · '.join(login for login, *_ in OFFICIALS)}")
        say(f"  商户台 shops        {system.address.backend_url}/shop/  同一密码 the same password")
        say(f"                      登录名 sign in as {' · '.join([MANAGER, *[MANAGER_OF_YEAR] * year])}")
        say(f"  接口文档 API        {system.address.backend_url}/docs")
        if not year:
            say("  苏州一年的数据      make run YEAR=1  生成后各页面都有内容 / a year of another city's data")
    say(f"  日志 logs           {system.home / 'logs'}")
    if not once:
        say("\n系统正在运行，按 Ctrl-C 停止 / running; Ctrl-C stops it")


def _next_run(counter: Path) -> int:
    number = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(f"{number}\n")
    return number
