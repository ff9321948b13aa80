"""Updates of tills: a release is offered to growing shares of the fleet, watched while it goes, paused and ended."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection

from backend.devices.updates import queries
from backend.devices.updates.advance import Turn
from backend.devices.updates.model import STAGES_PERCENT, UNDER_WAY, DeviceState, Release, Rollout, RolloutState
from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.officials.model import Role
from backend.usecases.offer_update import ReleaseRefused, RolloutUnknown, offer_update, turn_rollout
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import EVERYONE, Texts, Topic, has_role, page
from backend.web.context import now
from backend.web.problems import PROBLEMS

WRITES = frozenset({Role.FLEET})
TYPED_MAX = 200
SHOWN_MAX = 200
SOAK_H, PATIENCE_H = 24, 72
HOURS_MAX = 24 * 90
STATES: dict[RolloutState, Texts] = {
    RolloutState.CREATED: ("待开始", "About to begin"),
    RolloutState.ROLLING: ("进行中", "Rolling out"),
    RolloutState.PAUSED: ("已暂停", "Paused"),
    RolloutState.DONE: ("已完成", "Done"),
    RolloutState.ABORTED: ("已中止", "Aborted"),
}
KINDS = {
    RolloutState.CREATED: "plain",
    RolloutState.ROLLING: "good",
    RolloutState.PAUSED: "waits",
    RolloutState.DONE: "good",
    RolloutState.ABORTED: "bad",
}
DEVICES: dict[DeviceState, Texts] = {
    DeviceState.OFFERED: ("已通知", "Offered"),
    DeviceState.DOWNLOADING: ("下载中", "Downloading"),
    DeviceState.VERIFIED: ("已验证", "Verified"),
    DeviceState.STAGED: ("待启用", "Staged"),
    DeviceState.TRIAL: ("试运行", "On trial"),
    DeviceState.COMMITTED: ("已更新", "Updated"),
    DeviceState.ROLLED_BACK: ("已退回", "Rolled back"),
    DeviceState.FAILED: ("未完成", "Failed"),
    DeviceState.TIMED_OUT: ("逾期无应答", "No answer in time"),
    DeviceState.NOT_CONCERNED: ("不适用", "Not concerned"),
}
TOLD: dict[Turn, Texts] = {
    Turn.PAUSE: ("已暂停：不再扩大，已通知的照常进行。", "Paused: offered to nobody more; what was offered goes on."),
    Turn.RESUME: ("已继续，本阶段重新观察。", "It goes on; the soak of its stage begins anew."),
    Turn.ABORT: ("已中止，未开始试运行的终端放弃此更新。", "Aborted; tills not yet on trial drop it."),
}


@page("/updates", title=("程序更新", "Updates"), topic=Topic.FLEET, roles=EVERYONE, menu=("程序更新", "Updates"))
def listed() -> Response:
    with read(here.city()) as connection:
        rows = queries.rollouts(connection, here.city())
    return render("updates/list.html", rows=rows, writes=_writes(), **_words())


@page("/updates/new", title=("下发更新", "Offer an update"), topic=Topic.FLEET, roles=WRITES)
def new() -> Response:
    return _new_form()


@page(
    "/updates/new", title=("下发更新", "Offer an update"), topic=Topic.FLEET, roles=WRITES, method="POST", step_up=True
)
def offer() -> Response:
    hardware = tuple(word for word in _typed("hardware").replace("，", ",").replace(" ", ",").split(",") if word)
    release = Release(_typed("target"), _typed("version"), hardware, _typed("min_version") or "0")
    by, at = here.official().official, now()
    try:
        soak, patience = _hours("soak", SOAK_H, least=0), _hours("patience", PATIENCE_H, least=1)
        rollout = Rollout(new_id(), release, RolloutState.CREATED, 0, at, soak, patience, by, at)
        write(here.city(), lambda c: offer_update(c, here.city(), rollout))
    except DomainError as refusal:
        return _new_form(refusal)
    return done(f"/console/updates/{rollout.rollout}", "已开始分批下发。", "The rollout begins.")


@page("/updates/<uuid:rollout>", title=("更新批次", "Rollout"), topic=Topic.FLEET, roles=EVERYONE)
def one(rollout: UUID) -> Response:
    city = here.city()
    with read(city) as connection:
        found = _found(connection, city, rollout)
        devices = queries.devices_of(connection, city, str(rollout))
        tally = queries.tally(connection, city, str(rollout), len(queries.fleet(connection, city)))
    open_ones = [each for each in devices if each.state != DeviceState.COMMITTED]
    return render(
        "updates/one.html",
        one=found,
        tally=tally,
        counted=Counter(DeviceState(each.state) for each in devices),
        open_ones=open_ones[:SHOWN_MAX],
        left_out=max(0, len(open_ones) - SHOWN_MAX),
        stages=STAGES_PERCENT,
        under_way=found.state in UNDER_WAY,
        writes=_writes(),
        **_words(),
    )


@page(
    "/updates/<uuid:rollout>/<any(pause, resume, abort):turn>",
    title=("更新批次", "Rollout"),
    topic=Topic.FLEET,
    roles=WRITES,
    method="POST",
    step_up=True,
)
def turned(rollout: UUID, turn: str) -> Response:
    wanted, reason = Turn(turn), _typed("reason")
    with read(here.city()) as connection:
        _found(connection, here.city(), rollout)
    if not reason:
        return done(f"/console/updates/{rollout}", "没有变更：请写明原因。", "Nothing changed: please say why.")
    write(here.city(), lambda c: turn_rollout(c, here.city(), str(rollout), wanted, reason, now()))
    return done(f"/console/updates/{rollout}", *TOLD[wanted])


def _found(connection: Connection, city: str, rollout: UUID) -> Rollout:
    """Raises RolloutUnknown."""
    found = queries.rollout(connection, city, str(rollout))
    if found is None:
        raise RolloutUnknown(city=city, rollout=str(rollout))
    return found


def _new_form(refusal: DomainError | None = None) -> Response:
    refused = None if refusal is None else (refusal.sentence_zh, refusal.sentence_en)
    status = 200 if refusal is None else PROBLEMS[refusal.code].status
    return render("updates/new.html", status, form=request.form, refused=refused, soak=SOAK_H, patience=PATIENCE_H)


def _hours(name: str, usual: int, *, least: int) -> timedelta:
    """Raises ReleaseRefused: what was typed is never taken for another number."""
    typed = _typed(name) or str(usual)
    hours = int(typed) if typed.isascii() and typed.isdigit() else -1
    if not least <= hours <= HOURS_MAX:
        raise ReleaseRefused(field=name)
    return timedelta(hours=hours)


def _writes() -> bool:
    return has_role(here.official(), WRITES)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:TYPED_MAX]


def _words() -> dict[str, Any]:
    return {"states": STATES, "kinds": KINDS, "device_words": DEVICES}
