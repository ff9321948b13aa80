from pathlib import Path

import pytest

from firmware_bridge.settings import Protocol, Settings, SettingsRefused, load_settings

TOKEN = "a-token-of-this-test-only"
REQUIRED = {"BACKEND_URL": "http://127.0.0.1:8000", "TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def no_inherited_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("GREENPOINTS_BRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("ENV", raising=False)


def give(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"GREENPOINTS_BRIDGE_{name}", value)


def faults(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, str]:
    give(monkeypatch, **values)
    with pytest.raises(SettingsRefused) as refused:
        load_settings()
    return {name.removeprefix("GREENPOINTS_BRIDGE_"): text for name, text in refused.value.faults.items()}


def test_an_address_and_a_token_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, **REQUIRED)

    settings = load_settings()

    assert settings == Settings(backend_url="http://127.0.0.1:8000", token=TOKEN)
    assert (settings.protocol, settings.receive_maximum, settings.batch_reads) == (Protocol.AUTO, 200, 500)


def test_all_faults_are_reported_at_once_and_no_value_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    found = faults(
        monkeypatch,
        BROKER_PORT="99999",
        BROKER_HOST="broker.example",
        PROTOCOL="4",
        NAME="up",
        TOKEN="short",
        SHARED="yes",
        BATCH_READS="501",
        BROKER_PASSWORD_FILE="/nowhere/at/all",
    )

    assert set(found) == {"BROKER_PORT", "BROKER_CA_FILE", "PROTOCOL", "NAME", "TOKEN", "SHARED", "BATCH_READS",
                          "BROKER_PASSWORD_FILE", "BACKEND_URL"}  # fmt: skip
    assert "short" not in str(found)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"TOKEN_FILE": __file__}, "TOKEN"),
        ({"BACKEND_URL": "http://backend.example"}, "BACKEND_URL"),
        ({"BACKEND_URL": "ftp://127.0.0.1"}, "BACKEND_URL"),
        ({"BROKER_HOST": "192.0.2.1"}, "BROKER_CA_FILE"),
        ({"BROKER_CA_FILE": __file__}, "BROKER_CERT_FILE"),
        ({"BROKER_PASSWORD_FILE": __file__}, "BROKER_PASSWORD_FILE"),
        ({"CHAOS_POINT": "before_request"}, "CHAOS_POINT"),
        ({"BATCH_WAIT": "30"}, "BATCH_WAIT"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], named: str
) -> None:
    assert set(faults(monkeypatch, **(REQUIRED | changes))) == {named}


def test_a_remote_broker_and_backend_go_with_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("BROKER_CA_FILE", "BROKER_CERT_FILE", "BROKER_KEY_FILE", "TOKEN_FILE")}
    for path in paths.values():
        path.write_text(TOKEN)
    give(monkeypatch, BROKER_HOST="broker.example", BACKEND_URL="https://backend.example",
         **{name: str(path) for name, path in paths.items()})  # fmt: skip

    settings = load_settings()

    assert settings.token_file == paths["TOKEN_FILE"]
    assert TOKEN not in repr(settings)


def test_the_token_is_not_printed() -> None:
    assert TOKEN not in repr(Settings(backend_url="http://127.0.0.1:1", token=TOKEN))
