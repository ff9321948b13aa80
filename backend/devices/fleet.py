"""Every till as it stands at a moment: where it belongs, whether it is there, how it fares, by which settings it runs."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.devices import queries
from backend.devices.health.model import Health, Presence, Standing
from backend.devices.health.read import health_of, presence_of
from backend.devices.health.standing import standing
from backend.devices.twin.compare import agreement
from backend.devices.twin.message import read_reported
from backend.devices.twin.model import Agreement, Desired, Reported
from backend.storage.columns import words
from backend.storage.transaction import hot

PAGE = 1_000

# One statement a page, whatever the fleet: all joins are by key.
PAGE_OF_CITY = """
SELECT d.device, d.store, d.district, d.state, d.enrolled_at, d.revoked_at,
       p.session, p.online, p.report, p.since, h.report, h.received_at, r.report, r.received_at,
       w.version, w.document, encode(w.sha256, 'hex'), w.set_by, w.set_at
FROM device_directory d
LEFT JOIN device_presence p ON p.city = %(city)s AND p.device = d.device
LEFT JOIN device_reports h ON h.city = %(city)s AND h.device = d.device AND h.kind = 'health'
LEFT JOIN device_reports r ON r.city = %(city)s AND r.device = d.device AND r.kind = 'twin'
LEFT JOIN LATERAL (
  SELECT v.version, v.document, v.sha256, v.set_by, v.set_at FROM twin_versions v
  WHERE v.city = %(city)s AND v.device = d.device ORDER BY v.version DESC LIMIT 1) w ON true
WHERE d.city = %(city)s AND d.device > %(after)s AND (%(only)s::text IS NULL OR d.device = %(only)s)
  AND (%(district)s::text IS NULL OR d.district = %(district)s)
  AND (%(stores)s::text[] IS NULL OR d.store = ANY(%(stores)s::text[]))
  AND (NOT %(gone)s OR (d.state = 'active' AND p.session IS NOT NULL
       AND (NOT p.online OR h.received_at IS NULL OR h.received_at <= %(since)s)))
ORDER BY d.device LIMIT %(limit)s"""


HEARD_WITHIN = timedelta(hours=3)
"""A till tells of its health once an hour at the least."""

ABSENT = """
SELECT count(*) FILTER (WHERE p.session IS NOT NULL AND (NOT p.online OR h.heard IS NULL)),
       count(*) FILTER (WHERE p.session IS NULL), count(*)
FROM device_directory d
LEFT JOIN device_presence p ON p.city = %(city)s AND p.device = d.device
LEFT JOIN LATERAL (
  SELECT r.received_at AS heard FROM device_reports r
  WHERE r.city = %(city)s AND r.device = d.device AND r.kind = 'health' AND r.received_at > %(since)s) h ON true
WHERE d.city = %(city)s AND d.state = 'active' AND (%(stores)s::text[] IS NULL OR d.store = ANY(%(stores)s::text[]))"""


class FleetRow(NamedTuple):
    device: str
    city: str
    store: str
    district: str
    state: str
    enrolled_at: datetime
    revoked_at: datetime | None
    standing: Standing
    presence: Presence | None
    health: Health | None
    twin: Agreement
    desired: Desired | None
    reported: Reported | None
    reported_at: datetime | None


def fleet(connection: Connection, city: str, now: datetime) -> Iterator[FleetRow]:
    """Every device of `city` that was ever enrolled, by id."""
    after: str | None = ""
    while after is not None:
        found = page(connection, city, now, after=after)
        yield from found
        after = found[-1].device if len(found) == PAGE else None


def find(connection: Connection, device: str, now: datetime) -> FleetRow | None:
    """`device`, wherever it is enrolled."""
    known = queries.directory(connection, [device], now).get(device)
    return None if known is None else next(iter(page(connection, known.city, now, only=device)), None)


def page(
    connection: Connection,
    city: str,
    now: datetime,
    *,
    after: str = "",
    limit: int = PAGE,
    only: str | None = None,
    district: str | None = None,
    gone: bool = False,
    stores: Collection[str] | None = None,
) -> list[FleetRow]:
    """Devices by id, those behind `after`. `gone`: of those in use only the ones that `absent` counts as gone.
    `stores`: of these shops alone.
    """
    of = {"only": only, "district": district, "gone": gone, "since": now - HEARD_WITHIN, "stores": _of(stores)}
    bound = {"city": city, "after": after, "limit": limit, **of}
    return [_row(city, tuple(found), now) for found in hot(connection, PAGE_OF_CITY, bound)]


def _row(city: str, found: tuple[Any, ...], now: datetime) -> FleetRow:
    device, store, district, state, enrolled_at, revoked_at = found[:6]
    session, online, birth, since, health_report, heard_at, twin_report, reported_at = found[6:14]
    presence = None if session is None else presence_of(birth, session=session, online=online, since=since)
    health = None if health_report is None else health_of(health_report, heard_at)
    desired = None if found[14] is None else Desired(*found[14:])
    reported = None if twin_report is None else read_reported(twin_report)
    return FleetRow(
        device,
        city,
        store,
        district,
        state,
        enrolled_at,
        revoked_at,
        standing(presence, health, now),
        presence,
        health,
        agreement(desired, reported),
        desired,
        reported,
        reported_at,
    )


class Absent(NamedTuple):
    """Of the tills that are not revoked: how many went offline or are not heard, how many never spoke, and of how many."""

    gone: int
    never: int
    tills: int


def absent(connection: Connection, city: str, now: datetime, stores: Collection[str] | None = None) -> Absent:
    """Heard within `HEARD_WITHIN` counts as there: the fleet's own page tells to the minute. `stores`: of these alone."""
    given = {"city": city, "since": now - HEARD_WITHIN, "stores": _of(stores)}
    found = hot(connection, ABSENT, given).fetchone()
    assert found is not None
    return Absent(*found)


def _of(stores: Collection[str] | None) -> str | None:
    return None if stores is None else words(sorted(stores))
