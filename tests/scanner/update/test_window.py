"""When a till may update itself, and what its settings must say together."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanner.environment import EnvironmentInvalid
from scanner.settings import PREFIX, Settings, read_settings
from scanner.update.window import is_open, read_window
from tests.scanner.till.scene import Shop

MIDNIGHT = datetime(2026, 11, 26, 16, tzinfo=UTC)
"""In China, where it is the 27th."""
TOGETHER = {"SLOT": "b", "SLOTS_PATH": "/slots", "UPDATE_ROOT_PATH": "/root.json", "UPDATE_URL": "https://u.example/"}


@pytest.mark.parametrize(
    ("window", "open_at", "closed_at"),
    [
        ("22:30-06:00", ["22:30", "23:59", "00:00", "05:59"], ["06:00", "12:00", "22:29"]),
        ("01:00-05:00", ["01:00", "04:59"], ["00:59", "05:00", "13:00"]),
        ("00:00-00:00", ["00:00", "12:00", "23:59"], []),
        ("12:00-12:00", ["12:00", "11:59"], []),
    ],
)
def test_a_window_is_open_from_its_begin_to_before_its_end(
    window: str, open_at: list[str], closed_at: list[str]
) -> None:
    def is_open_at(clock: str) -> bool:
        hours, minutes = map(int, clock.split(":"))
        at = MIDNIGHT + timedelta(hours=hours, minutes=minutes)
        return is_open(read_window(window), round(at.timestamp() * 1000))

    assert [clock for clock in open_at if not is_open_at(clock)] == []
    assert [clock for clock in closed_at if is_open_at(clock)] == []


def read(shop: Shop, monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in shop.environment(1883, **given).items():
        if name.startswith(PREFIX):
            monkeypatch.setenv(name, value)
    return read_settings()


def test_a_till_is_updated_where_all_that_it_takes_is_set(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(shop, monkeypatch, **TOGETHER)

    assert settings.slot == "b"
    assert settings.updates is not None
    assert (settings.updates.slots, settings.updates.idle_s, settings.updates.trial_s) == (Path("/slots"), 60, 300)


def test_the_launcher_alone_updates_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(shop, monkeypatch, SLOT="a")

    assert (settings.slot, settings.updates) == ("a", None)


@pytest.mark.parametrize("missing", TOGETHER)
def test_half_of_what_it_takes_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    with pytest.raises(EnvironmentInvalid, match="UPDATE_URL"):
        read(shop, monkeypatch, **{name: value for name, value in TOGETHER.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPDATE_WINDOW", "24:00-06:00"),
        ("UPDATE_WINDOW", "night"),
        ("UPDATE_URL", "ftp://u.example/"),
        ("SLOT", "c"),
        ("HARDWARE", "Pi 4"),
        ("UPDATE_TRIAL_S", "361"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(EnvironmentInvalid, match=name):
        read(shop, monkeypatch, **{**TOGETHER, name: value})
