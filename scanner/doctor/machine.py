"""The machine: clock, source, lamps, library of codes, service and power."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from scanner.clock import Discipline, kernel_says_synchronised
from scanner.doctor.model import Advice, Finding, ok, warn, wrong
from scanner.settings import Settings
from scanner.vitals import throttled

UNIT = "greenpoints-till.service"
_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "WatchdogUSec", "NRestarts", "StatusText")
COMMAND_S_MAX = 10.0
# Bits of `throttled`: now, and since the start.
_UNDERVOLTAGE, _UNDERVOLTAGE_BEFORE, _THROTTLED = 1 << 0, 1 << 16, (1 << 2) | (1 << 3) | (1 << 18) | (1 << 19)
_GROUPS = {"camera": "video", "picamera": "video", "serial": "dialout", "evdev": "input"}


def examine(settings: Settings | None) -> Iterator[Finding]:
    """Without settings: what can be said of any till."""
    if settings is not None:
        yield judge_clock(
            settings.clock_source, synchronised=kernel_says_synchronised(), rtc=Path("/dev/rtc0").exists()
        )
        yield _source(settings.source)
        yield from _pins(settings)
    yield _zbar()
    yield from _service()
    yield from _power()


def judge_clock(discipline: Discipline, *, synchronised: bool, rtc: bool) -> Finding:
    if synchronised and discipline in {Discipline.AUTO, Discipline.NTP}:
        return ok("clock", "时钟由网络时间校准。", "The clock is set by NTP.")
    if discipline is Discipline.NTP:
        advice = Advice(
            "timedatectl set-ntp true；或改用 CLOCK_SOURCE=auto。", "timedatectl set-ntp true; or CLOCK_SOURCE=auto."
        )
        return wrong("clock", "设置称由 NTP 校准，实际没有。", "The settings say NTP, and NTP does not set it.", advice)
    if discipline is Discipline.RTC:
        if rtc:
            return ok("clock", "时钟由 RTC 电池维持。", "A battery keeps the clock.")
        advice = Advice(
            "检查 RTC 及其电池；或改用 CLOCK_SOURCE=auto。", "Check the RTC and its battery; or CLOCK_SOURCE=auto."
        )
        return wrong(
            "clock", "设置称有 RTC，却没有 /dev/rtc0。", "The settings say RTC, and there is no /dev/rtc0.", advice
        )
    advice = Advice("timedatectl set-ntp true，或加装 RTC 电池。", "timedatectl set-ntp true, or fit an RTC battery.")
    text_zh = "没有网络时间：偏差由回执得知，首个回执之前的单须交人核查。"
    text_en = "No NTP: the offset is learned from receipts, and what is sold before the first is held for a person."
    return warn("clock", text_zh, text_en, advice)


def _source(source: str) -> Finding:
    kind, _, where = source.partition(":")
    if kind == "picamera" and importlib.util.find_spec("picamera2") is None:
        advice = Advice(
            "apt install python3-picamera2，再运行 install.sh。",
            "apt install python3-picamera2, then install.sh again.",
        )
        return wrong("source", "缺少 picamera2。", "picamera2 is missing.", advice)
    path = {"camera": f"/dev/video{where}", "serial": where.partition("@")[0]}.get(kind, where)
    if not path:
        return ok("source", f"读码来源 {source}。", f"Reads come from {source}.")
    return judge_device(kind, Path(path))


def judge_device(kind: str, path: Path) -> Finding:
    group = _GROUPS.get(kind)
    if not path.exists():
        advice = Advice(
            "检查连接线；可用设备：ls /dev/video* /dev/ttyUSB* /dev/input/by-id",
            "Check the cable; devices: ls /dev/video* /dev/ttyUSB* /dev/input/by-id",
        )
        return wrong("source", f"找不到读码设备 {path}。", f"The source {path} is not there.", advice)
    wanted = os.R_OK if group in {None, "input"} else os.R_OK | os.W_OK
    if not os.access(path, wanted):
        command = f"usermod -aG {group} greenpoints-till" if group else f"chmod +r {path}"
        return wrong("source", f"无权打开 {path}。", f"{path} may not be opened.", Advice(command, command))
    return ok("source", f"读码设备 {path} 就绪。", f"The source {path} is ready.")


def _pins(settings: Settings) -> Iterator[Finding]:
    if settings.pins.wired and not any(map(importlib.util.find_spec, ("lgpio", "RPi", "pigpio"))):
        advice = Advice(
            "apt install python3-lgpio，再运行 install.sh。", "apt install python3-lgpio, then install.sh again."
        )
        yield wrong("pins", "接了指示灯，却没有 GPIO 库。", "Lamps are wired, and no GPIO library is there.", advice)


def _zbar() -> Finding:
    try:
        importlib.import_module("pyzbar.pyzbar")
    except (ImportError, OSError):
        advice = Advice("apt install libzbar0", "apt install libzbar0")
        return warn("zbar", "缺少 libzbar0，少一个识读引擎。", "libzbar0 is missing: one decoder less.", advice)
    return ok("zbar", "识读引擎齐全。", "Every decoder is there.")


def _service() -> Iterator[Finding]:
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        return
    said = _said("systemctl", "show", UNIT, "--property", ",".join(_PROPERTIES))
    # It answers nobody but root where no message bus runs: then there is nothing to judge.
    if said:
        yield judge_service(dict(line.split("=", 1) for line in said.splitlines() if "=" in line))


def judge_service(properties: Mapping[str, str]) -> Finding:
    state, status = properties.get("ActiveState", "unknown"), properties.get("StatusText", "")
    restarts = properties.get("NRestarts", "0")
    journal = Advice(f"journalctl -u {UNIT} -n 50", f"journalctl -u {UNIT} -n 50")
    if properties.get("LoadState") != "loaded":
        advice = Advice("运行 scanner/field/install.sh。", "Run scanner/field/install.sh.")
        return warn(
            "service", "没有安装为系统服务，死机后不会自动重启。", "Not a service: nobody starts it again.", advice
        )
    if state != "active":
        return wrong("service", f"服务没有运行（{state}）。", f"The service does not run ({state}).", journal)
    if properties.get("WatchdogUSec") in {None, "", "0", "infinity"}:
        advice = Advice("重新运行 install.sh。", "Run install.sh again.")
        return warn("service", "服务没有看门狗，停滞时不会重启。", "The service has no watchdog.", advice)
    if properties.get("UnitFileState") != "enabled":
        advice = Advice(f"systemctl enable {UNIT}", f"systemctl enable {UNIT}")
        return warn("service", "服务不会随开机启动。", "The service does not start with the machine.", advice)
    if restarts != "0":
        return warn(
            "service",
            f"服务已自动重启 {restarts} 次。{status}",
            f"The service was started again {restarts} times.",
            journal,
        )
    return ok("service", f"服务在运行。{status}", "The service runs.")


def _power() -> Iterator[Finding]:
    bits = throttled()
    if bits is not None:
        yield judge_power(bits)


def judge_power(bits: int) -> Finding:
    supply = Advice(
        "换用官方电源和短粗的线；欠压会损坏写入。",
        "Use the official supply and a short cable: undervoltage breaks writes.",
    )
    if bits & _UNDERVOLTAGE:
        return wrong("power", "正在欠压。", "The voltage is too low right now.", supply)
    if bits & _UNDERVOLTAGE_BEFORE:
        return warn("power", "开机以来曾经欠压。", "The voltage was too low since the start.", supply)
    if bits & _THROTTLED:
        advice = Advice("加散热片或风扇。", "Fit a heat sink or a fan.")
        return warn("power", "因过热而降频。", "Too hot: it runs slower.", advice)
    return ok("power", "供电和温度正常。", "Power and heat are as they should be.")


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S_MAX, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
