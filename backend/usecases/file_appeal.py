"""A resident says why a decision is wrong; from then on a clock runs."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.appeals import queries, store
from backend.appeals.model import Appeal, AppealRepeated, AppealUnknown, NothingToAppeal
from backend.kernel.ids import named_id
from backend.kernel.periods import civil_date, milliseconds, working_days_after
from backend.policies.model import Outcome
from backend.residents import people
from backend.residents.people import Home
from backend.scans import queries as scans
from backend.usecases.races import Writes

APPEALED = frozenset({Outcome.NONE.value, Outcome.HELD.value})
RETURNED = "returned"


class AskedAppeal(NamedTuple):
    """`number` is the client's own uuid, kept when it asks again; `text` at most 500 characters. `home`: `city` if left out."""

    city: str
    resident: str
    number: str
    basket: str
    line_no: int
    text: str
    home: str | None = None


class Filed(NamedTuple):
    """`new`: filed by this call; else it was there, and stands as it has become since."""

    appeal: Appeal
    new: bool


def file_appeal(database: Writes, asked: AskedAppeal, working_days: int, now: datetime) -> Filed:
    """After COMMIT. Raises AppealUnknown for what is no scan of the resident's, NothingToAppeal, AppealRepeated."""
    return database.write(lambda connection: _filed(connection, asked, working_days, now))


def _filed(connection: Connection, asked: AskedAppeal, working_days: int, now: datetime) -> Filed:
    # Nobody is absorbed by another account, or leaves, while a word of theirs is on its way into the books.
    resident = people.keep_one(connection, Home(asked.home or asked.city, asked.resident)).resident
    number = named_id("appeal", asked.city, resident, asked.number)
    before = queries.find(connection, asked.city, number)
    if before is not None:
        if (before.basket, before.line_no, before.text) != (asked.basket, asked.line_no, asked.text):
            raise AppealRepeated
        return Filed(before, new=False)
    found = scans.scan_of(connection, asked.city, resident, asked.basket, asked.line_no)
    if found is None:
        raise AppealUnknown
    decision = found.scan.decision
    if decision.outcome not in APPEALED or decision.reason == RETURNED:
        raise NothingToAppeal

    due = working_days_after(civil_date(milliseconds(now)), working_days)
    place = asked.basket, asked.line_no, decision.decision_no
    appeal = Appeal(number, resident, *place, asked.text, now, due)
    if not store.file(connection, asked.city, appeal):
        again = queries.find(connection, asked.city, number)
        if again is None or again.text != asked.text:
            raise AppealRepeated
        return Filed(again, new=False)
    return Filed(appeal, new=True)
