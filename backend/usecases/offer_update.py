"""A release is offered to a city's tills, in growing shares; an operator may pause, resume and abort that."""

import re
from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices.updates import store
from backend.devices.updates.advance import Turn, turned
from backend.devices.updates.model import Rollout, RolloutState
from backend.kernel.errors import DomainError
from backend.usecases.cancel_update import cancel

TARGET = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+-]{0,119}")
RELEASE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")
HARDWARE = re.compile(r"[a-z0-9_.-]{1,32}")
HARDWARE_MAX = 16
_ACTS = {Turn.PAUSE: What.ROLLOUT_PAUSED, Turn.RESUME: What.ROLLOUT_RESUMED, Turn.ABORT: What.ROLLOUT_ABORTED}


class RolloutUnderWay(DomainError):
    code = "rollout-under-way"
    text_zh = "城市 {city} 已有更新批次 {rollout} 在进行，请待其结束或先中止。"
    text_en = "The rollout {rollout} is under way in {city}; let it end, or abort it first."


class RolloutUnknown(DomainError):
    code = "rollout-unknown"
    text_zh = "城市 {city} 没有编号为 {rollout} 的更新批次。"
    text_en = "There is no rollout {rollout} in {city}."


class ReleaseRefused(DomainError):
    code = "release-refused"
    text_zh = "更新包说明有误（{field}）。"
    text_en = "The release is not stated well ({field})."


def check_release(target: str, version: str, hardware: tuple[str, ...], min_version: str) -> None:
    """Raises ReleaseRefused: what tills would refuse is not offered."""
    if not TARGET.fullmatch(target):
        raise ReleaseRefused(field="target")
    for field, value in (("version", version), ("min_version", min_version)):
        if not RELEASE.fullmatch(value):
            raise ReleaseRefused(field=field)
    if not 1 <= len(hardware) <= HARDWARE_MAX or not all(HARDWARE.fullmatch(name) for name in hardware):
        raise ReleaseRefused(field="hardware")


def offer_update(connection: Connection, city: str, rollout: Rollout) -> None:
    """Raises ReleaseRefused, RolloutUnderWay."""
    check_release(*rollout.release)
    if not store.insert_rollout(connection, city, rollout):
        other = store.under_way(connection, city)
        raise RolloutUnderWay(city=city, rollout="?" if other is None else other.rollout)
    told = {**rollout.release._asdict(), "by": rollout.by}
    record(connection, Act(What.ROLLOUT_OFFERED, city, "rollout", rollout.rollout, rollout.created_at, after=told))


def turn_rollout(connection: Connection, city: str, which: str, turn: Turn, reason: str, now: datetime) -> Rollout:
    """Raises RolloutUnknown, RolloutNotAtThatPoint.

    Aborted, it is offered to nobody any more, and tills that have not begun to try it drop it; a trial is ended by its own
    outcome. A pause offers nothing and widens nothing; what was offered goes on. Resumed, the soak of its stage begins anew.
    """
    rollout = store.find_rollout(connection, city, which)
    if rollout is None:
        raise RolloutUnknown(city=city, rollout=which)
    stage_at = now if turn is Turn.RESUME else rollout.stage_at
    then = rollout._replace(state=turned(rollout, turn), reason=reason, stage_at=stage_at)
    store.save_rollout(connection, city, then)
    if then.state is RolloutState.ABORTED:
        cancel(connection, city, which, (one.device for one in store.open_devices(connection, city, which)), now)
    earlier, told = {"state": rollout.state.value}, {"state": then.state.value, "stage": then.stage}
    record(connection, Act(_ACTS[turn], city, "rollout", which, now, reason, before=earlier, after=told))
    return then
