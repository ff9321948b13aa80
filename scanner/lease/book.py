"""The counter of leases. Pure: what was told and used so far, and what may still be promised at a moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson

from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.fields import integer, objects
from firmware_bridge.wire.leases import AWARDS_MAX, VERSION_MAX, Lease, LeaseMessage, lease_fields, read_lease
from firmware_bridge.wire.messages import AMOUNT_MAX, PROMISES_MAX, UNIX_MS_MAX, Promise
from firmware_bridge.wire.strict_json import load_object

BACK_MS_MAX: Final = 60_000
"""How far a clock may go back when it is set right; further, it was turned back."""
KEPT_MS: Final = 86_400_000
"""A lease that the server names no more is remembered until a day after its end, lest it come back unused."""

Wanted = Mapping[tuple[str, str], int]
"""(policy, unit) -> amount above 0."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease with what was promised out of it. `told`: the server's last message names it."""

    lease: Lease
    used: int = 0
    promises: int = 0
    told: bool = True

    def __post_init__(self) -> None:
        assert 0 <= self.used <= self.lease.amount
        assert 0 <= self.promises <= self.lease.awards

    @property
    def left(self) -> int:
        return self.lease.amount - self.used if self.told and self.promises < self.lease.awards else 0


@dataclass(frozen=True, slots=True)
class Book:
    """`version`: of the last message; `latest_ms`: the latest moment (Unix ms) that this till has seen."""

    version: int = 0
    latest_ms: int = 0
    held: tuple[Held, ...] = ()


EMPTY: Final = Book()


def hear(book: Book, message: LeaseMessage, stream: str, now_ms: int | None) -> Book:
    """What the server says now takes the place of what it said; of a lease that is known, what was used stays used.

    An older message changes nothing. A lease for another outbox is none of ours: its counter was lost with that.
    """
    if message.version <= book.version:
        return book
    known = {one.lease.lease: one for one in book.held}
    told = {lease.lease: lease for lease in message.leases if lease.stream == stream}
    held = [_retold(known.get(name), lease) for name, lease in told.items()]
    gone = [replace(one, told=False) for name, one in known.items() if name not in told]
    latest_ms = max(book.latest_ms, now_ms or 0)
    kept = (one for one in (*held, *gone) if one.told or one.lease.until + KEPT_MS > latest_ms)
    return Book(message.version, latest_ms, tuple(sorted(kept, key=lambda one: (one.lease.until, one.lease.lease))))


def see(book: Book, now_ms: int) -> Book:
    """The moment is past: no clock will make this till believe an earlier one."""
    return replace(book, latest_ms=max(book.latest_ms, now_ms))


def usable(book: Book, now_ms: int) -> list[Held]:
    """Leases that something may be promised out of, those that end first in front."""
    if now_ms < book.latest_ms - BACK_MS_MAX:
        return []
    return [one for one in book.held if one.left > 0 and one.lease.begin <= now_ms < one.lease.until]


def promise(book: Book, wanted: Wanted, now_ms: int) -> tuple[Book, tuple[Promise, ...], Mapping[str, int]]:
    """All of `wanted`, or nothing of a unit of which leases do not hold enough: half a promise is none. Also what it comes to
    by unit.
    """
    for unit in sorted({unit for _, unit in wanted}):
        parts = {policy: amount for (policy, of), amount in wanted.items() if of == unit}
        if any(_left(book, policy, unit, now_ms) < amount for policy, amount in parts.items()):
            wanted = {key: amount for key, amount in wanted.items() if key[1] != unit}
    promises = [one for key, amount in sorted(wanted.items()) for one in _taken(book, key, amount, now_ms)]
    if not promises or len(promises) > PROMISES_MAX:
        return book, (), {}
    taken = {one.lease: one.amount for one in promises}
    held = tuple(_used(one, taken.get(one.lease.lease, 0)) for one in book.held)
    amounts: dict[str, int] = {}
    for (_, unit), amount in sorted(wanted.items()):
        amounts[unit] = amounts.get(unit, 0) + amount
    return see(replace(book, held=held), now_ms), tuple(promises), amounts


def write_book(book: Book) -> str:
    held = [
        {**lease_fields(one.lease), "used": one.used, "promises": one.promises, "told": one.told} for one in book.held
    ]
    return orjson.dumps({"version": book.version, "latest": book.latest_ms, "held": held}).decode()


def read_book(text: str) -> Book:
    """The empty book for nothing, and for what a later release wrote: then nothing is promised until the server speaks."""
    if not text:
        return EMPTY
    try:
        fields = load_object(text.encode())
        held = tuple(
            Held(
                read_lease(one),
                integer(one, "used", 0, AMOUNT_MAX),
                integer(one, "promises", 0, AWARDS_MAX),
                one.get("told") is True,
            )
            for one in objects(fields, "held")
        )
        return Book(integer(fields, "version", 0, VERSION_MAX), integer(fields, "latest", 0, UNIX_MS_MAX), held)
    except (WireError, AssertionError):
        return EMPTY


def _retold(known: Held | None, lease: Lease) -> Held:
    """A lease never grows, whoever says so: what was used of it must stay within."""
    if known is None:
        return Held(lease)
    amount, awards = min(lease.amount, known.lease.amount), min(lease.awards, known.lease.awards)
    same = replace(lease, amount=max(amount, known.used), awards=max(awards, known.promises))
    return Held(same, known.used, known.promises)


def _left(book: Book, policy: str, unit: str, now_ms: int) -> int:
    return sum(one.left for one in _of(usable(book, now_ms), policy, unit))


def _taken(book: Book, key: tuple[str, str], amount: int, now_ms: int) -> Iterable[Promise]:
    for one in _of(usable(book, now_ms), *key):
        part = min(amount, one.left)
        if part:
            amount -= part
            yield Promise(one.lease.lease, part)


def _of(held: Iterable[Held], policy: str, unit: str) -> Iterable[Held]:
    return (one for one in held if (one.lease.policy, one.lease.unit) == (policy, unit))


def _used(one: Held, amount: int) -> Held:
    return replace(one, used=one.used + amount, promises=one.promises + 1) if amount else one
