"""Who sells: a cashier at each till, customers with what they bought, residents whose phones show member codes."""

import itertools
import os
import queue
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from backend.demo.phone import Phones
from tests.worlds.city import FRIDGE, RICE, TELEVISION, UNCERTIFIED, WASHER, unit_label

CODES_READY = 24
CODE_GOOD_FOR_S = 90
"""Of the 120 s that a member code is valid; an older one is not shown."""
LOOK_S = 0.003
READS_OF_A_LONG_BASKET = 60
PRODUCTS = (FRIDGE, WASHER, TELEVISION, RICE, UNCERTIFIED)
UNITS = 300
"""Labels of single pieces, the same for all tills: most are read more than once, and only one read may be paid."""
FINISH, VOID = "GPFIN", "GPVOID"


class Residents(threading.Thread):
    """Phones that keep a few fresh member codes ready, whenever the server answers."""

    def __init__(self, backend_url: str, count: int, *, seed: int) -> None:
        super().__init__(daemon=True)
        self._draw = random.Random(seed)
        self._phones = Phones(backend_url)
        self._signed_in = [self._phones.sign_in(f"journey-{number}", time.time_ns()) for number in range(count)]
        self._codes: queue.Queue[tuple[str, float]] = queue.Queue(CODES_READY)
        self._home = threading.Event()

    def run(self) -> None:
        while not self._home.is_set():
            try:
                code = self._phones.member_code(self._draw.choice(self._signed_in))
            except httpx.HTTPError:
                self._home.wait(0.2)
                continue
            self._offer(code, time.monotonic())

    def show_code(self) -> str | None:
        """None when no phone has one: such a customer takes a claim code home."""
        while True:
            try:
                code, drawn_s = self._codes.get_nowait()
            except queue.Empty:
                return None
            if time.monotonic() - drawn_s < CODE_GOOD_FOR_S:
                return code

    def go_home(self) -> None:
        self._home.set()
        if self.is_alive():
            self.join()
        self._phones.close()

    def _offer(self, code: str, drawn_s: float) -> None:
        while not self._home.is_set():
            try:
                self._codes.put((code, drawn_s), timeout=0.2)
            except queue.Full:
                continue
            return


class EventLog:
    """What a till said through all its lives, in order: the witness of every beep."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("rb")
        self._rest = b""
        self.events: list[dict[str, Any]] = []

    def look(self) -> int:
        """Reads on; how many events there are."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        # A till that is killed while it writes leaves a part of a line; the next life's first event follows it.
        self.events += [orjson.loads(line[line.rindex(b'{"event"') :]) for line in lines]
        return len(self.events)

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Customer:
    """`code_last`: shows the member code after the goods. `in_a_hurry`: the next one comes before the finish code."""

    goods: tuple[dict[str, Any], ...]
    member: str | None
    code_last: bool
    in_a_hurry: bool
    voids: bool

    def lines(self) -> list[bytes]:
        goods = [orjson.dumps(each) for each in self.goods]
        shown = [self.member.encode()] if self.member else []
        ends = [] if self.in_a_hurry else [FINISH.encode()]
        voided = [VOID.encode()] if self.voids else []
        return [*goods, *shown, *ends, *voided] if self.code_last else [*shown, *goods, *ends, *voided]


class Cashier(threading.Thread):
    """Sells until the till has closed so many baskets. Waits for the till, never for the network."""

    def __init__(
        self, device: str, place: Path, residents: Residents, *, seed: int, baskets: int, pace_s: float
    ) -> None:
        super().__init__(daemon=True)
        self.device = device
        self.input = place / f"{device}.input"
        self.log = EventLog(place / f"{device}.events")
        self.sold = 0
        self._residents = residents
        self._draw = random.Random(seed)
        self._baskets, self._pace_s = baskets, pace_s
        os.mkfifo(self.input)
        # Held open both ways: the till's death closes nothing here, and its next life reads on.
        self._feed = os.open(self.input, os.O_RDWR | os.O_NONBLOCK)
        self._looked = self._lives = 0
        self._prices = itertools.count(100)
        self._closed_shop = threading.Event()

    def run(self) -> None:
        for customer in self._customers():
            if self.sold >= self._baskets or self._closed_shop.is_set():
                return
            begun_s = time.monotonic()
            os.write(self._feed, b"".join(line + b"\n" for line in customer.lines()))
            if not customer.in_a_hurry:
                self._wait_for_the_till()
            time.sleep(max(0.0, begun_s + self._pace_s - time.monotonic()))

    def hang_up(self) -> None:
        """The till's input ends."""
        os.close(self._feed)

    def close_shop(self) -> None:
        self._closed_shop.set()
        if self.is_alive():
            self.join()
        self.log.close()

    def _wait_for_the_till(self) -> None:
        """Until it has closed a basket, or begun another life: then this customer goes to the next."""
        sold, lives = self.sold, self._lives
        while (self.sold, self._lives) == (sold, lives) and not self._closed_shop.is_set():
            time.sleep(LOOK_S)
            self._look()

    def _look(self) -> None:
        count = self.log.look()
        for event in self.log.events[self._looked : count]:
            self.sold += event["event"] == "basket_closed"
            self._lives += event.get("state") == "started"
        self._looked = count

    def _customers(self) -> Iterator[Customer]:
        draw, in_a_hurry = self._draw, False
        while True:
            member = self._residents.show_code() if in_a_hurry or draw.random() < 0.6 else None
            usual = draw.choice((1, 1, 2, 2, 3, 4, 6))
            count = READS_OF_A_LONG_BASKET if draw.random() < 0.005 else usual
            in_a_hurry = member is not None and draw.random() < 0.1
            yield Customer(
                goods=tuple(self._label() for _ in range(count)),
                member=member,
                code_last=not in_a_hurry and draw.random() < 0.3,
                in_a_hurry=in_a_hurry,
                voids=not in_a_hurry and draw.random() < 0.01,
            )

    def _label(self) -> dict[str, Any]:
        price_fen = next(self._prices)
        if self._draw.random() < 0.2:
            return {"code": unit_label(f"J{self._draw.randrange(UNITS)}"), "sym": "QRCODE", "price_fen": price_fen}
        return {"code": self._draw.choice(PRODUCTS), "sym": "EAN13", "price_fen": price_fen}
