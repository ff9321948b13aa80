"""A shop whose till speaks the wire contract: signed messages out, signed receipts back."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backend.kernel.periods import milliseconds
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.open_store import open_store
from firmware_bridge.wire.downlinks import open_downlink
from firmware_bridge.wire.envelope import seal
from firmware_bridge.wire.receipts import ReceiptMessage, open_receipts
from tests.worlds.city import NOON

STREAM = "9f3c0a1b2c3d4e5f60718293a4b5c6d7"
BATCH = "/api/pos/v1/baskets:batch"
RETAILER = "示例超市"


@dataclass
class Shop:
    """One till. `line` makes a basket, `message` signs several, `delivery` is what a bridge hands on."""

    device: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    stream: str = STREAM
    seq: int = 0
    sold_at_ms: int = milliseconds(NOON)

    @property
    def topic(self) -> str:
        return f"pos/v1/{self.device}/up/baskets"

    def line(self, *reads: Mapping[str, Any], **changes: Any) -> bytes:
        self.seq += 1
        usual = {
            "seq": self.seq,
            "boot": "b1",
            "opened_mono": 1_000,
            "closed_mono": 9_000,
            "ts": self.sold_at_ms,
            "closed_by": "finish",
            "member": None,
            "claim_sha256": None,
            "cashier": "c07",
            "void_of": None,
            "part_of": None,
            "reads": list(reads),
        }
        return orjson.dumps({**usual, **changes})

    def message(self, *lines: bytes, topic: str | None = None, **header: Any) -> bytes:
        usual = {
            "v": 1,
            "dev": self.device,
            "stream": self.stream,
            "key": "k1",
            "boot": "b1",
            "sent_mono": 10_000,
            "low": 1,
            "clk": {"src": "ntp", "off_ms": 0, "err_ms": 1},
        }
        return seal(topic or self.topic, orjson.dumps({**usual, **header}), list(lines), self.key.sign)

    def delivery(self, payload: bytes, topic: str | None = None) -> dict[str, Any]:
        return {
            "topic": topic or self.topic,
            "payload_b64": base64.b64encode(payload).decode(),
            "received_at_ms": self.sold_at_ms,
        }


def open_shop(database: Database, city: str, number: int = 1, retailer: str = RETAILER) -> Shop:
    shop = Shop(f"nj-shop-{number:04d}")
    store = Store(city, f"s{number}", retailer, f"{retailer}新街口店", f"{city[:4]}02")
    database.write(lambda c: open_store(c, store, NOON))
    enrolment = Enrolment(shop.device, city, store.store, "k1", shop.key.public_key().public_bytes_raw())
    database.write(lambda c: enrol_device(c, enrolment, NOON))
    return shop


def batch(*deliveries: Mapping[str, Any]) -> dict[str, Any]:
    return {"messages": list(deliveries)}


def receipts_of(result: Mapping[str, Any], key: Ed25519PublicKey) -> ReceiptMessage:
    """The receipt in a result, as its till reads it: signature checked."""
    return open_receipts(result["topic"], base64.b64decode(result["payload_b64"]), _believing(key))


def body_for_the_till(message: Mapping[str, Any], key: Ed25519PublicKey) -> bytes:
    """What a downlink says, as its till reads it: signature checked."""
    return open_downlink(message["topic"], base64.b64decode(message["payload_b64"]), _believing(key))


def _believing(key: Ed25519PublicKey) -> Callable[[bytes, bytes], bool]:
    def verify(signature: bytes, message: bytes) -> bool:
        key.verify(signature, message)
        return True

    return verify


def states(results: Sequence[Mapping[str, Any]], key: Ed25519PublicKey) -> list[list[str]]:
    return [[str(each.state) for each in receipts_of(result, key).receipts] for result in results]
