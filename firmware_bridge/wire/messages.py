import base64
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from firmware_bridge.wire.errors import BadField, UnknownVersion, WrongReadCount
from firmware_bridge.wire.fields import (
    Fields,
    choice,
    integer,
    nested,
    objects,
    optional_base64,
    optional_integer,
    optional_text,
    sized_text,
    text,
)
from firmware_bridge.wire.strict_json import dump_object, load_object
from firmware_bridge.wire.topics import DEVICE_ID

VERSION: Final = 1
VERSIONS_ACCEPTED: Final = (0, 1)
READS_MAX: Final = 50
CODE_BYTES_MAX: Final = 2_048
QTY_MAX: Final = 9_999
PRICE_FEN_MAX: Final = 10**10
SEQ_MAX: Final = 2**63 - 1
MONO_MS_MAX: Final = 2**53
UNIX_MS_MAX: Final = 10**14
CLOCK_MS_MAX: Final = 10**13
VOTES_MAX: Final = 1_000_000
AMOUNT_MAX: Final = 10**10
PROMISES_MAX: Final = 16

STREAM: Final = re.compile(r"[0-9a-f]{32}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")
KEY_ID: Final = re.compile(r"[a-z0-9]{1,8}")
BOOT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MEMBER: Final = re.compile(r"[!-~]{1,200}")
CASHIER: Final = re.compile(r".{1,32}", re.DOTALL)
SLIP_NO: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z./_-]{0,39}")
SERIAL: Final = re.compile(r".{1,64}", re.DOTALL)
SYMBOLOGY: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]{1,4}")
LEASE: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SOURCE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,32}")


class ClockSource(StrEnum):
    NTP = "ntp"
    RTC = "rtc"
    SRV = "srv"
    NONE = "none"


class ClosedBy(StrEnum):
    MEMBER = "member"
    FINISH = "finish"
    BUTTON = "button"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """`off_ms`: true time minus the till's clock; `err_ms`: its bound. Both 0 when `src` is none."""

    src: ClockSource
    off_ms: int = 0
    err_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`sent_mono`: CLOCK_BOOTTIME in ms at sending; `low`: smallest seq still in the outbox."""

    dev: str
    stream: str
    key: str
    boot: str
    sent_mono: int
    low: int
    clk: Clock
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class Promise:
    """What the customer was told is reserved: `amount` of the unit that the lease is of."""

    lease: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """`raw` only where the code's bytes are not the UTF-8 of `code`; `price_fen` after discounts, a line."""

    sym: str
    code: str
    src: str
    mono: int
    raw: bytes | None = None
    aim: str | None = None
    votes: int = 1
    qty: int = 1
    price_fen: int | None = None
    sn: str | None = None
    promised: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """`ts`: Unix ms of closing by the till's own clock, uncorrected. `slip_no`: what the shop printed on the sales slip."""

    seq: int
    boot: str
    opened_mono: int
    closed_mono: int
    ts: int
    closed_by: ClosedBy
    reads: tuple[Read, ...]
    member: str | None = None
    claim_sha256: str | None = None
    cashier: str | None = None
    void_of: int | None = None
    part_of: int | None = None
    slip_no: str | None = None


def basket_hash(line: bytes) -> str:
    """SHA-256 of the line's exact bytes, without its newline; lower-case hex."""
    return hashlib.sha256(line).hexdigest()


def encode_header(header: Header) -> bytes:
    """One line, without its newline. Raises BadField, UnknownVersion."""
    clock = {"src": header.clk.src, "off_ms": header.clk.off_ms, "err_ms": header.clk.err_ms}
    fields: dict[str, object] = {
        "v": header.v,
        "dev": header.dev,
        "stream": header.stream,
        "key": header.key,
        "boot": header.boot,
        "sent_mono": header.sent_mono,
        "low": header.low,
        "clk": clock,
    }
    line = dump_object(fields)
    decode_header(line)
    return line


def decode_header(line: bytes) -> Header:
    """Raises NotJson, DuplicateKey, UnknownVersion, BadField. Unknown fields are passed over."""
    fields = load_object(line)
    version = integer(fields, "v", 0, 2**31)
    if version not in VERSIONS_ACCEPTED:
        raise UnknownVersion(version=version)
    return Header(
        v=version,
        dev=text(fields, "dev", DEVICE_ID),
        stream=text(fields, "stream", STREAM),
        key=text(fields, "key", KEY_ID),
        boot=text(fields, "boot", BOOT),
        sent_mono=integer(fields, "sent_mono", 0, MONO_MS_MAX),
        low=integer(fields, "low", 0, SEQ_MAX),
        clk=_clock(nested(fields, "clk")),
    )


def encode_basket(basket: Basket) -> bytes:
    """The outbox row's exact bytes, without the newline: made once, stored, never made again.

    Raises BadField, WrongReadCount: what this till writes, it can also read.
    """
    fields: dict[str, object] = {
        "seq": basket.seq,
        "boot": basket.boot,
        "opened_mono": basket.opened_mono,
        "closed_mono": basket.closed_mono,
        "ts": basket.ts,
        "closed_by": basket.closed_by,
        "member": basket.member,
        "claim_sha256": basket.claim_sha256,
        "cashier": basket.cashier,
        "void_of": basket.void_of,
        "part_of": basket.part_of,
        "reads": [_read_fields(read) for read in basket.reads],
    }
    line = dump_object(fields if basket.slip_no is None else {**fields, "slip_no": basket.slip_no})
    decode_basket(line)
    return line


def decode_basket(line: bytes) -> Basket:
    """Raises NotJson, DuplicateKey, BadField, WrongReadCount. Unknown fields are passed over."""
    fields = load_object(line)
    reads = objects(fields, "reads")
    void_of = optional_integer(fields, "void_of", 1, SEQ_MAX)
    if not (0 if void_of else 1) <= len(reads) <= READS_MAX:
        raise WrongReadCount(count=len(reads), count_max=READS_MAX)
    return Basket(
        seq=integer(fields, "seq", 1, SEQ_MAX),
        boot=text(fields, "boot", BOOT),
        opened_mono=integer(fields, "opened_mono", 0, MONO_MS_MAX),
        closed_mono=integer(fields, "closed_mono", 0, MONO_MS_MAX),
        ts=integer(fields, "ts", 0, UNIX_MS_MAX),
        closed_by=choice(fields, "closed_by", ClosedBy),
        member=optional_text(fields, "member", MEMBER),
        claim_sha256=optional_text(fields, "claim_sha256", SHA256),
        cashier=optional_text(fields, "cashier", CASHIER),
        void_of=void_of,
        part_of=optional_integer(fields, "part_of", 1, SEQ_MAX),
        slip_no=optional_text(fields, "slip_no", SLIP_NO),
        reads=tuple(_read(read) for read in reads),
    )


def _read_fields(read: Read) -> dict[str, object]:
    promised = [{"lease": one.lease, "amount": one.amount} for one in read.promised]
    fields: dict[str, object] = {
        "sym": read.sym,
        "code": read.code,
        "raw": None if read.raw is None else base64.b64encode(read.raw).decode(),
        "aim": read.aim,
        "src": read.src,
        "votes": read.votes,
        "mono": read.mono,
        "qty": read.qty,
        "price_fen": read.price_fen,
        "sn": read.sn,
    }
    return {**fields, "promised": promised} if promised else fields


def _read(fields: Fields) -> Read:
    votes, qty = optional_integer(fields, "votes", 0, VOTES_MAX), optional_integer(fields, "qty", 1, QTY_MAX)
    return Read(
        sym=text(fields, "sym", SYMBOLOGY),
        code=sized_text(fields, "code", CODE_BYTES_MAX),
        raw=optional_base64(fields, "raw", CODE_BYTES_MAX),
        aim=optional_text(fields, "aim", AIM),
        src=text(fields, "src", SOURCE),
        votes=1 if votes is None else votes,
        mono=integer(fields, "mono", 0, MONO_MS_MAX),
        qty=1 if qty is None else qty,
        price_fen=optional_integer(fields, "price_fen", 0, PRICE_FEN_MAX),
        sn=optional_text(fields, "sn", SERIAL),
        promised=() if fields.get("promised") is None else _promises(fields),
    )


def _promises(fields: Fields) -> tuple[Promise, ...]:
    given = objects(fields, "promised")
    promises = tuple(Promise(text(one, "lease", LEASE), integer(one, "amount", 1, AMOUNT_MAX)) for one in given)
    if len(promises) > PROMISES_MAX or len({one.lease for one in promises}) < len(promises):
        raise BadField(field="promised", rule=f"at most {PROMISES_MAX}, each lease once")
    return promises


def _clock(fields: Fields) -> Clock:
    return Clock(
        src=choice(fields, "src", ClockSource),
        off_ms=integer(fields, "off_ms", -CLOCK_MS_MAX, CLOCK_MS_MAX),
        err_ms=integer(fields, "err_ms", 0, CLOCK_MS_MAX),
    )
