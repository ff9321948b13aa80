"""What dies while tills sell: every program, by SIGKILL, at moments that a seed chooses and at points that have a name."""

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from backend.demo.launch import ROOT
from backend.demo.supervisor import Service
from firmware_bridge.chaos import ChaosPoint as BridgePoint
from scanner.chaos import ChaosPoint as TillPoint
from tests.journeys.cashiers import Cashier
from tests.journeys.town import BACKEND, BRIDGE, BROKER, Town, children_of, in_test

OF_A_SALE = (
    TillPoint.MID_BASKET,
    TillPoint.AFTER_OUTBOX_COMMIT,
    TillPoint.AFTER_PUBLISH,
    TillPoint.AFTER_RECEIPT_BEFORE_DELETE,
)
"""Points that a till passes whenever it sells; others have tests of their own."""

TICK_S = 0.02
FLOW_WITHIN_S = 300.0
DRAIN_WITHIN_S = 90.0
STRANDED_BASKETS = 40
STRANDED_WITHIN_S = 10.0
POSTGRES = "PostgreSQL"


class Storm:
    """Strikes one card of its deck after the other, spread over the sale; what has died is started again at once."""

    def __init__(
        self, town: Town, cashiers: Sequence[Cashier], tills: Sequence[Service], *, seed: int, goal: int
    ) -> None:
        self.kills: Counter[str] = Counter()
        self._town = town
        self._cashiers = cashiers
        self._plain = {till.name: till for till in tills} | town.services
        self._tills = [till.name for till in tills]
        self._draw = random.Random(seed)
        self._goal = goal
        self._points = {name: [*OF_A_SALE[number:], *OF_A_SALE[:number]] for number, name in enumerate(self._tills)}
        self._doom: dict[str, str] = {}
        self._struck: set[str] = set()
        self._begun_s = time.monotonic()

    def everything(self) -> list[Callable[[], None]]:
        """Each program twice or more, each named point once or more, in an order that the seed chooses."""
        cards: list[Callable[[], None]] = [
            *(partial(self._kill, name) for name in self._tills),
            *(self._kill_worker, self._kill_database_session, self.strand),
            *2 * (partial(self._kill, BRIDGE), partial(self._kill, BROKER), partial(self._kill, BACKEND)),
            *2 * (self._kill_postgres,),
        ]
        self._draw.shuffle(cards)
        # Not among the last: without tills that sell, a point would not be reached.
        for doom in (*(partial(self._kill_bridge_at, point) for point in BridgePoint), self._kill_worker_after_commit):
            cards.insert(self._draw.randrange(len(cards) - 3), doom)
        return cards

    def rage(self, deck: Sequence[Callable[[], None]]) -> None:
        """Until every cashier has sold enough; a card falls after each equal share of the sale, but never on a program
        that is about to die at its point.
        """
        for name in self._tills:
            self._town.programs.start(self._next_life_of_till(name))
        cards, end_s = list(deck), time.monotonic() + FLOW_WITHIN_S
        while any(cashier.is_alive() for cashier in self._cashiers):
            assert time.monotonic() < end_s, f"{self._sold()} baskets in {FLOW_WITHIN_S:.0f} s: the tills stand still"
            self._mend()
            due = self._sold() >= self._goal * (len(deck) - len(cards) + 1) // (len(deck) + 1)
            if cards and due and not self._doom.keys() & {BRIDGE, BACKEND}:
                cards.pop(0)()
            time.sleep(TICK_S)
        for card in cards:
            card()

    def calm(self) -> None:
        """Everything runs, nothing is told to die, and each till ends by itself: when its outbox is empty."""
        self._points.clear()
        for name in self._tills:
            self._town.programs.next_life(self._last_life(name))
        self._town.wait_ready()
        for cashier in self._cashiers:
            cashier.hang_up()
        end_s = time.monotonic() + DRAIN_WITHIN_S
        while not all(self._town.programs.finished(name) for name in self._tills):
            assert time.monotonic() < end_s, f"after {DRAIN_WITHIN_S:.0f} s some till still has baskets in its outbox"
            self._mend()
            time.sleep(TICK_S)
        self._town.owner.close()  # its connections were to a PostgreSQL that is no more
        self._say("calm: every outbox is empty")

    def strand(self) -> None:
        """The bridge stops answering, baskets pile up in the broker, each acknowledged, and both die with them."""
        bridge, sold = self._town.programs.pid(BRIDGE), self._sold()
        assert bridge is not None
        os.kill(bridge, signal.SIGSTOP)
        end_s = time.monotonic() + STRANDED_WITHIN_S
        while self._sold() < sold + STRANDED_BASKETS and time.monotonic() < end_s:
            time.sleep(TICK_S)
        self._kill(BROKER)
        self._kill(BRIDGE)

    def _mend(self) -> None:
        for name in self._town.programs.dead():
            if name not in self._struck:
                self._count(f"{_kind(name)} {self._doom.get(name, 'by itself')}")
                del self._points.get(name, [])[:1]
            self._struck.discard(name)
            self._doom.pop(name, None)
            self._town.programs.next_life(self._next_life(name))
        self._town.mend()

    def _kill(self, name: str) -> None:
        self._count(_kind(name))
        self._struck.add(name)
        with contextlib.suppress(ProcessLookupError):  # it has just died by itself
            self._town.programs.kill(name)

    def _kill_bridge_at(self, point: BridgePoint) -> None:
        passes = str(self._draw.randrange(4))
        chaos = {"GREENPOINTS_BRIDGE_CHAOS_POINT": point.value, "GREENPOINTS_BRIDGE_CHAOS_PASSES": passes}
        self._kill(BRIDGE)
        self._doom[BRIDGE] = f"at {point.value}"
        self._restart(in_test(self._plain[BRIDGE], **chaos))

    def _kill_worker_after_commit(self) -> None:
        """The server's own named point: baskets are committed, the answer is never sent."""
        self._kill(BACKEND)
        self._doom[BACKEND] = "after commit before answer"
        plain, address = self._plain[BACKEND], self._town.address
        served = ["--interface", "wsgi", "--workers", "2", "--blocking-threads", "8", "--no-ws", "--no-log"]
        listens = ["--host", "127.0.0.1", "--port", str(address.backend_port)]
        command = (sys.executable, "-m", "granian", *served, *listens, "tests.journeys.doomed_server:app")
        self._restart(replace(plain, command=command, folder=ROOT))

    def _kill_worker(self) -> None:
        self._kill_one_of(self._town.programs.children(BACKEND), "backend worker")

    def _kill_postgres(self) -> None:
        assert self._town.postgres.pid is not None
        self._kill_one_of([self._town.postgres.pid], POSTGRES)

    def _kill_database_session(self) -> None:
        """PostgreSQL then ends every session and recovers by itself."""
        sessions = [pid for pid in children_of(self._town.postgres.pid) if _serves_engine(pid)]
        self._kill_one_of(sessions, "PostgreSQL session")

    def _kill_one_of(self, pids: Sequence[int], what: str) -> None:
        if pids:
            self._count(what)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._draw.choice(pids), signal.SIGKILL)

    def _restart(self, service: Service) -> None:
        self._town.programs.stop(service.name)
        self._struck.discard(service.name)
        self._town.programs.start(replace(service, ready=None))

    def _next_life(self, name: str) -> Service:
        if name not in self._tills:
            return self._plain[name]
        return self._next_life_of_till(name) if self._points else self._last_life(name)

    def _next_life_of_till(self, name: str) -> Service:
        """Each life is told to die at another point; if something kills it before, the next one is told again."""
        points = self._points[name]
        point = points[0] if points else self._draw.choice(OF_A_SALE)
        hits = self._draw.randrange(60, 300) if point is TillPoint.MID_BASKET else self._draw.randrange(25, 120)
        self._doom[name] = f"at {point.value}"
        chaos = {"GREENPOINTS_TILL_CHAOS_POINT": point.value, "GREENPOINTS_TILL_CHAOS_HIT": str(hits)}
        return reading_from(str(self._cashier(name).input), in_test(self._plain[name], **chaos))

    def _last_life(self, name: str) -> Service:
        return replace(reading_from("/dev/null", self._plain[name]), finite=True)

    def _cashier(self, device: str) -> Cashier:
        return next(cashier for cashier in self._cashiers if cashier.device == device)

    def _sold(self) -> int:
        return sum(cashier.sold for cashier in self._cashiers)

    def _count(self, what: str) -> None:
        self.kills[what] += 1
        self._say(f"kill {what}")

    def _say(self, what: str) -> None:
        print(f"  {time.monotonic() - self._begun_s:5.1f} s  {self._sold():5} baskets  {what}", flush=True)


def reading_from(path: str, till: Service) -> Service:
    """The till with that file as its standard input."""
    return replace(till, command=("/bin/sh", "-c", f'exec "$@" < {path}', "till", *till.command))


def _kind(name: str) -> str:
    return name if name in {BROKER, BRIDGE, BACKEND} else "till"


def _serves_engine(pid: int) -> bool:
    """PostgreSQL writes what a process does into its title: a session's names the client's address."""
    try:
        return b"127.0.0.1" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
