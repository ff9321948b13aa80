"""What devices say of themselves: kept as the latest of each kind; it informs people and never counts for anything."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.devices import store
from backend.devices.store import Report
from backend.kernel.strict_json import NotStrictJson, load_object

REPORT_BYTES_MAX = 16_384


def read_report(device: str, kind: str, payload: bytes, received_at_ms: int) -> Report | None:
    """The report in `payload`, one JSON object of at most 16 KiB; None when it is anything else."""
    if len(payload) > REPORT_BYTES_MAX:
        return None
    try:
        load_object(payload)
    except NotStrictJson:
        return None
    return Report(device, kind, payload.decode(), received_at_ms)


def save_reports(connection: Connection, city: str, reports: Sequence[Report]) -> None:
    """Keeps the latest. A death is no news when a later session of the device was born (its will came late)."""
    dying = [report for report in reports if report.kind == "state" and _session(report.report)[1]]
    if dying:
        born = store.states(connection, city, {report.device for report in dying})
        late = {id(r) for r in dying if r.device in born and _session(r.report)[0] < _session(born[r.device])[0]}
        reports = [report for report in reports if id(report) not in late]
    if reports:
        store.save_reports(connection, city, reports)


def _session(report: str) -> tuple[int, bool]:
    """The number of the session and whether the report says that it ended."""
    fields = load_object(report.encode())
    number = fields.get("session")
    return number if type(number) is int else 0, fields.get("online") is False
