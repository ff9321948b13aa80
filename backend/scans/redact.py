"""A basket that names a person by an identity number, or holds a bearer code, keeps nothing to find it by. Pure."""

import hmac
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from backend.labels.model import Reading
from backend.labels.parse import parse
from backend.scans.model import Basket
from backend.scans.slips import names_a_phone

Seal = Callable[[bytes], bytes]

_SHORTEST_CHARS = 15
"""Digits of an identity number of the first generation; bearer codes are longer."""
_ANY_CARRIER = "QRCODE"
"""Serials come out of codes, where eleven digits are no telephone number."""
_PURPOSE = b"greenpoints line that is not kept"


def seal_of(key: bytes) -> Seal:
    """The keyed hash that stands for a line's own: the numbers that people have are few enough to try them all.

    `key` may serve other purposes too; the one used here is derived from it.
    """
    derived = hmac.digest(key, _PURPOSE, "sha256")
    return lambda line_sha256: hmac.digest(derived, line_sha256, "sha256")


def redact(basket: Basket, readings: Sequence[Reading], seal: Seal) -> None:
    """Forgets the line, the serials, the cashier and the slip's number where one of them or a label is private; twice
    changes nothing.
    """
    hidden = False
    for place, (read, reading) in enumerate(zip(basket.reads, readings, strict=True)):
        if not reading.usable and is_hidden(reading):  # most are usable, and a call costs as much as the loop
            hidden = True
        if read.serial is not None and is_private(read.serial):
            basket.reads[place] = replace(read, serial=None)
            hidden = True
    if basket.cashier is not None and is_private(basket.cashier):
        basket.cashier = None
        hidden = True
    if basket.slip_no is not None and (names_a_phone(basket.slip_no) or is_private(basket.slip_no)):
        basket.slip_no = None
        hidden = True
    if hidden:
        forget_line(basket, seal)


def forget_line(basket: Basket, seal: Seal) -> None:
    """Keeps the line's keyed hash in its place."""
    basket.line = None
    basket.sealed_sha256 = seal(basket.sha256)


def is_hidden(reading: Reading) -> bool:
    """Whether what was read is not kept: it names a person, or is a secret."""
    return not reading.usable and (reading.personal or reading.secret)


def is_private(text: str) -> bool:
    """Whether a free text is a number that names a person, or a secret."""
    if len(text) < _SHORTEST_CHARS:
        return False
    reading = parse(text, _ANY_CARRIER)
    return reading.personal or reading.secret
