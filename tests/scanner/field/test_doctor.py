"""`greenpoints-till doctor`: names what is wrong, says what to do, and disturbs nothing."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography import x509

from firmware_bridge.wire.leases import LeaseMessage
from scanner.__main__ import main
from scanner.clock import Discipline
from scanner.doctor import credentials, machine, offline, storage
from scanner.doctor.model import Finding, Verdict
from scanner.lease.book import EMPTY, hear, promise, write_book
from scanner.outbox import Fill, Limits
from scanner.outbox_file import open_outbox
from scanner.settings import Settings, read_settings
from scanner.snapshot.file import Held
from tests.architecture.project import ROOT
from tests.scanner.lease.test_book import BEGIN, POINTS, UNTIL, lease
from tests.scanner.till.scene import DEVICE, Backend, Shop, free_port, needs_mosquitto
from tests.scanner.till.test_mtls import Authority, tls_files

NOW = datetime.now(UTC)
NOW_MS = int(NOW.timestamp() * 1000)


@pytest.fixture
def settings_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    def make(port: int = 1, **more: str) -> Settings:
        for name, value in shop.environment(port, **more).items():
            if name.startswith("GREENPOINTS_TILL_"):
                monkeypatch.setenv(name, value)
        return read_settings()

    return make


def verdicts(found: list[Finding]) -> dict[str, Verdict]:
    return {finding.subject: finding.verdict for finding in found}


# Keys and certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    authority = Authority(folder)
    for name in ("broker", DEVICE, "nj0001-2"):
        authority.issue(name)
        (folder / f"{name}.key").chmod(0o600)
    return folder


def test_whole_credentials_are_well(settings_of: Callable[..., Settings], authority: Path) -> None:
    found = list(credentials.examine(settings_of(**tls_files(authority, DEVICE)), NOW - timedelta(days=3)))

    assert set(verdicts(found).values()) == {Verdict.OK}


def test_every_credential_that_is_not_right_is_named(settings_of: Callable[..., Settings], authority: Path) -> None:
    other = {**tls_files(authority, "nj0001-2"), "BROKER_TLS_KEY_PATH": str(authority / "broker.key")}
    settings = settings_of(**other, CITY_KEYS_PATH="/no/such/file")
    settings.key_path.chmod(0o644)

    found = verdicts(list(credentials.examine(settings, NOW)))

    assert {subject for subject, verdict in found.items() if verdict is Verdict.WRONG} == {
        "signing_key",
        "city_keys",
        "certificate_name",
        "tls_key",
    }


@pytest.mark.parametrize(
    ("days", "verdict", "word"),
    [(-8, Verdict.WRONG, "时钟"), (-7, Verdict.OK, ""), (-1, Verdict.WARN, "到期"), (1, Verdict.WRONG, "过期")],
)
def test_a_certificate_is_judged_by_its_dates(days: int, verdict: Verdict, word: str, authority: Path) -> None:
    """Valid from 7 days before it was made to a day after: renewed from the second third of that on."""
    certificate = x509.load_pem_x509_certificate((authority / f"{DEVICE}.crt").read_bytes())
    moment = certificate.not_valid_after_utc + timedelta(days=days - 1, seconds=1)

    finding = credentials.judge_dates("certificate", "终端证书", "The till's certificate", certificate, moment)

    assert finding.verdict is verdict
    assert word in finding.text_zh


# Storage


def test_a_running_till_is_looked_at_without_being_disturbed(settings_of: Callable[..., Settings], shop: Shop) -> None:
    till = shop.open_till(free_port())
    till.say("a1")
    till.wait_for("read")
    settings = settings_of()

    found = verdicts(list(storage.examine(settings, NOW_MS)))

    assert found["outbox"] is Verdict.OK
    till.say("a2")
    till.wait_for("read", 2)
    till.close()
    left = {file: file.read_bytes() for file in shop.folder.glob("outbox.sqlite*") if not file.name.endswith("-shm")}
    assert verdicts(list(storage.examine(settings, NOW_MS)))["outbox"] is Verdict.OK
    assert {file: file.read_bytes() for file in left} == left


def test_a_broken_outbox_and_one_that_was_set_aside_are_named(settings_of: Callable[..., Settings]) -> None:
    settings = settings_of()
    settings.outbox_path.write_bytes(b"\xff" * 8_192)
    settings.outbox_path.with_name("outbox.sqlite.broken-7").touch()
    settings.outbox_path.with_name("outbox.sqlite.broken-7-wal").touch()

    found = list(storage.examine(settings, NOW_MS))

    assert verdicts(found)["outbox"] is Verdict.WRONG
    (aside,) = [finding for finding in found if finding.subject == "set_aside"]
    assert "有 1 个" in aside.text_zh


def test_an_outbox_that_is_not_there_is_only_a_warning(settings_of: Callable[..., Settings]) -> None:
    assert verdicts(list(storage.examine(settings_of(), NOW_MS)))["outbox"] is Verdict.WARN


@pytest.mark.parametrize(
    ("age_h", "verdict", "word"),
    [(3, Verdict.OK, "3 小时前"), (25, Verdict.WARN, "已过期"), (None, Verdict.WARN, "还没有")],
)
def test_a_snapshot_is_judged_by_its_age(age_h: int | None, verdict: Verdict, word: str) -> None:
    checked_at = NOW_MS - 3_600_000 * (age_h or 0)
    held = None if age_h is None else Held(7, checked_at, checked_at + 24 * 3_600_000, "320102", "s1")

    found = offline.judge_snapshot(held, NOW_MS)

    assert (found.verdict, word in found.text_zh) == (verdict, True)


def test_what_leases_still_hold_is_told(settings_of: Callable[..., Settings]) -> None:
    settings = settings_of()
    limits = Limits(baskets_max=10, size_max_bytes=10**6)
    outbox = open_outbox(settings.outbox_path, limits, random_stream=b"\x07" * 16, now_ts=1).outbox
    (none,) = offline.examine(settings, BEGIN)
    book, _, _ = promise(hear(EMPTY, LeaseMessage(1, (lease(1, 50),)), outbox.stream, BEGIN), {POINTS: 20}, BEGIN)
    outbox.keep_lease_book(write_book(book))

    (held,) = offline.examine(settings, BEGIN)
    outbox.close()

    assert (none.text_zh, none.verdict) == ("没有可用的离线租约，断网时不作承诺。", Verdict.OK)
    assert held.text_zh == "离线租约尚余 green 30 points，8 小时内有效。"
    assert offline.judge_leases(book, UNTIL).text_zh == none.text_zh


@pytest.mark.parametrize(
    ("percent", "verdict"), [(79, Verdict.OK), (80, Verdict.WARN), (99, Verdict.WARN), (100, Verdict.WRONG)]
)
def test_a_full_outbox_is_wrong(percent: int, verdict: Verdict) -> None:
    assert storage.judge_fill(Fill(1, 1, 0, percent)).verdict is verdict


@pytest.mark.parametrize(("age_ms", "subjects"), [(0, []), (storage.LATE_MS, ["outbox_age"]), (-1, ["outbox_age"])])
def test_what_waits_too_long_is_named_and_so_is_a_clock_that_fell(age_ms: int, subjects: list[str]) -> None:
    assert [finding.subject for finding in storage.judge_age(NOW_MS - age_ms, NOW_MS)] == subjects


@pytest.mark.parametrize(("free_mb", "verdict"), [(49, Verdict.WRONG), (127, Verdict.WARN), (128, Verdict.OK)])
def test_the_disk_must_hold_what_the_outbox_may_grow_to(free_mb: int, verdict: Verdict) -> None:
    assert storage.judge_space(free_mb << 20, 128 << 20, Path("/")).verdict is verdict


MOUNTS = """\
22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw
30 22 0:5 / /dev rw - devtmpfs udev rw
41 22 179:3 / /var/lib/greenpoints-till rw,noatime - ext4 /dev/mmcblk0p3 rw,commit=5
42 41 0:44 / /var/lib/greenpoints-till/my\\040card rw - vfat /dev/sda1 rw
"""


@pytest.mark.parametrize(
    ("folder", "point"),
    [
        ("/var/lib/greenpoints-till", "/var/lib/greenpoints-till"),
        ("/var/lib/greenpoints-till/keys", "/var/lib/greenpoints-till"),
        ("/var/lib/greenpoints-tills", "/"),
        ("/var/lib/greenpoints-till/my card/x", "/var/lib/greenpoints-till/my card"),
    ],
)
def test_a_folder_lies_on_the_nearest_mount(folder: str, point: str) -> None:
    assert storage.mount_of(folder, MOUNTS).point == point


@pytest.mark.parametrize(
    ("point", "kind", "options", "verdict"),
    [
        ("/data", "ext4", "rw,noatime", Verdict.OK),
        ("/", "ext4", "rw", Verdict.WARN),
        ("/data", "vfat", "rw", Verdict.WARN),
        ("/data", "ext4", "rw,nobarrier", Verdict.WRONG),
        ("/data", "ext4", "rw,data=writeback", Verdict.WRONG),
        ("/data", "ext4", "ro", Verdict.WRONG),
        ("/", "overlay", "rw", Verdict.WRONG),
        ("/data", "tmpfs", "rw", Verdict.WRONG),
    ],
)
def test_a_mount_is_judged_by_what_a_power_cut_would_leave(
    point: str, kind: str, options: str, verdict: Verdict
) -> None:
    assert storage.judge_mount(storage.Mount(point, kind, frozenset(options.split(",")))).verdict is verdict


# Machine


@pytest.mark.parametrize(
    ("discipline", "synchronised", "rtc", "verdict"),
    [
        (Discipline.AUTO, True, False, Verdict.OK),
        (Discipline.AUTO, False, False, Verdict.WARN),
        (Discipline.NTP, False, False, Verdict.WRONG),
        (Discipline.RTC, False, True, Verdict.OK),
        (Discipline.RTC, False, False, Verdict.WRONG),
        (Discipline.SRV, True, True, Verdict.WARN),
    ],
)
def test_a_clock_must_be_what_the_settings_say(
    *, discipline: Discipline, synchronised: bool, rtc: bool, verdict: Verdict
) -> None:
    assert machine.judge_clock(discipline, synchronised=synchronised, rtc=rtc).verdict is verdict


def test_a_source_that_is_away_or_not_permitted_is_named_with_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "ttyUSB0"
    away = machine.judge_device("serial", device)
    device.touch()
    # Root may open everything, so the answer of a user without the group is given for it.
    monkeypatch.setattr(os, "access", lambda *_: False)
    forbidden = machine.judge_device("serial", device)

    assert (away.verdict, forbidden.verdict) == (Verdict.WRONG, Verdict.WRONG)
    assert forbidden.advice is not None
    assert "usermod -aG dialout" in forbidden.advice.en


WELL = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "WatchdogUSec": "30s",
    "NRestarts": "0",
    "StatusText": "待上传 3 单；时钟 srv，偏差 +340 ms",
}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.OK),
        ({"LoadState": "not-found"}, Verdict.WARN),
        ({"ActiveState": "activating"}, Verdict.WRONG),
        ({"UnitFileState": "disabled"}, Verdict.WARN),
        ({"WatchdogUSec": "0"}, Verdict.WARN),
        ({"NRestarts": "4"}, Verdict.WARN),
    ],
)
def test_the_service_is_judged_by_what_systemd_says(changed: dict[str, str], verdict: Verdict) -> None:
    finding = machine.judge_service({**WELL, **changed})

    assert finding.verdict is verdict
    assert ("+340 ms" in finding.text_zh) == (not changed or "NRestarts" in changed)


@pytest.mark.parametrize(
    ("bits", "verdict"),
    [(0, Verdict.OK), (0x50005, Verdict.WRONG), (0x50000, Verdict.WARN), (0x80008, Verdict.WARN)],
)
def test_undervoltage_is_read_from_the_boards_bits(bits: int, verdict: Verdict) -> None:
    assert machine.judge_power(bits).verdict is verdict


# The command


def doctor(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scanner", "doctor", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@needs_mosquitto
def test_a_whole_till_is_well_and_says_so_line_by_line(shop: Shop, backend: Backend) -> None:
    settings = "".join(
        f"{name}='{value}'\n" for name, value in shop.environment(backend.broker.port).items() if "_TILL_" in name
    )
    (shop.folder / "till.env").write_text(settings)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GREENPOINTS_")}
    sqlite3.connect(shop.folder / "unrelated.sqlite").close()

    said = doctor(clean, "--json", "--settings", str(shop.folder / "till.env"))

    found = [orjson.loads(line) for line in said.stdout.splitlines()]
    by_subject = {finding["subject"]: finding["verdict"] for finding in found}
    assert said.stderr == ""
    assert by_subject.keys() >= {"settings", "signing_key", "outbox", "disk", "mount", "clock", "source", "broker"}
    assert {by_subject[subject] for subject in ("settings", "signing_key", "tls", "source", "broker", "bridges")} == {
        "ok"
    }
    assert said.returncode == int("wrong" in by_subject.values())
    assert all((finding["advice_zh"] is None) == (finding["verdict"] == "ok") for finding in found)


def test_settings_that_are_not_usable_are_named_with_what_to_do(
    settings_of: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_of()
    monkeypatch.setenv("GREENPOINTS_TILL_SOURCE", "telepathy")

    code = main(["doctor"])

    said = capsys.readouterr().out
    assert code == 1
    assert said.startswith("✗ 环境变量有误")
    assert "GREENPOINTS_TILL_SOURCE" in said
    assert "  → 改正" in said


def test_a_till_that_is_not_enrolled_is_told_how_it_is(
    settings_of: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_of()
    monkeypatch.setenv("GREENPOINTS_TILL_IDENTITY_PATH", "/no/such/folder")

    code = main(["doctor"])

    assert code == 1
    assert capsys.readouterr().out.startswith(
        "✗ 本机尚未登记。 / This till is not enrolled yet.\n  → greenpoints-till enrol"
    )


def test_a_wrong_option_is_usage() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["doctor", "--cure"])
