"""A city's rollout moves on: reports are read, the silent are counted, more tills are offered, or it ends."""

from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import downlinks
from backend.devices.updates import queries, store
from backend.devices.updates.advance import Step, advance, after, reported
from backend.devices.updates.messages import OFFER_EXPIRY_S, UNCONFIRMED, Report, offer_body, read_report
from backend.devices.updates.model import DeviceState, Rollout, RolloutState, in_cohort
from backend.devices.updates.store import Moved, OpenDevice
from backend.outbox.store import NewDownlink, put
from backend.usecases.cancel_update import cancel, cancel_again

REPEAT_AFTER = timedelta(seconds=OFFER_EXPIRY_S)
CONFIRM_AFTER = timedelta(minutes=5)
"""A till that still asks whether its offer stands has perhaps not heard the answer."""

log = structlog.get_logger()


class MovedOn(NamedTuple):
    """What a pass did: tills whose state changed, tills that were offered the release, rollouts that ended."""

    devices: int = 0
    offered: int = 0
    ended: int = 0

    def plus(self, other: "MovedOn") -> "MovedOn":
        return MovedOn(*(one + more for one, more in zip(self, other, strict=True)))


def move_rollout(connection: Connection, city: str, now: datetime) -> MovedOn:
    """One step of the rollout that is under way in `city`, whose row is locked first: two workers take turns."""
    rollout = store.under_way(connection, city)
    cancel_again(connection, city, now)
    if rollout is None:
        return MovedOn()
    waiting = store.open_devices(connection, city, rollout.rollout)
    moved = {one.device: change for one in waiting if (change := _moved(one, rollout, now)) is not None}
    if moved:
        store.save_devices(connection, city, rollout.rollout, moved, now)
    fleet = queries.fleet(connection, city)
    unasked = set(fleet) - queries.offered(connection, city, rollout.rollout)
    tally = queries.tally(connection, city, rollout.rollout, len(fleet))
    # Whoever joined the stage since belongs to it, so it is not through.
    tally = tally._replace(under_way=tally.under_way + len(_of_stage(rollout, unasked)))

    step = advance(rollout, tally, now)
    further = after(step, rollout, now)

    if step is not Step.WAIT:
        store.save_rollout(connection, city, further)
        log.info("rollout", city=city, rollout=rollout.rollout, step=step.name.lower(), **tally._asdict())
    if further.state is RolloutState.ABORTED:
        earlier, told = {"state": rollout.state.value}, {"state": further.state.value, "stage": further.stage}
        why = further.reason
        record(
            connection,
            Act(What.ROLLOUT_ABORTED, city, "rollout", rollout.rollout, now, why, before=earlier, after=told),
        )
        cancel(connection, city, rollout.rollout, (one.device for one in waiting), now)
    ended = further.state in (RolloutState.ABORTED, RolloutState.DONE)
    offered = 0
    if not ended:
        again = [one.device for one in waiting if _is_told_again(one, further, moved.get(one.device), now)]
        offered = _offer(connection, city, further, _of_stage(further, unasked), again, now)
    return MovedOn(len(moved), offered, int(ended))


def _moved(one: OpenDevice, rollout: Rollout, now: datetime) -> Moved | None:
    report = _report_of(one, rollout)
    if report is not None:
        # On trial it runs the release, too, and has proved nothing yet.
        proved = report.state not in (DeviceState.TRIAL, DeviceState.ROLLED_BACK)
        runs_it = proved and report.version == rollout.release.version
        state = reported(one.state, report.state, report.reason, runs_it=runs_it)
        if state is not one.state:
            return Moved(state, None if state is DeviceState.COMMITTED else report.reason)
    if now >= one.offered_at + rollout.patience:
        return Moved(DeviceState.TIMED_OUT, f"silent_since_{one.state.value}")
    return None


def _report_of(one: OpenDevice, rollout: Rollout) -> Report | None:
    """Its latest report, where that is of this rollout."""
    report = None if one.report is None else read_report(one.report)
    return report if report is not None and report.rollout == rollout.rollout else None


def _is_told_again(one: OpenDevice, rollout: Rollout, moved: Moved | None, now: datetime) -> bool:
    """The offer, to a till that has not begun, and to one that begins its trial only once it hears that it still stands: a
    pause holds the former alone.
    """
    state = one.state if moved is None else moved.state
    if state is DeviceState.OFFERED:
        return rollout.state is RolloutState.ROLLING and now >= one.asked_at + REPEAT_AFTER
    report = _report_of(one, rollout)
    if state is not DeviceState.STAGED or report is None or report.reason != UNCONFIRMED:
        return False
    news = one.reported_at is not None and one.reported_at > one.asked_at
    return news or now >= one.asked_at + CONFIRM_AFTER


def _of_stage(rollout: Rollout, unasked: set[str]) -> list[str]:
    if rollout.state is not RolloutState.ROLLING:
        return []
    return sorted(one for one in unasked if in_cohort(one, rollout.rollout, rollout.percent))


def _offer(connection: Connection, city: str, rollout: Rollout, new: list[str], again: list[str], now: datetime) -> int:
    """Offers the release to the `new`, and `again` to others; how many are new."""
    if new:
        store.insert_devices(connection, city, rollout, new, now)
    if again:
        store.mark_asked(connection, city, rollout.rollout, again, now)
    body = offer_body(rollout.rollout, rollout.release)
    messages = [NewDownlink(downlinks.job_topic(device), body, expiry_s=OFFER_EXPIRY_S) for device in [*new, *again]]
    if messages:
        put(connection, city, messages, now)
    return len(new)
