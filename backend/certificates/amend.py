"""Changes made by hand, each with a reason: the state of one certificate, and the recognition of one scheme by another."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import KEY_MAX, Act
from backend.audit.store import record
from backend.certificates import store
from backend.certificates.cells import FIRST_DAY, LAST_DAY
from backend.certificates.history import History
from backend.certificates.model import CertificateState
from backend.certificates.queries import scheme_ceilings
from backend.certificates.recording import record_recognition, record_states
from backend.certificates.timeline import FOREVER_DAY, Segment, day_number, fact_on
from backend.kernel.errors import DomainError
from backend.kernel.ids import NO_CITY, new_id
from backend.storage.transaction import Database

REASON_CHARS_MAX = 500
DOCUMENT_CHARS_MAX = 200
_REGION = re.compile(r"[0-9]{6}")


class CertificateUnknown(DomainError):
    code = "certificate-unknown"
    text_zh = "没有登记编号为 {number} 的证书。"
    text_en = "No certificate {number} is registered."


class CertificateAmbiguous(DomainError):
    code = "certificate-ambiguous"
    text_zh = "编号 {number} 有多家机构的证书，请指明机构：{bodies}。"
    text_en = "Several bodies gave the number {number}: name one of {bodies}."


class SchemeUnknown(DomainError):
    code = "scheme-unknown"
    text_zh = "认证项目 {scheme} 不在登记的名录中。"
    text_en = "The scheme {scheme} is not registered."


class AmendmentIncomplete(DomainError):
    code = "amendment-incomplete"
    text_zh = "登记内容不完整：{detail_zh}"
    text_en = "The amendment is incomplete: {detail_en}"


@dataclass(frozen=True, slots=True)
class StateChange:
    """What is to be recorded. Open-ended: it replaces whatever was known of the time from `from_on` on."""

    number: str
    body: str | None
    state: CertificateState
    from_on: date
    reason: str
    by: str
    now: datetime


@dataclass(frozen=True, slots=True)
class NewRecognition:
    """Replaces an earlier one with the same schemes, region and first day; `until_on` is the first day without it."""

    from_scheme: str
    to_scheme: str
    region: str
    from_on: date
    until_on: date | None
    document: str
    by: str
    now: datetime


@dataclass(frozen=True, slots=True)
class StateReceipt:
    history: History
    changed: bool
    """False when the registry already says so from that day on."""
    row: str | None
    version: int


def change_state(database: Database, change: StateChange, *, dry_run: bool = False) -> StateReceipt:
    """Raises CertificateUnknown, CertificateAmbiguous, AmendmentIncomplete."""
    if not 1 <= len(change.reason) <= REASON_CHARS_MAX:
        raise AmendmentIncomplete(
            detail_zh="须写明理由，最多 500 字。", detail_en="give a reason of at most 500 characters."
        )
    if not FIRST_DAY <= change.from_on <= LAST_DAY:  # a slip of the pen: no fact of the registry is ever taken back
        raise AmendmentIncomplete(
            detail_zh="日期应在 1990 年至 2100 年之间。", detail_en="the day lies between 1990 and 2100."
        )
    if dry_run:
        with database.read() as connection:
            return _planned(connection, change)[0]
    return database.write(lambda connection: _record(connection, change))


def recognise(database: Database, recognition: NewRecognition) -> int:
    """The registry version in which it was recorded. Raises SchemeUnknown, AmendmentIncomplete."""
    if not _REGION.fullmatch(recognition.region):
        raise AmendmentIncomplete(
            detail_zh="地区须为六位行政区划代码。", detail_en="a region is six digits (GB/T 2260)."
        )
    if not 1 <= len(recognition.document) <= DOCUMENT_CHARS_MAX:
        raise AmendmentIncomplete(
            detail_zh="须写明依据文件，最多 200 字。", detail_en="name a document in 200 characters."
        )
    if recognition.from_scheme == recognition.to_scheme:
        raise AmendmentIncomplete(detail_zh="两个认证项目相同。", detail_en="both schemes are the same.")
    if recognition.until_on is not None and recognition.until_on <= recognition.from_on:
        raise AmendmentIncomplete(detail_zh="截止日期早于开始日期。", detail_en="the last day is before the first day.")
    return database.write(lambda connection: _recognise(connection, recognition))


def _recognise(connection: Connection, recognition: NewRecognition) -> int:
    locked = store.lock_version(connection)
    known = scheme_ceilings(connection)
    for scheme in (recognition.from_scheme, recognition.to_scheme):
        if scheme not in known:
            raise SchemeUnknown(scheme=scheme)
    version = store.record_change(
        connection, locked, cause="recognition", now=recognition.now, by=recognition.by, reason=recognition.document
    )
    row = {
        "id": new_id(),
        "from_scheme": recognition.from_scheme,
        "to_scheme": recognition.to_scheme,
        "region": recognition.region,
        "from_on": recognition.from_on,
        "until_on": recognition.until_on,
        "document": recognition.document,
    }
    record_recognition(connection, row, version)
    told = {**row, "version": version, "by": recognition.by}
    key = f"{recognition.from_scheme}:{recognition.to_scheme}"
    act = Act(What.RECOGNITION_SET, NO_CITY, "recognition", key, recognition.now, recognition.document, after=told)
    record(connection, act)
    return version


def _record(connection: Connection, change: StateChange) -> StateReceipt:
    locked = store.lock_version(connection)
    receipt, segment = _planned(connection, change)
    if segment is None:
        return receipt
    version = store.record_change(connection, locked, cause="state", now=change.now, by=change.by, reason=change.reason)
    record_states(connection, [(receipt.history.id, segment)], version, reason=change.reason)
    told = {"state": str(change.state), "from_on": change.from_on.isoformat(), "version": version, "by": change.by}
    key = f"{receipt.history.number}:{receipt.history.body}"[:KEY_MAX]
    act = Act(What.CERTIFICATE_STATUS_SET, NO_CITY, "certificate", key, change.now, change.reason, after=told)
    record(connection, act)
    return StateReceipt(receipt.history, changed=True, row=segment.row, version=version)


def _planned(connection: Connection, change: StateChange) -> tuple[StateReceipt, Segment[str] | None]:
    history = _the_certificate(connection, change)
    version = store.current_version(connection).version
    from_day = day_number(change.from_on)
    known = [segment for segment in history.known_states() if segment.until_day > from_day]
    if known and all(segment.fact == change.state for segment in known) and fact_on(known, from_day):
        return StateReceipt(history, changed=False, row=known[0].row, version=version), None
    segment = Segment(new_id(), from_day, FOREVER_DAY, str(change.state))
    return StateReceipt(history, changed=True, row=segment.row, version=version), segment


def _the_certificate(connection: Connection, change: StateChange) -> History:
    found = store.load_certificate(connection, change.number)
    chosen = [history for history in found if change.body in (None, history.body)]
    if not chosen:
        raise CertificateUnknown(number=change.number)
    if len(chosen) > 1:
        raise CertificateAmbiguous(number=change.number, bodies="、".join(history.body for history in chosen))
    return chosen[0]
