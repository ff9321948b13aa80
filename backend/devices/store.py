from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from backend.storage.columns import numbers, words
from backend.storage.transaction import hot

SAVE_REPORTS = """
INSERT INTO device_reports (city, device, kind, report, received_at)
SELECT %(city)s, t.device, t.kind, t.report, to_timestamp(t.received_at / 1000.0)
FROM unnest(%(devices)s::text[], %(kinds)s::text[], %(reports)s::text[], %(received)s::bigint[])
     t(device, kind, report, received_at)
ON CONFLICT (city, device, kind) DO UPDATE SET report = excluded.report, received_at = excluded.received_at
WHERE device_reports.received_at <= excluded.received_at"""


class Report(NamedTuple):
    """What a device says of itself, as JSON text; `received_at_ms` in Unix milliseconds."""

    device: str
    kind: str
    report: str
    received_at_ms: int


def save_reports(connection: Connection, city: str, reports: Sequence[Report]) -> None:
    """Keeps the latest report of each device and kind; one that was received before what is kept changes nothing."""
    latest: dict[tuple[str, str], Report] = {}
    for report in reports:
        key = (report.device, report.kind)
        if key not in latest or latest[key].received_at_ms <= report.received_at_ms:
            latest[key] = report
    rows = [latest[key] for key in sorted(latest)]
    hot(
        connection,
        SAVE_REPORTS,
        {
            "city": city,
            "devices": words([row.device for row in rows]),
            "kinds": words([row.kind for row in rows]),
            "reports": words([row.report for row in rows]),
            "received": numbers([row.received_at_ms for row in rows]),
        },
    )
