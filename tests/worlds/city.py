"""One city on a real database: what it knows, who lives there, and what its tills send."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.certificates.cache import RegistryCache
from backend.certificates.imports import Source, import_rows
from backend.kernel.periods import milliseconds
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.residents import store as resident_store
from backend.residents.member_code import MemberCode, encode
from backend.scans.lines import Origin, read_line
from backend.scans.model import Recorded
from backend.scans.sale_time import Clock
from backend.storage.transaction import Database
from backend.usecases.accept_messages import arrival_of
from backend.usecases.publish_policy import PublishedVersion, publish_policy
from backend.usecases.record_baskets import Arrival, RecordBaskets
from tests.worlds import rules

LINE_KEY = bytes(32)
NANJING, SUZHOU = "320100", "320500"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Sunday, 12:00 in Nanjing: the moment at which everything here is sold and received unless said otherwise."""
FRIDGE, WASHER, TELEVISION, RICE = "9521234000013", "9521234000020", "9521234000037", "9521234000044"
"""Energy label grade 1, grade 2, grade 3; organic rice."""
UNCERTIFIED = "9521234000990"
MILK_BODY = "CNCA-R-2002-100"
_CERTIFIED: tuple[dict[str, str], ...] = (
    {"code": FRIDGE, "product": "冰箱", "category": "冰箱", "grade": "1"},
    {"code": WASHER, "product": "洗衣机", "category": "洗衣机", "grade": "2"},
    {"code": TELEVISION, "product": "电视机", "category": "电视机", "grade": "3"},
    {"code": RICE, "product": "有机大米", "category": "粮食", "scheme": "organic"},
)


def gtin(number: int) -> str:
    """A product code of GS1's example prefix 952 with its check digit."""
    body = f"952{number:09d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighted % 10}"


def resident(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


def unit_label(serial: str, product: str = FRIDGE) -> str:
    """A GS1 label that names a single piece of `product`."""
    return f"(01)0{product}(21){serial}"


def read(code: str, **changes: object) -> dict[str, Any]:
    """A barcode as a till sends it: one piece at ¥100 unless said otherwise."""
    symbology = "EAN13" if len(code) == len(FRIDGE) and code.isdigit() else "QRCODE"
    usual = {"sym": symbology, "code": code, "raw": None, "aim": None, "qty": 1, "price_fen": 10_000, "sn": None}
    return {**usual, **changes}


def raw_read(content: bytes, **changes: object) -> dict[str, Any]:
    """A read whose content is no text."""
    return read("?", raw=base64.b64encode(content).decode(), **changes)


def certificate_row(**changes: str) -> dict[str, str]:
    """A line of a registry file; `scheme` is energy_label or organic."""
    organic = changes.get("scheme") == "organic"
    serial = changes["code"][-9:-1]
    usual = {
        "scheme": "energy_label",
        "certificate_no": f"100OP12{serial[-5:]}" if organic else f"202601-14-10000001-0000{serial}",
        "body": MILK_BODY if organic else "CNIS",
        "body_name": "示例认证" if organic else "",
        "holder": "示例有限公司",
        "valid_from": "2024-01-01",
        "valid_until": "长期",
        "state": "有效",
        "product": "示例商品",
        "category": "示例",
    }
    return {**usual, **changes}


@dataclass
class City:
    """A city with the usual products in its registry. `recorder` is one process of the backend."""

    database: Database
    code: str = NANJING
    codes_issued: int = 0
    recorder: RecordBaskets = field(init=False)

    def __post_init__(self) -> None:
        self.recorder = self.another_process()

    def another_process(self, database: Database | None = None) -> RecordBaskets:
        """A recorder with caches of its own, as another server has."""
        return RecordBaskets(database or self.database, RegistryCache(), PolicyCache(chart.budget), line_key=LINE_KEY)

    def record(self, *arrivals: Arrival, now: datetime = NOON) -> list[Recorded]:
        return self.recorder.record(self.code, arrivals, now)

    def publish(self, doc: Mapping[str, Any], now: datetime = NOON) -> PublishedVersion:
        text = rules.text_of(dict(doc))
        return self.database.write(lambda c: publish_policy(c, self.code, text, by="tests", now=now))

    def issue_code(self, person: str, expires_at: datetime = NOON + timedelta(seconds=60)) -> str:
        """A fresh member code of `person`, whose home this city is."""
        self.codes_issued += 1
        digest = hashlib.sha256(f"{self.code} {person} {self.codes_issued}".encode()).digest()
        self.database.write(lambda c: resident_store.issue_code(c, self.code, digest[:16], person, expires_at))
        return encode(MemberCode("k1", self.code, digest[:16], int(expires_at.timestamp())), lambda _: bytes(64))

    def till(self, number: int = 1) -> "Till":
        return Till(self.code, number)


def register(database: Database, *rows: Mapping[str, str], now: datetime = NOON) -> None:
    """Imports registry rows; without any, the usual products."""
    given = rows or _CERTIFIED
    report = import_rows(database, [certificate_row(**row) for row in given], Source("示例", "rows.csv", "tests", now))
    assert not report.errors, report.errors


def open_city(database: Database, doc: Mapping[str, Any] | None = None, code: str = NANJING) -> City:
    """A city whose registry knows the usual products (cities share it) and that published `doc`."""
    register(database)
    city = City(database, code)
    city.publish(doc if doc is not None else rules.document())
    return city


@dataclass
class Till:
    """A till with a trusted clock that sends at once. Each basket takes the next number of its stream."""

    city: str
    number: int = 1
    seq: int = 0
    clock: Clock = field(default_factory=lambda: Clock("ntp", 0, "b1", 10_000))
    channel: str = "till"

    @property
    def device(self) -> str:
        return f"till-{self.city}-{self.number}"

    @property
    def stream(self) -> str:
        return hashlib.sha256(self.device.encode()).hexdigest()[:32]

    def origin(self, received_at: datetime) -> Origin:
        received_at_ms = milliseconds(received_at)
        return Origin(self.city, self.device, self.stream, "s1", "320102", self.channel, self.clock, received_at_ms)

    def line(self, *reads: Mapping[str, Any], sold_at: datetime = NOON, **changes: object) -> bytes:
        """The bytes that the till signed. `changes` replace fields of the basket."""
        self.seq += 1
        doc = {
            "seq": self.seq,
            "boot": "b1",
            "opened_mono": 1_000,
            "closed_mono": 9_000,
            "ts": milliseconds(sold_at),
            "closed_by": "finish",
            "member": None,
            "claim_sha256": None,
            "cashier": "c07",
            "void_of": None,
            "part_of": None,
            "reads": list(reads),
        }
        return json.dumps({**doc, **changes}, ensure_ascii=False, separators=(",", ":")).encode()

    def arrival(self, line: bytes, received_at: datetime = NOON) -> Arrival:
        return arrival_of(read_line(line, self.origin(received_at)))

    def basket(
        self,
        *reads: Mapping[str, Any],
        resident: str | None = None,
        sold_at: datetime = NOON,
        received_at: datetime | None = None,
        **changes: object,
    ) -> Arrival:
        """A basket as it arrives. `resident` names its owner at once, as a phone's session does; `member` in `changes`
        is a member code.
        """
        arrival = self.arrival(self.line(*reads, sold_at=sold_at, **changes), received_at or sold_at)
        arrival.basket.resident = resident
        return arrival


def states(recorded: Sequence[Recorded]) -> list[str]:
    return [one.state for one in recorded]
