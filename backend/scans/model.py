from collections.abc import Sequence
from enum import StrEnum

import msgspec

from backend.kernel.errors import DomainError
from backend.policies.evidence import Evidence
from backend.scans.lent import Promised

READS_MAX = 50
BATCH_READS_MAX = 500
AWARDS_MAX = 100
"""Awards of one scan: four units and a bonus of each policy in force; a city has a few dozen policies at most."""


class Channel(StrEnum):
    TILL = "till"
    PHONE = "phone"
    HAND_IN = "hand_in"
    """No sale: an old unit that was handed in after its sale (`scans.hand_ins`); its moment of sale is that of the sale."""
    ELSEWHERE = "elsewhere"
    """No sale: the id of a phone's scan that was made in another city (`scans.elsewhere`)."""


class ClockQuality(StrEnum):
    """How sure the time of sale is: by NTP, by the server's receipts, by the till's own clock, by bounds, or not at all."""

    NTP = "ntp"
    SERVER = "srv"
    RTC = "rtc"
    BOUNDED = "bounded"
    UNKNOWN = "unknown"


class BasketState(StrEnum):
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


class Read(msgspec.Struct, frozen=True, gc=False):
    """One code as a till or phone saw it. `price_fen` is the final price of the line; `text` is None when not UTF-8.

    Structs are made, and their fields read, at a third of the cost of tuples with names: every scan comes by here.
    """

    code: bytes
    text: str | None
    symbology: str | None
    aim: str | None
    quantity: int
    price_fen: int | None
    serial: str | None
    evidence: Evidence | None = None
    """What the till adds to the line: an old unit handed in, a delivery address, …"""
    released: bool = False
    """A person has looked at it: nothing holds it any more."""


class Basket(msgspec.Struct, gc=False):
    """The reads of one customer, ready to be decided; facts that are looked up later are entered."""

    basket: str
    device: str
    stream: str
    seq: int
    sha256: bytes
    line: bytes | None
    channel: str
    store: str | None
    district: str | None
    resident: str | None
    claim_sha256: bytes | None
    closed_by: str | None
    cashier: str | None
    void_of: int | None
    part_of: int | None
    sold_at_ms: int
    clock_quality: str
    clock_held: bool
    online: bool
    received_at_ms: int
    reads: list[Read]
    member_fault: str | None = None
    """Why a member code that was shown gives no resident: malformed, unknown, expired, spent."""
    sealed_sha256: bytes | None = None
    """Kept in place of `sha256` where the line is not kept (`redact`)."""
    buyer: str = "person"
    receipt_fen: int | None = None
    """The sum of all its priced lines, also of those that `reads` leaves out because they are decided already."""
    store_held: bool = False
    """Its shop is suspended: a person looks at what it sells."""
    promised: Sequence[Promised] = ()
    """What its till promised out of leases."""
    slip_no: str | None = None
    """The number of the shop's sales slip, as `slips.canonical` spells it."""
    claimed_elsewhere: bool = False
    """By a claim code or a slip it became its resident's, and not in the shop that sold it."""

    @property
    def root_seq(self) -> int:
        """The basket that this one continues, or itself: one member code serves all parts."""
        return self.seq if self.part_of is None else self.part_of


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What became of one basket. `code` says why, when it was quarantined."""

    basket: str
    device: str
    stream: str
    seq: int
    sha256: bytes
    state: str
    code: str | None


class BasketConflict(DomainError):
    code = "basket-conflict"
    text_zh = "同一编号的扫码已提交过，但内容或城市不同，已隔离待查。"
    text_en = "A basket of this number was sent before with other content or in another city; it is in quarantine."
