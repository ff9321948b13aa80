"""A till without a connection: what is promised stands on its disk before the beep, and nothing is by a doubtful clock."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware_bridge.wire.leases import Lease, LeaseMessage, encode_leases
from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource, Promise, decode_basket
from scanner import keys
from scanner.chaos import Chaos
from scanner.feedback import Notice
from scanner.lease.book import read_book
from scanner.lease.desk import LeaseDesk
from scanner.outbox import Limits, Outbox, OutboxUnwritable
from scanner.outbox_file import open_outbox
from scanner.settings import Settings
from scanner.snapshot.sayings import Saying, State, saying
from scanner.sources.model import CodeSeen, FinishSeen
from scanner.till import Till
from tests.scanner.lease.test_book import BEGIN, UNTIL, lease
from tests.scanner.till.conftest import settings, shop
from tests.scanner.till.counter import Heard
from tests.scanner.till.scene import Shop

__all__ = ["settings", "shop"]
LIMITS = Limits(baskets_max=100, size_max_bytes=10**7)
GREEN = "9521234000013"


@dataclass
class SetClock:
    wall: int = BEGIN
    mono: int = 1_000
    boot: str = "b1"

    def mono_ms(self) -> int:
        return self.mono

    def wall_ms(self) -> int:
        return self.wall

    def pass_ms(self, ms: int) -> None:
        self.wall += ms
        self.mono += ms


class Snapshot:
    """Knows one article: ten points, by the policy `green`."""

    def tell(self, seen: CodeSeen) -> Saying:  # noqa: ARG002 - as a teller's
        known = saying("冰箱", {"points": 10})
        return Saying(known.state, known.text_zh, known.text_en, "冰箱", known.amounts, {("green", "points"): 10})


@dataclass
class Shopkeeper:
    """One till from start to end; `restart` is the next run of its program."""

    settings: Settings
    shop: Shop
    clock: SetClock = field(default_factory=SetClock)
    heard: Heard = field(default_factory=Heard)
    offline: bool = True
    source: ClockSource = ClockSource.NTP

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.outbox: Outbox = open_outbox(
            self.settings.outbox_path, LIMITS, random_stream=b"\x07" * 16, now_ts=1
        ).outbox
        self.desk = LeaseDesk(
            self.outbox,
            self.clock,
            lambda: ClockReport(src=self.source),
            lambda: self.offline,
            self.heard.show,
            may_promise=True,
        )
        cities = keys.city_keys(self.settings.city_keys_path)
        report = ClockReport(src=ClockSource.NONE)
        parts = (self.settings, self.outbox, cities, self.clock, lambda: report, self.heard, lambda: None, Chaos())
        self.till = Till(*parts, Snapshot(), leases=self.desk)
        self.till.begin()

    def lend(self, *leases: Lease, version: int = 1) -> None:
        self.desk.take(encode_leases(LeaseMessage(version, leases)))
        self.till.tick()

    def member(self) -> None:
        self.till.take(CodeSeen(code=self.shop.member_code(valid_s=100), symbology="QRCODE", mono_ms=1, src="test"))

    def read(self, **more: object) -> dict[str, object]:
        """What the cashier is told of the label."""
        self.till.take(CodeSeen(code=GREEN, symbology="EAN13", mono_ms=1, src="test", **more))  # type: ignore[arg-type]
        told: Notice = [notice for notice in self.heard.notices if notice.event == "read"][-1]
        expected = told.facts["expected"]
        assert isinstance(expected, dict)
        return expected

    def used(self) -> int:
        return sum(one.used for one in read_book(self.outbox.lease_book()).held)


@pytest.fixture
def keeper(settings: Settings, shop: Shop) -> Iterator[Shopkeeper]:
    opened = Shopkeeper(settings, shop)
    yield opened
    opened.outbox.close()


def test_a_member_is_promised_what_the_lease_holds_and_the_basket_says_so(keeper: Shopkeeper) -> None:
    keeper.lend(lease(1, 15))
    keeper.member()

    first, second = keeper.read(), keeper.read()
    keeper.till.take(FinishSeen())

    assert first["text_zh"] == "绿色，已为您预留 10 分（以个人上限为准）"
    assert second["text_zh"] == "绿色商品，预计 10 分，联网后核定"
    (row,) = keeper.outbox.after(0, 10)
    assert [read.promised for read in decode_basket(row.line).reads] == [(Promise(lease(1).lease, 10),), ()]


@pytest.mark.parametrize(
    "doubt",
    [
        lambda keeper: setattr(keeper, "offline", False),
        lambda keeper: setattr(keeper, "source", ClockSource.NONE),
        lambda keeper: keeper.clock.pass_ms(UNTIL - BEGIN),
        lambda keeper: keeper.lend(version=2),
    ],
    ids=["online", "clock unset", "over", "taken away"],
)
def test_in_doubt_nothing_is_promised(keeper: Shopkeeper, doubt: Callable[[Shopkeeper], None]) -> None:
    keeper.lend(lease(1, 50))
    keeper.member()
    doubt(keeper)

    assert (keeper.read()["state"], keeper.used()) == (State.LIKELY, 0)


def test_a_message_that_cannot_be_read_is_told_and_changes_nothing(keeper: Shopkeeper) -> None:
    keeper.lend(lease(1, 50))
    keeper.desk.take(b"{}")
    keeper.member()

    assert keeper.read()["state"] == State.RESERVED
    assert "leases_unusable" in [notice.facts.get("state") for notice in keeper.heard.notices]


def test_whoever_shows_no_code_is_promised_nothing(keeper: Shopkeeper) -> None:
    """A claim code proves less and may earn less."""
    keeper.lend(lease(1, 50))

    assert (keeper.read()["state"], keeper.used()) == (State.LIKELY, 0)


def test_a_clock_that_is_turned_back_is_not_believed_even_after_a_restart(keeper: Shopkeeper) -> None:
    keeper.lend(lease(1, 50))
    keeper.member()
    keeper.clock.pass_ms(7 * 3_600_000)
    keeper.read()

    keeper.clock.wall -= 3_600_000
    in_this_run = keeper.read()["state"]
    keeper.till.end()
    keeper.outbox.close()
    keeper.clock.mono = 0
    keeper.restart()
    keeper.member()

    assert (in_this_run, keeper.read()["state"], keeper.used()) == (State.LIKELY, State.LIKELY, 10)


def test_the_counter_goes_on_after_the_program_was_killed(keeper: Shopkeeper, tmp_path: Path) -> None:
    """Killed after the disk and before the beep: nobody heard of it, and it is not promised again."""
    keeper.lend(lease(1, 30))
    keeper.member()
    keeper.read()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        keeper.till._chaos = _Dying()  # type: ignore[assignment]  # dies where it is told to
        keeper.read()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    keeper.outbox.close()
    keeper.restart()
    keeper.member()

    assert [keeper.read()["state"] for _ in range(2)] == [State.RESERVED, State.LIKELY]
    assert keeper.used() == 30


class _Dying:
    def reach(self, point: str) -> None:
        if point == "lease_drawn":
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_read_that_the_disk_refuses_is_not_promised(keeper: Shopkeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper.lend(lease(1, 30))
    keeper.member()

    def full(*_args: object, **_more: object) -> None:
        raise OutboxUnwritable(reason="disk")

    with monkeypatch.context() as broken:
        broken.setattr(keeper.outbox, "record", full)
        keeper.till.take(CodeSeen(code=GREEN, symbology="EAN13", mono_ms=1, src="test"))
    refused = [notice.event for notice in keeper.heard.notices][-1]

    assert (refused, keeper.read()["state"], keeper.used()) == ("refused", State.RESERVED, 10)


def test_a_new_outbox_promises_nothing_out_of_the_old_ones_leases(keeper: Shopkeeper) -> None:
    """Its counter was lost with it; the server lends to the new one once it knows it."""
    keeper.lend(lease(1, 30))
    keeper.outbox.close()
    for path in keeper.settings.outbox_path.parent.glob("outbox.sqlite*"):
        path.unlink() if path.is_file() else shutil.rmtree(path)
    keeper.outbox = open_outbox(keeper.settings.outbox_path, LIMITS, random_stream=b"\x08" * 16, now_ts=1).outbox
    keeper.outbox.close()
    keeper.restart()
    keeper.lend(lease(1, 30), version=2)
    keeper.member()

    assert (keeper.outbox.stream, keeper.read()["state"]) == ("08" * 16, State.LIKELY)
