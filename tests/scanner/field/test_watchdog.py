"""systemd's watchdog is fed while every part goes round, and no longer."""

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from scanner.feedback import Notice
from scanner.outbox import Outbox
from scanner.pulse import Part, Pulse, limits_s
from scanner.sources.model import Stop, follow
from scanner.systemd import Systemd
from scanner.watch import Watch
from tests.scanner.till.scene import Shop, TillProcess, free_port, wait_until

HUNG = ("tests.scanner.field.hung_till",)


class Listener:
    """Stands in systemd's place on a datagram socket."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.path[1:] if self.path.startswith("@") else self.path)
        self._socket.settimeout(0.05)

    def heard(self) -> list[str]:
        """What came since it was last asked."""
        found = []
        with suppress(TimeoutError):
            while True:
                found.append(self._socket.recv(4096).decode())
        return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(tmp_path / "notify")
    yield listener
    listener.close()


def systemd_of(listener: Listener, **more: str) -> Systemd:
    return Systemd({"NOTIFY_SOCKET": listener.path, "WATCHDOG_USEC": "4000000", **more})


def test_a_part_is_silent_past_its_limit_until_it_beats_or_rests() -> None:
    pulse = Pulse({Part.MAIN: 5, Part.READER: 5}, now_s=100)
    pulse.beat(Part.MAIN, 103)

    assert pulse.silent(105) == []
    assert pulse.silent(106) == [Part.READER]
    pulse.rest(Part.READER)
    assert pulse.silent(108) == []
    assert pulse.silent(109) == [Part.MAIN]


def test_a_shop_without_a_network_is_not_started_again_for_a_slow_lookup_of_names() -> None:
    limits = limits_s(30)

    assert limits[Part.READER] == 15
    assert limits[Part.UPLINK] > 60


@pytest.mark.parametrize("silent", [Part.MAIN, Part.READER, Part.OUTBOX])
def test_one_silent_part_stops_the_feeding_and_is_named_once(silent: Part, listener: Listener) -> None:
    shown: list[Notice] = []
    watch = Watch(systemd_of(listener), shown.append, now_s=0)
    for now_s in (1, 2, 3, 4):
        for part in Part:
            if part is not silent:
                watch.turned(part, now_s)
        watch.look(now_s, "well")

    heard = listener.heard()

    assert heard == ["STATUS=well", "WATCHDOG=1"] * 2 + [heard[-1]] * 2
    assert [notice.facts["parts"] for notice in shown] == [[silent]]


def test_a_part_that_comes_back_is_fed_for_again(listener: Listener) -> None:
    shown: list[Notice] = []
    watch = Watch(systemd_of(listener), shown.append, now_s=0)
    watch.look(3, "well")
    for part in Part:
        watch.turned(part, 3)

    watch.look(3, "well")

    assert listener.heard()[-1] == "WATCHDOG=1"
    assert [notice.facts["state"] for notice in shown] == ["stuck", "recovered"]


def test_an_abstract_address_and_a_systemd_that_is_gone(tmp_path: Path) -> None:
    listener = Listener(Path(f"@greenpoints-test-{os.getpid()}"))
    Systemd({"NOTIFY_SOCKET": listener.path}).ready()
    Systemd({"NOTIFY_SOCKET": listener.path}).stopping()
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()
    Systemd({}).ready()

    assert listener.heard() == ["READY=1", "STOPPING=1"]
    listener.close()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_ours_only_where_systemd_says_so(environment: dict[str, str], watchdog_s: float | None) -> None:
    assert Systemd(environment).watchdog_s == watchdog_s


def test_asking_whether_to_stop_is_the_sign_of_life_also_in_a_long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.sources.model._TURN_S", 0.01)
    turns: list[float] = []
    stop = Stop(lambda: turns.append(time.monotonic()))

    assert not stop.wait(0.05)

    assert len(turns) >= 5
    stop.set()
    assert stop.wait(60)


def test_a_source_that_waits_for_its_device_still_goes_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.sources.model._TURN_S", 0.01)
    from scanner.clock import SystemClock
    from scanner.sources.streams import SerialSource

    turns: list[float] = []
    stop = Stop(lambda: turns.append(time.monotonic()))
    thread = threading.Thread(
        target=follow, args=(SerialSource("/dev/no-such-port", 9600, 50, SystemClock()), lambda _: None, stop)
    )
    thread.start()

    wait_until(lambda: len(turns) > 10, 5)

    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_an_outbox_that_cannot_be_read_does_not_answer(shop: Shop) -> None:
    from scanner.outbox import Limits
    from scanner.outbox_file import open_outbox

    limits = Limits(baskets_max=10, size_max_bytes=10**6)
    outbox: Outbox = open_outbox(shop.folder / "o.sqlite", limits, random_stream=b"\1" * 16, now_ts=1).outbox
    assert outbox.answers()

    outbox.close()

    assert not outbox.answers()


def heard_of(listener: Listener, until: str, timeout_s: float = 20.0) -> list[str]:
    found: list[str] = []
    end_s = time.monotonic() + timeout_s
    while until not in found:
        assert time.monotonic() < end_s, f"no {until}: {found}"
        found += listener.heard()
    return found


def is_fed_within(listener: Listener, wait_s: float) -> bool:
    listener.heard()
    time.sleep(wait_s)
    return "WATCHDOG=1" in listener.heard()


def watched_till(shop: Shop, listener: Listener, program: tuple[str, ...]) -> TillProcess:
    environment = {**shop.environment(free_port()), "NOTIFY_SOCKET": listener.path, "WATCHDOG_USEC": "1200000"}
    till = TillProcess(environment, program)
    shop.tills.append(till)
    return till


def test_a_hung_reader_stops_the_feeding_of_a_real_till_and_what_beeped_is_kept(shop: Shop, listener: Listener) -> None:
    till = watched_till(shop, listener, HUNG)
    heard_of(listener, "READY=1")
    till.say("a1")
    till.wait_for("read")
    heard_of(listener, "WATCHDOG=1")

    till.say("HANG")
    wait_until(lambda: not is_fed_within(listener, 0.7))

    assert "reader" in str(till.of("state", "stuck")[-1]["parts"])
    # What systemd does next.
    till.close()
    with closing(sqlite3.connect(shop.folder / "outbox.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM open_reads").fetchall() == [(1,)]
