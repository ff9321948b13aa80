"""One read as bytes for the outbox, checked by the wire's own rules before anything beeps."""

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.messages import Basket, ClosedBy, Read, decode_basket, encode_basket
from scanner.errors import TillRefusal
from scanner.join import KeptRead


class ReadUnusable(TillRefusal):
    code = "read_unusable"
    text_zh = "此码无法传送（{reason}），未记录。"
    text_en = "This code cannot be carried ({reason}); it was not recorded."


def keep(read: Read) -> KeptRead:
    """The read with its size on the wire. What passes here can never make a basket fail at its closing.

    Raises ReadUnusable.
    """
    try:
        return KeptRead(read, len(read_line(read)))
    except WireError as error:
        raise ReadUnusable(reason=str(error.facts.get("field", error.code))) from error
    except (UnicodeError, TypeError) as error:  # lone surrogates have no UTF-8; orjson calls that a TypeError
        raise ReadUnusable(reason="code") from error


def read_line(read: Read) -> bytes:
    """A basket of this one read: the wire's own encoder and checks."""
    return encode_basket(
        Basket(seq=1, boot="-", opened_mono=0, closed_mono=0, ts=0, closed_by=ClosedBy.INTERRUPTED, reads=(read,))
    )


def recall(line: bytes) -> KeptRead:
    return KeptRead(decode_basket(line).reads[0], len(line))
