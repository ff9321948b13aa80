"""What devices say of themselves: kept as the latest of each kind; it informs people and never counts for anything."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.devices import store
from backend.devices.enrolment.clones import birth_in, come_back
from backend.devices.enrolment.queries import boots_since
from backend.devices.enrolment.store import Alarm, raise_alarm, save_boots
from backend.devices.health.read import read_state
from backend.devices.health.store import NewPresence, save_presence
from backend.devices.store import Report
from backend.kernel.periods import instant
from backend.kernel.strict_json import NotStrictJson, load_object

REPORT_BYTES_MAX = 16_384


def read_report(device: str, kind: str, payload: bytes, received_at_ms: int) -> Report | NewPresence | None:
    """The report in `payload`, one JSON object of at most 16 KiB; None when it is anything else."""
    if len(payload) > REPORT_BYTES_MAX:
        return None
    try:
        load_object(payload)
    except NotStrictJson:
        return None
    if kind != "state":
        return Report(device, kind, payload.decode(), received_at_ms)
    state = read_state(payload)
    return None if state is None else NewPresence(device, state, payload.decode(), received_at_ms)


def save_reports(connection: Connection, city: str, reports: Sequence[Report | NewPresence]) -> None:
    """The latest of each kind, and of births and deaths the greatest session: a will that comes late is no news."""
    said = [report for report in reports if isinstance(report, Report)]
    states = [report for report in reports if isinstance(report, NewPresence)]
    if said:
        store.save_reports(connection, city, said)
    if states:
        _look_for_clones(connection, city, states)
        save_presence(connection, city, states)


def _look_for_clones(connection: Connection, city: str, states: Sequence[NewPresence]) -> None:
    news = [birth for one in states if (birth := birth_in(one.device, one.report)) is not None]
    if not news:
        return
    known = boots_since(connection, city, news)
    save_boots(connection, city, news)
    received = instant(max(one.received_at_ms for one in states))
    for device, stream in sorted(come_back(known, news)):
        raise_alarm(connection, city, device, Alarm.STREAM_IN_TWO_PLACES, stream, received)
