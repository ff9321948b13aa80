"""The desk without a broker: what counts after what came."""

from pathlib import Path

import pytest

from firmware_bridge.wire.twin import TwinStatus, encode_desired
from scanner.chaos import Chaos
from scanner.feedback import Notice
from scanner.settings import Settings, read_settings
from scanner.twin.desk import TwinDesk
from scanner.twin.file import TwinFile
from scanner.update.window import read_window
from tests.scanner.till.scene import Shop


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    updates = {"SLOT": "a", "SLOTS_PATH": "/s", "UPDATE_ROOT_PATH": "/r", "UPDATE_URL": "https://updates.example"}
    for name, value in Shop.furnish(tmp_path).environment(1883, TWIN_TRIAL_S="120", **updates).items():
        monkeypatch.setenv(name, value)
    return read_settings()


def desk_of(base: Settings, reports: list[bytes], *, boot: str = "b1") -> TwinDesk:
    notices: list[Notice] = []
    path = base.outbox_path.with_name("twin")
    desk = TwinDesk(base, TwinFile(path, Chaos()), reports.append, notices.append, Chaos(), boot=boot)
    desk.begin(0.0)
    return desk


def test_the_window_of_updates_is_a_setting_too(base: Settings) -> None:
    desk = desk_of(base, [])

    desk.take(encode_desired(1, b'{"update_window":"01:00-05:00","basket_timeout_s":90}'))
    desk.tick(1.0, lambda: None)

    assert desk.settings.updates is not None
    assert desk.settings.updates.window == read_window("01:00-05:00")
    assert (desk.settings.basket_timeout_s, desk.settings.finish_code) == (90, base.finish_code)


def test_the_trial_is_judged_once_at_its_end(base: Settings) -> None:
    desk, asked = desk_of(base, []), []
    desk.take(encode_desired(1, b'{"basket_timeout_s":90}'))

    for now_s in (1.0, 60.0, 120.9):
        desk.tick(now_s, lambda: asked.append("early"))
    assert asked == []
    desk.tick(121.0, lambda: "source_lost")

    assert desk.settings == base


def test_a_power_cut_resumes_the_trial_and_a_crash_ends_it(base: Settings) -> None:
    reports: list[bytes] = []
    desk = desk_of(base, reports)
    desk.take(encode_desired(1, b'{"basket_timeout_s":90}'))
    desk.tick(1.0, lambda: None)

    after_cut = desk_of(base, reports, boot="b2")
    assert after_cut.settings.basket_timeout_s == 90
    after_cut.end()
    after_end = desk_of(base, reports, boot="b2")
    assert after_end.settings.basket_timeout_s == 90
    after_crash = desk_of(base, reports, boot="b2")

    assert after_crash.settings == base
    assert f'"status":"{TwinStatus.REVERTED}","error":"crashed"'.encode() in reports[-1]


def test_settings_that_cannot_be_kept_on_disk_are_not_taken(base: Settings) -> None:
    reports: list[bytes] = []
    desk = desk_of(base, reports)
    base.outbox_path.with_name("twin.partial").mkdir()

    desk.take(encode_desired(1, b'{"basket_timeout_s":90}'))
    desk.tick(1.0, lambda: None)

    assert desk.settings == base
    assert len(reports) == 1


def test_of_a_flood_the_newest_counts(base: Settings) -> None:
    desk = desk_of(base, [])

    for version in range(1, 200):
        desk.take(encode_desired(version, b'{"basket_timeout_s":%d}' % (5 + version)))
    desk.tick(1.0, lambda: None)

    assert desk.settings.basket_timeout_s == 204
