"""Sales become baskets as the city's tills would have sent them: numbered, with a member code or the hash of a claim code."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from backend.demo.year.sales import Sale, Way
from backend.demo.year.shops import SUZHOU
from backend.kernel.crockford import DIGITS
from backend.kernel.periods import milliseconds
from backend.residents.claim_code import LENGTH, claim_hash
from backend.scans.lines import Origin, read_line
from backend.scans.sale_time import Clock
from backend.usecases.accept_messages import arrival_of
from backend.usecases.record_baskets import Arrival

SENT_AFTER = timedelta(seconds=2)
Issued = Callable[[int, datetime], str]
"""Shows the member code of a resident at a moment."""


class Sent(NamedTuple):
    """`claim`: the code on the slip, where no member code was shown."""

    sale: Sale
    arrival: Arrival
    received_at: datetime
    claim: str | None


class Tills:
    def __init__(self, show_code: Issued) -> None:
        self._show_code = show_code
        self._numbers: defaultdict[str, int] = defaultdict(int)

    def send(self, sale: Sale, rng: random.Random) -> list[Sent]:
        """The basket, and after it the one that voids it where the cashier noticed a mistake."""
        shown, claim = None, None
        if sale.way is Way.MEMBER and sale.resident is not None:
            shown = self._show_code(sale.resident, sale.sold_at)
        else:
            claim = "".join(rng.choices(DIGITS, k=LENGTH))
        first = self._basket(sale, sale.sold_at, shown, claim, sale.reads)
        if not sale.voided:
            return [first]
        void_of = first.arrival.basket.seq
        return [first, self._basket(sale, sale.sold_at + timedelta(minutes=1), None, None, (), void_of)]

    def _basket(
        self,
        sale: Sale,
        sold_at: datetime,
        shown: str | None,
        claim: str | None,
        reads: tuple[dict[str, object], ...],
        void_of: int | None = None,
    ) -> Sent:
        device = sale.shop.device(sale.till)
        self._numbers[device] += 1
        received_at = sold_at + SENT_AFTER + timedelta(hours=sale.late_hours)
        line = orjson.dumps(
            {
                "seq": self._numbers[device],
                "boot": "b1",
                "opened_mono": 1_000,
                "closed_mono": 16_000,
                "ts": milliseconds(sold_at),
                "closed_by": "finish" if shown is None else "member",
                "member": shown,
                "claim_sha256": claim_hash(claim).hex() if claim else None,
                "cashier": sale.cashier,
                "void_of": void_of,
                "part_of": None,
                "reads": reads,
            }
        )
        stream = hashlib.sha256(device.encode()).hexdigest()[:32]
        shop, clock = sale.shop.store, Clock("ntp", 0, "b1", 18_000)
        at_ms = milliseconds(received_at)
        origin = Origin(SUZHOU, device, stream, shop.store, shop.district, "till", clock, at_ms)
        return Sent(sale, arrival_of(read_line(line, origin)), received_at, claim)
