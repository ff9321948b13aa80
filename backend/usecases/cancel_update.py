"""An update that is over is called off: at once, and again for each till that still speaks of it before its trial."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from backend.devices import downlinks
from backend.devices.updates import store
from backend.devices.updates.messages import OFFER_EXPIRY_S, cancel_body, read_report
from backend.devices.updates.model import BEFORE_TRIAL
from backend.outbox.store import NewDownlink, put

HEARD_WITHIN = timedelta(days=1)
"""A till repeats its report with every connection, so what is older is of a till that is not there."""


def cancel(connection: Connection, city: str, rollout: str, devices: Iterable[str], now: datetime) -> None:
    """Tells tills to drop an update that they have not begun to try."""
    told = sorted(devices)
    if not told:
        return
    body = cancel_body(rollout)
    put(connection, city, [NewDownlink(downlinks.job_topic(one), body, expiry_s=OFFER_EXPIRY_S) for one in told], now)
    store.mark_asked(connection, city, rollout, told, now)


def cancel_again(connection: Connection, city: str, now: datetime) -> None:
    """A till that was away when its update was aborted, or given up, is told when it is back; once a report."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in store.astray(connection, city, since=now - HEARD_WITHIN):
        report = read_report(one.report)
        if report is not None and report.rollout == one.rollout and report.state in BEFORE_TRIAL:
            found[one.rollout].append(one.device)
    for rollout, devices in sorted(found.items()):
        cancel(connection, city, rollout, devices, now)
