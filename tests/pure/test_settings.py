"""What an installation decides comes from the environment, whole and at once, and no secret of it is ever repeated."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.environment import SettingsRefused
from backend.settings import Environment, described, load

SECRET = "postgresql://owner:hunter2@db.example/gp"


@pytest.fixture
def sound(tmp_path: Path) -> dict[str, str]:
    for name in ("receipt", "member", "identity"):
        (tmp_path / name).write_bytes(bytes([len(name)]) * 32)
    return {
        "DATABASE_URL": SECRET,
        "GREENPOINTS_RECEIPT_KEY_FILE": str(tmp_path / "receipt"),
        "GREENPOINTS_MEMBER_CODE_KEY_FILE": str(tmp_path / "member"),
        "GREENPOINTS_MEMBER_CODE_KEY_ID": "n1",
        "GREENPOINTS_IDENTITY_HASH_KEY_FILE": str(tmp_path / "identity"),
    }


def refused(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsRefused) as caught:
        load(environ)
    assert "hunter2" not in str(caught.value)
    return caught.value.faults


def test_an_environment_that_says_nothing_is_production(sound: dict[str, str]) -> None:
    assert load(sound).env is Environment.PRODUCTION


def test_a_credit_platform_is_an_address_of_a_city(sound: dict[str, str]) -> None:
    given = "320100=https://credit.example.cn/in, 320500=file:/var/spool/credit.jsonl"

    assert load(sound | {"GREENPOINTS_CREDIT_PLATFORMS": given}).credit_platforms == given
    for wrong in ("320100=http://credit.example.cn", "nanjing=https://credit.example.cn", "320100"):
        assert set(refused(sound | {"GREENPOINTS_CREDIT_PLATFORMS": wrong})) == {"GREENPOINTS_CREDIT_PLATFORMS"}


def test_every_fault_is_told_at_once(sound: dict[str, str]) -> None:
    wrong = sound | {
        "GREENPOINTS_SERVER_PORT": "many",
        "GREENPOINTS_SERVER_WORKERS": "0",
        "GREENPOINTS_MEMBER_CODE_KEY_ID": "too long",
        "GREENPOINTS_RECIEPT_KEY_FILE": "misspelt",
        "GREENPOINTS_IDENTITY_HASH_KEY_FILE": "/nowhere/at/all",
    }
    del wrong["GREENPOINTS_RECEIPT_KEY_FILE"]

    assert set(refused(wrong)) == {
        "GREENPOINTS_SERVER_PORT",
        "GREENPOINTS_SERVER_WORKERS",
        "GREENPOINTS_MEMBER_CODE_KEY_ID",
        "GREENPOINTS_RECIEPT_KEY_FILE",
        "GREENPOINTS_IDENTITY_HASH_KEY_FILE",
        "GREENPOINTS_RECEIPT_KEY_FILE",
    }


def test_an_empty_environment_names_every_setting_that_is_required() -> None:
    required = {setting.variable for setting, default in described() if not default}

    assert set(refused({})) == required


def test_settings_of_the_bridge_and_the_till_may_share_the_environment(sound: dict[str, str]) -> None:
    assert load(sound | {"GREENPOINTS_BRIDGE_NAME": "b1", "GREENPOINTS_TILL_SOURCE": "stdin"}) == load(sound)


def test_no_secret_is_shown(sound: dict[str, str]) -> None:
    assert "hunter2" not in repr(load(sound))
    assert "hunter2" not in str(load(sound))


def test_production_lets_nobody_sign_in_by_a_made_up_name(sound: dict[str, str]) -> None:
    faults = refused(sound | {"GREENPOINTS_DEVELOPMENT_SIGN_IN": "true"})

    assert set(faults) == {"GREENPOINTS_DEVELOPMENT_SIGN_IN"}
    assert load(sound | {"GREENPOINTS_DEVELOPMENT_SIGN_IN": "true", "ENV": "development"}).development_sign_in


def test_in_production_statements_are_signed_for_an_address_that_others_reach(sound: dict[str, str]) -> None:
    given = sound | {"GREENPOINTS_PASSPORT_KEY_FILE": sound["GREENPOINTS_RECEIPT_KEY_FILE"]}

    for issuer in (None, "http://points.example.cn", "https://127.0.0.1:8000"):
        wrong = given if issuer is None else given | {"GREENPOINTS_PASSPORT_ISSUER": issuer}
        assert set(refused(wrong)) == {"GREENPOINTS_PASSPORT_ISSUER"}
    assert load(given | {"GREENPOINTS_PASSPORT_ISSUER": "https://points.example.cn"}).passport_key_file is not None
    assert load(given | {"ENV": "development"}).passport_key_file is not None


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33, b"-----BEGIN PRIVATE KEY-----\nnonsense\n"])
def test_a_key_file_that_holds_no_key_is_named(sound: dict[str, str], content: bytes) -> None:
    Path(sound["GREENPOINTS_RECEIPT_KEY_FILE"]).write_bytes(content)

    assert set(refused(sound)) == {"GREENPOINTS_RECEIPT_KEY_FILE"}


def test_a_key_may_be_raw_or_in_base64(sound: dict[str, str]) -> None:
    path = Path(sound["GREENPOINTS_RECEIPT_KEY_FILE"])
    path.write_bytes(bytes(32))
    raw = load(sound)
    path.write_bytes(base64.b64encode(bytes(32)) + b"\n")

    assert load(sound) == raw


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite:///x.db", "nonsense"])
def test_only_postgresql_will_do(sound: dict[str, str], url: str) -> None:
    assert set(refused(sound | {"DATABASE_URL": url})) == {"DATABASE_URL"}


@pytest.mark.parametrize("key", ["RECEIPT_KEY_FILE", "MEMBER_CODE_KEY_FILE", "IDENTITY_HASH_KEY_FILE"])
@pytest.mark.parametrize("place", ["", "/nowhere/at/all", "/", "/dev/null"])
def test_each_key_file_is_opened_before_anything_starts(sound: dict[str, str], key: str, place: str) -> None:
    assert set(refused(sound | {f"GREENPOINTS_{key}": place})) == {f"GREENPOINTS_{key}"}


def test_what_a_setting_was_given_is_not_repeated(sound: dict[str, str]) -> None:
    numbers = ("GREENPOINTS_SERVER_PORT", "GREENPOINTS_SERVER_WORKERS", "GREENPOINTS_METRICS", "ENV")
    wrong = sound | dict.fromkeys((*numbers, "GREENPOINTS_MEMBER_CODE_KEY_ID", "DATABASE_URL"), "hunter2")

    assert set(refused(wrong)) == {*numbers, "GREENPOINTS_MEMBER_CODE_KEY_ID", "DATABASE_URL"}


def test_the_server_lists_what_is_wrong_and_does_not_start(sound: dict[str, str]) -> None:
    wrong = sound | {"GREENPOINTS_SERVER_PORT": "0", "GREENPOINTS_COLOUR": "hunter2"}
    del wrong["GREENPOINTS_MEMBER_CODE_KEY_ID"]

    said = subprocess.run(
        [sys.executable, "-m", "backend.web"],
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **wrong},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (said.returncode, said.stdout) == (2, "")
    head, *faults = said.stderr.splitlines()
    assert head == "设置有误 / settings refused:"
    assert [fault.split(":")[0] for fault in faults] == [
        "GREENPOINTS_COLOUR",
        "GREENPOINTS_MEMBER_CODE_KEY_ID",
        "GREENPOINTS_SERVER_PORT",
    ]
    assert "hunter2" not in said.stderr
