"""The fleet as an operator sees it, and settings that are set from afar."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from backend.devices.downlinks import TILLS
from backend.devices.twin.message import sha256_of
from backend.kernel.periods import milliseconds
from backend.outbox.queries import downlinks
from backend.storage.transaction import Database, observed
from backend.usecases.device_reports import read_report, save_reports
from tests.db.operator.typed import Run, add_store, done, listed, refused
from tests.worlds.city import NANJING

DEVICE = "nj-shop-0001"


@pytest.fixture
def fleet(run: Run, tmp_path: Path) -> Run:
    add_store(run)
    enrol(run, tmp_path, DEVICE)
    return run


def enrol(run: Run, folder: Path, device: str) -> None:
    key = folder / f"{device}.pub"
    key.write_bytes(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    options = ("--city", NANJING, "--store", "s1", "--key-id", "k1", "--public-key", str(key))
    done(run("devices", "enrol", "--device", device, *options))


def say(database: Database, kind: str, *, ago_s: int = 0, device: str = DEVICE, **fields: Any) -> None:
    at_ms = milliseconds(datetime.now(UTC) - timedelta(seconds=ago_s))
    report = read_report(device, kind, orjson.dumps(fields), at_ms)
    assert report is not None
    database.write(lambda connection: save_reports(connection, NANJING, [report]))


def sent(database: Database) -> list[tuple[str, bytes, bool]]:
    with database.read() as connection:
        found = downlinks(connection, [NANJING], after=None, limit=500, now=datetime.now(UTC) + timedelta(seconds=9))
    return [(each.topic, each.payload, each.retain) for each in found if each.topic.startswith(TILLS)]


def only(run: Run) -> dict[str, Any]:
    (row,) = listed(run, "devices")
    return row


def test_a_till_that_never_spoke_is_told_apart(fleet: Run) -> None:
    assert f"{DEVICE}  320100 s1 320102  在用  从未上线\n" == done(fleet("devices", "list"))


def test_a_line_says_what_an_operator_asks_first(fleet: Run, engine_db: Database) -> None:
    say(engine_db, "state", online=True, session=5, fw="1.2.0", slot="a")
    outbox = {"baskets": 3, "oldest_age_ms": 125_000}
    say(engine_db, "health", every_s=60, outbox=outbox, clk={"src": "ntp", "err_ms": 50})

    told = done(fleet("devices", "list"))

    assert "在线（自 " in told
    assert told.endswith("· 待传 3 单，最久 2 分 · 时钟 ntp±50 毫秒 · 版本 1.2.0 槽位 a\n")


def test_silent_and_offline_are_told_apart(fleet: Run, engine_db: Database) -> None:
    say(engine_db, "state", ago_s=4_000, online=True, session=5)
    say(engine_db, "health", ago_s=181, every_s=60)
    assert only(fleet)["standing"]["condition"] == "silent"
    assert "失联（最后消息 " in done(fleet("devices", "list"))

    say(engine_db, "state", online=False, session=4)
    assert only(fleet)["standing"]["condition"] == "silent"

    say(engine_db, "state", online=False, session=5)
    assert only(fleet)["standing"]["condition"] == "offline"


def test_one_till_is_shown_whole(fleet: Run, engine_db: Database) -> None:
    say(engine_db, "state", online=True, session=5, fw="1.2.0")
    ends_s = int((datetime.now(UTC) + timedelta(days=9)).timestamp())
    say(
        engine_db,
        "health",
        every_s=60,
        outbox={"baskets": 0, "percent": 1, "rejected": 0, "oldest_age_ms": None, "set_aside": True},
        clk={"src": "none", "off_ms": 0, "err_ms": None},
        cert_ends_s=ends_s,
        throttled=0x50005,
        cpu_millicelsius=61_500,
        disk_free_bytes=2**30,
        source={"src": "cam0", "open": False},
    )

    told = done(fleet("devices", "show", DEVICE))

    for words in (
        "位置：320100 320102 门店 s1",
        "待上传：待传 0 单，存储已用 1%，被隔离 0 单",
        "时钟：时钟未校准",
        "读码来源：cam0 不可用",
        "机器：可用空间 1,024 MiB，处理器 61.5 ℃，供电与降频 电压不足（0x50005）",
        "注意：本机存储曾损坏",
        "到期，即将到期",
        "远程设置：未设置",
    ):
        assert words in told
    assert json.loads(done(fleet("devices", "show", DEVICE, "--json")))["health"]["rejected"] == 0


def test_a_till_that_nobody_enrolled_is_refused(run: Run) -> None:
    for words in (("show",), ("twin", "show"), ("twin", "history")):
        assert refused(run("devices", *words, DEVICE)).code == "device-unknown"
    assert refused(run("devices", "twin", "set", DEVICE, "--expect", "0", "finish_code=GPEND")).code == "device-unknown"


def test_the_fleet_takes_one_statement_a_page(fleet: Run, tmp_path: Path, engine_db: Database) -> None:
    from backend.devices import fleet as pages

    for number in range(2, 6):
        enrol(fleet, tmp_path, f"nj-shop-{number:04}")
    seen: list[str] = []

    with engine_db.read() as connection, observed(seen.append):
        rows = list(pages.fleet(connection, NANJING, datetime.now(UTC)))

    assert [row.device for row in rows] == [f"nj-shop-{number:04}" for number in range(1, 6)]
    assert len([sql for sql in seen if "device_directory" in sql]) == 1


def test_settings_are_promised_to_the_till_with_their_version(fleet: Run, engine_db: Database) -> None:
    words = ("finish_code=GPEND", "basket_timeout_s=90")

    told = done(fleet("devices", "twin", "set", DEVICE, "--expect", "0", "--by", "张三", *words))

    document = '{"basket_timeout_s":90,"finish_code":"GPEND"}'
    assert told == f"终端 {DEVICE} 的设置已设为第 1 版：{document}\n"
    ((topic, body, retain),) = sent(engine_db)
    assert (topic, retain) == (f"pos/v1/{DEVICE}/down/twin", True)
    header, _, sent_document = body.partition(b"\n")
    assert orjson.loads(header) == {"v": 1, "version": 1, "sha256": sha256_of(document)}
    assert sent_document.decode() == document
    assert done(fleet("devices", "twin", "history", DEVICE)).endswith(f"张三  {document}\n")
    assert done(fleet("devices", "list")).endswith(" · 设置 第 1 版待下发\n")


def test_a_change_keeps_the_other_settings_and_only_the_last_promise(fleet: Run, engine_db: Database) -> None:
    set_ = ("devices", "twin", "set", DEVICE)
    done(fleet(*set_, "--expect", "0", "finish_code=GPEND", "basket_timeout_s=90"))

    done(fleet(*set_, "--expect", "1", "finish_code=", "void_code=GPOFF"))

    ((_, body, _),) = sent(engine_db)
    assert body.partition(b"\n")[2] == b'{"basket_timeout_s":90,"void_code":"GPOFF"}'
    assert [each["version"] for each in json.loads(done(fleet("devices", "twin", "history", DEVICE, "--json")))] == [
        2,
        1,
    ]


def test_who_has_not_seen_the_last_version_changes_nothing(fleet: Run, engine_db: Database) -> None:
    set_ = ("devices", "twin", "set", DEVICE)
    done(fleet(*set_, "--expect", "0", "finish_code=GPEND"))

    refusal = refused(fleet(*set_, "--expect", "0", "finish_code=GPSTOP"))

    assert refusal.code == "twin-changed"
    assert "已是第 1 版，不是您所看到的第 0 版" in refusal.sentence_zh
    assert len(sent(engine_db)) == 1


def test_the_same_settings_again_are_no_new_version(fleet: Run) -> None:
    set_ = ("devices", "twin", "set", DEVICE)
    done(fleet(*set_, "--expect", "0", "finish_code=GPEND"))

    assert "没有变化，仍为第 1 版" in done(fleet(*set_, "--expect", "1", "finish_code=GPEND"))


@pytest.mark.parametrize(
    "words", [("broker_host=evil",), ("basket_timeout_s=1",), ("finish_code=GPVOID", "void_code=GPVOID")]
)
def test_settings_that_no_till_may_have_are_refused(fleet: Run, engine_db: Database, words: tuple[str, ...]) -> None:
    assert refused(fleet("devices", "twin", "set", DEVICE, "--expect", "0", *words)).code == "twin-invalid"
    assert sent(engine_db) == []


def test_a_rehearsal_promises_nothing(fleet: Run, engine_db: Database) -> None:
    told = done(fleet("devices", "twin", "set", DEVICE, "--expect", "0", "finish_code=GPEND", "--dry-run"))

    assert "将成为第 1 版" in told
    assert sent(engine_db) == []
    with engine_db.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM twin_versions")) == 0


def test_a_revoked_till_is_sent_nothing_more(fleet: Run) -> None:
    done(fleet("devices", "revoke", DEVICE))

    refusal = refused(fleet("devices", "twin", "set", DEVICE, "--expect", "0", "finish_code=GPEND"))

    assert refusal.code == "twin-of-revoked"


def test_what_the_till_says_stands_beside_what_is_desired(fleet: Run, engine_db: Database) -> None:
    done(fleet("devices", "twin", "set", DEVICE, "--expect", "0", "finish_code=GPEND"))
    digest = sha256_of('{"finish_code":"GPEND"}')

    for status, words in (("trial", "试用中"), ("applied", "已生效"), ("reverted", "已退回上一版")):
        say(engine_db, "twin", version=1, applied_version=1, sha256=digest, status=status, error=None)
        assert f"终端 {DEVICE}：{words}\n" in done(fleet("devices", "twin", "show", DEVICE))

    assert "--expect 1 名称=值" in done(fleet("devices", "twin", "show", DEVICE))


def test_a_register_that_was_restored_from_a_copy_is_heard_again(fleet: Run, engine_db: Database) -> None:
    """The till has judged version 7; here nobody knows of it. A version below would be ignored as old."""
    say(engine_db, "twin", version=7, applied_version=7, sha256="0" * 64, status="applied", error=None)
    assert only(fleet)["twin"] == "different"

    told = done(fleet("devices", "twin", "set", DEVICE, "--expect", "0", "finish_code=GPEND"))

    assert "第 8 版" in told


def test_a_till_that_boasts_of_its_version_does_not_use_up_the_numbers(fleet: Run, engine_db: Database) -> None:
    say(engine_db, "twin", version=2**31 - 1, applied_version=1, sha256=None, status="applied", error=None)

    assert "第 1 版" in done(fleet("devices", "twin", "set", DEVICE, "--expect", "0", "finish_code=GPEND"))
