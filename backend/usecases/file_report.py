"""A resident reports a false label at a shop; from then on a clock runs."""

from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.cases import queries, store, terms
from backend.cases.model import Report, ReportRepeated, ReportTooMany, ReportUnknown, TextRefused
from backend.kernel.ids import named_id
from backend.kernel.periods import civil_date, milliseconds, working_days_after
from backend.residents import people
from backend.residents.people import Home
from backend.retailers import store as shops
from backend.retailers.store import StoreUnknown
from backend.scans import queries as scans
from backend.storage.transaction import Database

OPEN_MAX = 20
"""Reports of one resident that may be open at once."""


class TextCheck(Protocol):
    """WeChat's, of texts that people write."""

    def open_id(self, code: str) -> str: ...

    def is_text_acceptable(self, open_id: str, text: str) -> bool: ...


class AskedReport(NamedTuple):
    """`number` is the client's own uuid, kept when it asks again; `text` at most 500 characters, `label` 300.

    `store` or a scan of the resident's own (`basket`, `line_no`) says where. `wechat_code`: of a fresh wx.login. `home`: `city`
    if left out.
    """

    city: str
    resident: str
    number: str
    text: str
    store: str | None = None
    basket: str | None = None
    line_no: int | None = None
    label: str | None = None
    wechat_code: str | None = None
    home: str | None = None


class Filed(NamedTuple):
    """`new`: filed by this call; else it was there, and stands as it has become since."""

    report: Report
    new: bool


class FileReport:
    def __init__(self, database: Database, wechat: TextCheck | None) -> None:
        self._database = database
        self._wechat = wechat

    def file(self, asked: AskedReport, now: datetime) -> Filed:
        """After COMMIT. Where the app has WeChat and the resident came with a code, WeChat reads the text first.

        Raises ReportUnknown for a shop that is none, or a scan that is not the resident's; ReportRepeated, ReportTooMany,
        TextRefused, ResidentClosed, GuardianConsentNeeded, and what WeChat raises.
        """
        if self._wechat is not None and asked.wechat_code is not None:
            open_id = self._wechat.open_id(asked.wechat_code)
            if not self._wechat.is_text_acceptable(open_id, f"{asked.text}\n{asked.label or ''}"):
                raise TextRefused
        return self._database.write(lambda connection: _filed(connection, asked, now))


def _filed(connection: Connection, asked: AskedReport, now: datetime) -> Filed:
    # Nobody is absorbed by another account, or leaves, while a word of theirs is on its way into the books.
    person = people.keep_acting(connection, Home(asked.home or asked.city, asked.resident))
    asked = asked._replace(resident=person.resident)
    number = named_id("label report", asked.city, asked.resident, asked.number)
    before = queries.find(connection, asked.city, number)
    if before is not None:
        return _again(before, asked)
    label, shop = _found(connection, asked)
    waiting = queries.open_of(connection, asked.city, asked.resident)
    if waiting >= OPEN_MAX:
        raise ReportTooMany(open=waiting)

    clocks = terms.clocks(connection, asked.city)
    due = working_days_after(civil_date(milliseconds(now)), clocks.accept_days)
    report = Report(
        number, asked.resident, shop, asked.basket, asked.line_no, asked.label or label, asked.text, now, due
    )

    if not store.file(connection, asked.city, report):
        there = queries.find(connection, asked.city, number)
        assert there is not None
        return _again(there, asked)
    return Filed(report, new=True)


def _again(before: Report, asked: AskedReport) -> Filed:
    if (before.text, before.basket, before.line_no) != (asked.text, asked.basket, asked.line_no):
        raise ReportRepeated
    # A scan says its shop, and its label where the resident names none.
    if asked.basket is None and (before.store, before.label) != (asked.store, asked.label):
        raise ReportRepeated
    if asked.label is not None and before.label != asked.label:
        raise ReportRepeated
    return Filed(before, new=False)


def _found(connection: Connection, asked: AskedReport) -> tuple[str | None, str | None]:
    """The label and the shop that the report is about. Raises ReportUnknown."""
    if asked.basket is None or asked.line_no is None:
        try:
            return None, shops.find_store(connection, asked.city, asked.store or "").store
        except StoreUnknown:
            raise ReportUnknown from None
    found = scans.scan_of(connection, asked.city, asked.resident, asked.basket, asked.line_no)
    if found is None:
        raise ReportUnknown
    decision = found.scan.decision
    return decision.code_text or decision.label_key, found.scan.store
