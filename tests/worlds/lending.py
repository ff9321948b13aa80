"""Tills that are there and are lent budgets, and the reads for which they promised something."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.kernel.periods import milliseconds
from backend.leases.model import Lease, Terms
from backend.leases.store import COLUMNS
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.retailers.store import Store
from backend.storage.transaction import Database
from backend.usecases.device_reports import read_report, save_reports
from backend.usecases.end_leases import Ended, settle_leases
from backend.usecases.enrol_device import Enrolment, enrol_device
from backend.usecases.grant_leases import Lent, grant_leases
from backend.usecases.open_store import open_store
from backend.usecases.set_lease_terms import set_lease_terms
from tests.worlds import books
from tests.worlds.city import FRIDGE, NOON, City, Till, read

STORE = "s1"
TERMS = Terms("green", "points", amount=100, awards=10, hours=8, grace_hours=72, share_bp=5_000)


def policies() -> PolicyCache:
    return PolicyCache(chart.budget)


def lend(city: City, *tills: Till, terms: Terms = TERMS, now: datetime = NOON) -> None:
    """Enters the tills, lets them be there, and sets the terms; nothing is granted yet."""
    store = Store(city.code, STORE, "示例超市", "示例超市新街口店", f"{city.code[:4]}02")
    city.database.write(lambda c: open_store(c, store, now))
    for till in tills:
        key = f"{till.number:064x}"
        enrolment = Enrolment(till.device, city.code, STORE, "k1", bytes.fromhex(key))
        city.database.write(lambda c: enrol_device(c, enrolment, now))  # noqa: B023 - called at once
        be_there(city, till, now)
    city.database.write(lambda c: set_lease_terms(c, policies(), city.code, terms, "tests", now))


def be_there(city: City, till: Till, now: datetime = NOON, *, session: int = 1) -> None:
    birth = {"v": 1, "online": True, "session": session, "boot": "b1", "stream": till.stream}
    report = read_report(till.device, "state", json.dumps(birth).encode(), milliseconds(now))
    assert report is not None
    city.database.write(lambda c: save_reports(c, city.code, [report]))


def grant(city: City, now: datetime = NOON, database: Database | None = None) -> Lent:
    return grant_leases(database or city.database, policies(), city.code, now)


def settle(city: City, now: datetime) -> Ended:
    return settle_leases(city.database, policies(), city.code, now)


def leases(city: City) -> list[Lease]:
    """In the order in which they were granted."""
    found = books.rows(city.database, f"SELECT {COLUMNS} FROM leases WHERE city = :city ORDER BY lease", city=city.code)
    return [Lease(*row) for row in found]


def told(city: City, till: Till) -> dict[str, Any]:
    """The last message that told a till of its leases."""
    ((payload,),) = books.rows(
        city.database,
        "SELECT payload FROM downlinks WHERE city = :city AND topic = :topic",
        city=city.code,
        topic=f"pos/v1/{till.device}/down/lease",
    )
    body: dict[str, Any] = json.loads(payload)
    return body


def promised(*promises: tuple[str, int], code: str = FRIDGE, **changes: object) -> Mapping[str, Any]:
    """A read for which the till promised amounts out of leases."""
    said = [{"lease": lease, "amount": amount} for lease, amount in promises]
    return read(code, promised=said, **changes)


def kept(city: City) -> list[tuple[int, str | None, int]]:
    """(amount, fault, drawn) of every promise, by till, number and line."""
    found = books.rows(
        city.database,
        "SELECT p.amount, p.fault, p.drawn FROM lease_promises p JOIN baskets b ON b.city = p.city AND b.basket = p.basket"
        " WHERE p.city = :city ORDER BY b.device, b.seq, p.line_no, p.lease",
        city=city.code,
    )
    return [tuple(row) for row in found]


def stream_of(till: Till) -> str:
    return str(UUID(till.stream))
