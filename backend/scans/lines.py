"""One line of a message, or one phone scan, as a basket: every field checked, unknown ones ignored."""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from backend.kernel.errors import DomainError
from backend.kernel.strict_json import NotStrictJson, load_object
from backend.policies.evidence import Evidence
from backend.policies.model import Buyer
from backend.scans.evidence import read_evidence
from backend.scans.identity import SEQ_MAX, basket_id
from backend.scans.lent import PROMISES_MAX, Promised
from backend.scans.line_limits import (
    AIM,
    BOOT,
    CLOSED_BY,
    CODE_BYTES_MAX,
    MEMBER_CODE_MAX,
    MONO_MS_MAX,
    PRICE_FEN_MAX,
    QUANTITY_MAX,
    SHA256,
    TEXT_MAX,
    UNIX_MS_MAX,
    UUID,
    WORD,
)
from backend.scans.model import READS_MAX, Basket, Read
from backend.scans.plain_line import Stated, plain_line
from backend.scans.sale_time import Clock, sale_time
from backend.scans.slips import SLIP_NO, canonical

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_PERSON = Buyer.PERSON.value


class MalformedBasket(DomainError):
    code = "malformed-basket"
    text_zh = "扫码记录格式有误（{field}），已原样隔离。"
    text_en = "The basket is malformed ({field}); its bytes are in quarantine."

    def __init__(self, field: str) -> None:
        super().__init__(field=field)


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a message's baskets come from, as the directory knows it, and what its clock is worth."""

    city: str
    device: str
    stream: str
    store: str | None
    district: str | None
    channel: str
    clock: Clock
    received_at_ms: int


class Line(msgspec.Struct, frozen=True, gc=False):
    """A basket and the member code it carries, which only the residents' package can read."""

    basket: Basket
    member_code: str | None
    shown_at_ms: int
    """When the basket was opened, at the earliest of which the member code was shown."""


def read_line(line: bytes, origin: Origin) -> Line:
    """The basket that `line` states. Raises MalformedBasket naming the first field that is wrong."""
    stated = plain_line(line)
    if stated is None:
        stated = stated_by(line)
    closed, received = stated.closed_mono_ms, origin.received_at_ms
    sold = sale_time(origin.clock, boot=stated.boot, ts_ms=stated.ts_ms, closed_mono_ms=closed, received_at_ms=received)
    device, stream, seq, reads = origin.device, origin.stream, stated.seq, stated.reads
    basket = Basket(  # by position, which costs half of what twenty names do
        basket_id(device, stream, seq),
        device,
        stream,
        seq,
        hashlib.sha256(line).digest(),
        line,
        origin.channel,
        origin.store,
        origin.district,
        None,  # the resident: named in the transaction
        stated.claim_sha256,
        stated.closed_by,
        stated.cashier,
        stated.void_of,
        stated.part_of,
        sold.sold_at_ms,
        sold.quality,
        sold.held,
        sold.online,
        received,
        reads,
        None,  # no fault of a member code, and no seal
        None,
        _PERSON,
        receipt_of(reads),
        False,  # noqa: FBT003 - whether its shop is suspended is not known yet
        stated.promised,
        stated.slip_no,
    )
    return Line(basket, stated.member_code, sold.sold_at_ms - (closed - stated.opened_mono_ms))


def stated_by(line: bytes) -> Stated:
    """What any line states, read field by field. Raises as `read_line`."""
    try:
        doc = load_object(line)
    except NotStrictJson:
        raise MalformedBasket("json") from None
    seq = _integer(doc, "seq", 1, SEQ_MAX)
    opened = _integer(doc, "opened_mono", 0, MONO_MS_MAX)
    closed = _integer(doc, "closed_mono", opened, MONO_MS_MAX)
    boot = _text(doc, "boot", BOOT)
    ts = _integer(doc, "ts", 0, UNIX_MS_MAX)
    void_of = _optional_integer(doc, "void_of")
    reads = _reads(doc, may_be_empty=void_of is not None)
    claim = _optional_text(doc, "claim_sha256", SHA256)
    return Stated(
        seq=seq,
        boot=boot,
        opened_mono_ms=opened,
        closed_mono_ms=closed,
        ts_ms=ts,
        closed_by=_one_of(doc, "closed_by", CLOSED_BY),
        claim_sha256=bytes.fromhex(claim) if claim else None,
        cashier=_free_text(doc, "cashier"),
        void_of=void_of,
        part_of=_optional_integer(doc, "part_of"),
        reads=reads,
        promised=_promised(doc["reads"]),
        slip_no=_slip_no(doc),
        member_code=_member_code(doc),
    )


def reads_of(line: bytes) -> list[Read]:
    """The reads of a line that was recorded: a till's, or a phone's (`phone_line`).

    Raises NotStrictJson, MalformedBasket where its bytes were changed.
    """
    doc = load_object(line)
    # A till may send fields that we do not know; only a phone's line, which is ours, has no reads.
    return _reads(doc, may_be_empty=True) if "reads" in doc else [_phone_read(doc)]


def phone_line(read: Read, city: str) -> bytes:
    """What stands for the line of a phone's scan: what the client sent, and nothing of when, so that a repeat is the same."""
    content = read.text if read.text is not None else read.code.hex()
    sent = {"code": content, "hex": read.text is None, "symbology": read.symbology, "aim": read.aim, "city": city}
    return orjson.dumps(sent)


def sequence_of(line: bytes) -> int | None:
    """The number of a basket that may otherwise be malformed, so that its till can be told to stop sending it."""
    try:
        seq = load_object(line).get("seq")
    except NotStrictJson:
        return None
    return seq if type(seq) is int and 1 <= seq <= SEQ_MAX else None


def receipt_of(reads: list[Read]) -> int | None:
    """The sum of the lines' prices in fen; None where no line has one."""
    total = None
    for read in reads:
        if read.price_fen is not None:
            total = read.price_fen + (total or 0)
    return total


def printable(text: str) -> str:
    """`text` with control, bidirectional and invisible characters shown as U+FFFD: safe to store, list and print."""
    return _UNPRINTABLE.sub("\ufffd", text)


def shown_text(read: Read) -> str:
    """What is kept of a code to be read by people; its bytes are kept beside it where this is not they."""
    text = read.text if read.text is not None else read.code.decode("utf-8", "replace")
    return text if text.isascii() and text.isprintable() else printable(text)


def _phone_read(sent: dict[str, Any]) -> Read:
    content = sent.get("code")
    if type(content) is not str:
        raise MalformedBasket("code")
    try:
        code, text = (bytes.fromhex(content), None) if sent.get("hex") else (content.encode(), content)
    except ValueError:
        raise MalformedBasket("code") from None
    return Read(code, text, sent.get("symbology"), sent.get("aim"), 1, None, None)


def _reads(doc: dict[str, Any], *, may_be_empty: bool) -> list[Read]:
    reads = doc.get("reads")
    if type(reads) is not list or len(reads) > READS_MAX or not (reads or may_be_empty):
        raise MalformedBasket("reads")
    return [_read(read) for read in reads]


def _read(read: Any) -> Read:
    if type(read) is not dict:
        raise MalformedBasket("reads")
    text = read.get("code")
    if type(text) is not str:
        raise MalformedBasket("code")
    raw = read.get("raw")
    try:
        code = text.encode() if raw is None else base64.b64decode(raw, validate=True)
    except (ValueError, TypeError):
        raise MalformedBasket("raw") from None
    if not 1 <= len(code) <= CODE_BYTES_MAX:
        raise MalformedBasket("code")
    price = read.get("price_fen")
    if price is not None and not (type(price) is int and 0 <= price <= PRICE_FEN_MAX):
        raise MalformedBasket("price_fen")
    quantity = read.get("qty", 1)
    if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
        raise MalformedBasket("qty")
    return Read(
        code,
        text if raw is None else None,
        _optional_text(read, "sym", WORD),
        _optional_text(read, "aim", AIM),
        quantity,
        price,
        _free_text(read, "sn"),
        None if read.get("evidence") is None else _evidence(read["evidence"]),
        False,  # noqa: FBT003 - nobody has looked at it yet
    )


def _evidence(given: Any) -> Evidence | None:
    try:
        return read_evidence(given)
    except ValueError as error:
        raise MalformedBasket(str(error)) from None


def _promised(reads: list[dict[str, Any]]) -> Sequence[Promised]:
    """What the till said that leases would pay, line by line; each lease once a line."""
    found: list[Promised] = []
    for line_no, read in enumerate(reads):
        if read.get("promised") is not None:
            given = read["promised"]
            if type(given) is not list or len(given) > PROMISES_MAX:
                raise MalformedBasket("promised")
            found += [Promised(line_no, *_promise(one)) for one in given]
    if found and len({(one.line_no, one.lease) for one in found}) < len(found):
        raise MalformedBasket("promised")
    return tuple(found)


def _promise(given: Any) -> tuple[str, int]:
    if type(given) is not dict:
        raise MalformedBasket("promised")
    lease = _text(given, "lease", UUID)
    return lease, _integer(given, "amount", 1, PRICE_FEN_MAX)


def _slip_no(doc: dict[str, Any]) -> str | None:
    given = _optional_text(doc, "slip_no", SLIP_NO)
    return None if given is None else canonical(given)


def _integer(doc: dict[str, Any], field: str, low: int, high: int) -> int:
    value = doc.get(field)
    if type(value) is not int or not low <= value <= high:
        raise MalformedBasket(field)
    return value


def _optional_integer(doc: dict[str, Any], field: str) -> int | None:
    value = doc.get(field)
    if value is None or (type(value) is int and 1 <= value <= SEQ_MAX):
        return value
    raise MalformedBasket(field)


def _text(doc: dict[str, Any], field: str, pattern: re.Pattern[str]) -> str:
    value = doc.get(field)
    if type(value) is not str or not pattern.fullmatch(value):
        raise MalformedBasket(field)
    return value


def _optional_text(doc: dict[str, Any], field: str, pattern: re.Pattern[str]) -> str | None:
    value = doc.get(field)
    if value is None or (type(value) is str and pattern.fullmatch(value)):
        return value
    raise MalformedBasket(field)


def _member_code(doc: dict[str, Any]) -> str | None:
    """Visible ASCII: asked of the text itself, since an expression walks its 130 characters one by one."""
    value = doc.get("member")
    if value is None:
        return None
    if type(value) is not str or not 1 <= len(value) <= MEMBER_CODE_MAX:
        raise MalformedBasket("member")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise MalformedBasket("member")
    return value


def _free_text(doc: dict[str, Any], field: str) -> str | None:
    value = doc.get(field)
    if value is None:
        return None
    if type(value) is not str or not 1 <= len(value) <= TEXT_MAX:
        raise MalformedBasket(field)
    return value if value.isascii() and value.isprintable() else printable(value)


def _one_of(doc: dict[str, Any], field: str, allowed: frozenset[str]) -> str:
    value = doc.get(field)
    if type(value) is not str or value not in allowed:
        raise MalformedBasket(field)
    return value
