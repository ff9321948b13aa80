"""Officials publish what points are good for: each entry of a file as a new version, each with who, when and why."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit import model as audit
from backend.audit.acts import What
from backend.audit.store import record
from backend.kernel.errors import DomainError
from backend.redemptions import catalogue
from backend.redemptions.catalogue import Act
from backend.redemptions.document import Written, hash_of
from backend.redemptions.model import Entry, EntryUnknown, Offer
from backend.retailers import store as shops
from backend.usecases.races import LostRace, Writes, won


class StockBelowTaken(DomainError):
    code = "stock-below-taken"
    text_zh = "{entry} 已兑出或占用 {taken} 份，总库存不能少于此数。"
    text_en = "{taken} pieces of {entry} are taken: its stock, of all ever offered, cannot be less."


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class PublishedEntry(NamedTuple):
    """`version` is the one in force now."""

    entry: str
    version: int
    change: Change


class Said(NamedTuple):
    """Who publishes or withdraws, and why."""

    by: str
    reason: str


def publish_catalogue(
    database: Writes, city: str, written: Sequence[Written], said: Said, now: datetime, *, dry_run: bool = False
) -> list[PublishedEntry]:
    """All entries or none; what is not named stays as it is, and an entry that is the same too. After COMMIT.

    Raises StoreUnknown, StockBelowTaken. `dry_run`: what would change, and nothing is stored.
    """

    def work(connection: Connection) -> list[PublishedEntry]:
        for number in sorted({store for one in written for store in one.entry.stores}):
            shops.find_store(connection, city, number)
        published = [
            _published(connection, city, one, Act(said.by, said.reason, one.sha256), now)
            for one in sorted(written, key=lambda one: one.entry.entry)
        ]
        if dry_run:
            raise _Rehearsed(published)
        return published

    try:
        return won(database, lambda connection, _careful: work(connection))
    except _Rehearsed as rehearsed:
        return rehearsed.published


def withdraw_entry(connection: Connection, city: str, entry: str, said: Said, now: datetime) -> int:
    """The version that says so, or said so before; what is held or was issued stands. Raises EntryUnknown."""
    offered = catalogue.locked_offer(connection, city, entry)
    if offered is None:
        raise EntryUnknown
    if offered.withdrawn:
        return offered.version
    act = Act(said.by, said.reason, hash_of(offered.entry))
    _move(connection, city, offered, offered.entry, act, now, withdrawn=True)
    return offered.version + 1


class _Rehearsed(Exception):
    """Undoes what a dry run has done."""

    def __init__(self, published: list[PublishedEntry]) -> None:
        super().__init__()
        self.published = published


def _published(connection: Connection, city: str, one: Written, act: Act, now: datetime) -> PublishedEntry:
    offered = catalogue.locked_offer(connection, city, one.entry.entry)
    if offered is None:
        if not catalogue.enter(connection, city, one.entry, act, now):
            raise LostRace
        _record(connection, city, What.CATALOGUE_PUBLISHED, one.entry, act, 1, now)
        return PublishedEntry(one.entry.entry, 1, Change.NEW)
    if offered.entry == one.entry and not offered.withdrawn:
        return PublishedEntry(one.entry.entry, offered.version, Change.UNCHANGED)
    _move(connection, city, offered, one.entry, act, now)
    return PublishedEntry(one.entry.entry, offered.version + 1, Change.CHANGED)


def _move(
    connection: Connection, city: str, offered: Offer, entry: Entry, act: Act, now: datetime, *, withdrawn: bool = False
) -> None:
    if not catalogue.move(connection, city, entry, offered.version + 1, act, now, withdrawn=withdrawn):
        raise StockBelowTaken(entry=entry.entry, taken=offered.taken)
    what = What.CATALOGUE_WITHDRAWN if withdrawn else What.CATALOGUE_PUBLISHED
    _record(connection, city, what, entry, act, offered.version + 1, now)


def _record(connection: Connection, city: str, what: What, entry: Entry, act: Act, version: int, now: datetime) -> None:
    """The entry itself stands in its versions, named by its hash."""
    earlier = {"version": version - 1} if version > 1 else None
    told = {"version": version, "sha256": act.sha256.hex(), "by": act.by}
    done = audit.Act(what, city, "catalogue-entry", entry.entry, now, act.reason, before=earlier, after=told)
    record(connection, done)
