"""When a till stops reading because nobody takes it any more, and when it goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scanner.admission import Admission
from scanner.doctor import storage
from scanner.outbox import Limits, NotAdmitted, Outbox
from scanner.outbox_file import open_outbox
from scanner.settings import Settings

DEVICE = "nj0001-1"


def open_at(path: Path) -> Outbox:
    limits = Limits(baskets_max=10, size_max_bytes=10**6)
    return open_outbox(path, limits, random_stream=bytes(16), now_ts=1).outbox


class Scene:
    """A till's admission on a real outbox; `again` is a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[object] = []
        self.again(DEVICE, close=False)

    def again(self, device: str, *, close: bool = True) -> None:
        if close:
            self.outbox.close()
        self.told.clear()
        self.outbox = open_at(self.path)
        self.admission = Admission(
            self.outbox, device, lambda notice: self.told.append(notice.facts["state"]), grace_s=60
        )
        self.admission.begin()

    @property
    def reads(self) -> bool:
        try:
            self.outbox.check_room()
        except NotAdmitted:
            return False
        return True


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "outbox.db")
    yield made
    made.outbox.close()


def test_a_broker_that_learns_of_the_till_in_time_stops_nothing(scene: Scene) -> None:
    for at_s in (0.0, 1.0, 2.0, 59.0):
        scene.admission.refused(at_s)
    assert scene.reads
    scene.admission.granted()
    for at_s in (100.0, 101.0):
        scene.admission.refused(at_s)
    scene.admission.refused(161.0 - 2)

    assert scene.reads
    assert scene.told == []


def test_refused_for_too_long_it_stops_over_a_restart_until_a_broker_takes_it(scene: Scene) -> None:
    for at_s in (0.0, 30.0, 60.0, 90.0):
        scene.admission.refused(at_s)
    assert (scene.reads, scene.told) == (False, ["not_admitted"])

    scene.again(DEVICE)
    assert (scene.reads, scene.told) == (False, ["not_admitted"])

    scene.admission.granted()
    assert (scene.reads, scene.told) == (True, ["not_admitted", "admitted"])
    scene.again(DEVICE)
    assert (scene.reads, scene.told) == (True, [])


def test_one_connection_that_was_refused_long_ago_is_not_enough(scene: Scene) -> None:
    scene.admission.refused(0.0)
    scene.admission.refused(10_000.0)

    assert scene.reads


def test_a_revoked_till_stays_so_whatever_a_broker_says_until_it_has_another_id(scene: Scene) -> None:
    scene.admission.revoked()
    scene.admission.revoked()
    scene.admission.granted()
    assert (scene.reads, scene.told) == (False, ["revoked"])

    scene.again(DEVICE)
    assert (scene.reads, scene.told) == (False, ["revoked"])
    scene.again("nj0001-2")
    assert (scene.reads, scene.told) == (True, [])


def test_the_doctor_says_why_a_till_does_not_read(settings: Settings, scene: Scene) -> None:
    scene.admission.revoked()
    at = replace(settings, outbox_path=scene.path)

    findings = {finding.subject: finding for finding in storage.examine(at, 1)}

    assert "已暂停扫码" in findings["admission"].text_zh
