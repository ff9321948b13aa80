from pathlib import Path

import pytest

from scanner.chaos import ChaosPoint
from scanner.environment import EnvironmentInvalid
from scanner.settings import PREFIX, Protocol, Settings, TlsFiles, read_settings

GOOD = {
    "DEVICE_ID": "nj0001-1",
    "OUTBOX_PATH": "/data/outbox.sqlite",
    "BROKER_HOST": "127.0.0.1",
    "KEY_PATH": "/data/till.pem",
    "KEY_ID": "k1",
    "CITY_KEYS_PATH": "/data/city.keys",
    "RECEIPT_KEY_PATH": "/data/receipt.key",
    "SOURCE": "stdin",
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENV", raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**GOOD, **changes}.items():
        if value is not None:
            monkeypatch.setenv(PREFIX + name, value)
    return read_settings()


def test_the_least_a_till_needs_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)

    assert (settings.device_id, settings.broker_port, settings.protocol) == ("nj0001-1", 8883, Protocol.AUTO)
    assert (settings.outbox_baskets_max, settings.outbox_size_max_bytes) == (200_000, 134_217_728)
    assert (settings.resend_min_s, settings.resend_max_s, settings.bridge_up_jitter_s) == (5, 120, 10)
    assert settings.tls is None


def test_all_mistakes_are_reported_together_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read(
            monkeypatch,
            DEVICE_ID="bridge-1",
            KEY_ID=None,
            BROKER_PORT="secret-looking",
            SOURCE="telepathy",
            TYPO="1",
        )

    told = refused.value.sentence_en
    for name in ("DEVICE_ID", "KEY_ID", "BROKER_PORT", "SOURCE", "TYPO"):
        assert PREFIX + name in told
    assert "secret-looking" not in told
    assert "telepathy" not in told


@pytest.mark.parametrize("environment", [None, "production", "development"])
def test_a_point_to_die_at_is_refused_but_in_tests(environment: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if environment is not None:
        monkeypatch.setenv("ENV", environment)
    with pytest.raises(EnvironmentInvalid, match="CHAOS_POINT"):
        read(monkeypatch, CHAOS_POINT="mid_basket")

    monkeypatch.setenv("ENV", "test")
    assert read_settings().chaos_point is ChaosPoint.MID_BASKET


def test_without_tls_only_the_loopback_address_is_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentInvalid, match="loopback"):
        read(monkeypatch, BROKER_HOST="10.1.2.3")

    files = {"BROKER_CA_PATH": "ca", "BROKER_CERT_PATH": "crt", "BROKER_TLS_KEY_PATH": "key"}
    assert read(monkeypatch, BROKER_HOST="10.1.2.3", **files).tls == TlsFiles(Path("ca"), Path("crt"), Path("key"))


def test_half_of_the_tls_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentInvalid, match="or none"):
        read(monkeypatch, BROKER_CA_PATH="ca")


@pytest.mark.parametrize(
    "source",
    [
        "pictures:/labels",
        "video:film.mp4",
        "camera:0",
        "picamera",
        "serial:/dev/ttyUSB0@9600",
        "serial:/dev/ttyUSB0",
        "evdev:/dev/input/event3",
        "stdin",
    ],
)
def test_each_kind_of_source_can_be_named(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, SOURCE=source).source == source
