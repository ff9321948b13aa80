"""Tills: where each stands, how it fares, by which settings it runs; entered by a claim, replaced and revoked here."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson
import segno
from flask import Response, request

from backend.devices import fleet
from backend.devices.enrolment.claim_code import RANDOM_BYTES, claim_hash, claim_of
from backend.devices.enrolment.model import Claim
from backend.devices.enrolment.queries import alarms
from backend.devices.fleet import FleetRow
from backend.devices.health.model import CONDITION_ZH, Condition
from backend.devices.twin import queries as twins
from backend.devices.twin.document import NUMBERS, TEXTS, WORDS
from backend.devices.twin.model import AGREEMENT_ZH, Agreement
from backend.kernel.errors import DomainError
from backend.officials.model import Role
from backend.retailers import queries as retailers
from backend.scans import gaps
from backend.usecases.claim_device import Slot, claim_device, replace_device
from backend.usecases.find_gaps import TOLD_FOR
from backend.usecases.revoke_device import DeviceUnknown, revoke_device
from backend.usecases.set_twin import SetTwin, set_twin
from backend.web.console import here
from backend.web.console.answers import done, render
from backend.web.console.connection import read, write
from backend.web.console.declare import EVERYONE, Texts, Topic, has_role, page
from backend.web.context import now
from backend.web.problems import PROBLEMS

WRITES = frozenset({Role.FLEET})
ROWS = 50
DEVICE_CHARS_MAX = 64
TYPED_MAX = 200
ALARMS_SHOWN = 50
HISTORY_SHOWN = 10
CONDITION_EN: Mapping[Condition, str] = {
    Condition.NEVER: "Never seen",
    Condition.ONLINE: "Online",
    Condition.SILENT: "Silent",
    Condition.OFFLINE: "Offline",
}
KINDS: Mapping[Condition, str] = {
    Condition.NEVER: "plain",
    Condition.ONLINE: "good",
    Condition.SILENT: "bad",
    Condition.OFFLINE: "waits",
}
AGREEMENT_EN: Mapping[Agreement, str] = {
    Agreement.NOTHING: "None set",
    Agreement.WAITING: "On its way",
    Agreement.TRIAL: "On trial",
    Agreement.APPLIED: "In force",
    Agreement.REJECTED: "Refused by the till",
    Agreement.REVERTED: "Taken back by the till",
    Agreement.DIFFERENT: "Not what stands here",
}
ALARMS: Mapping[str, Texts] = {
    "claim_reused": ("登记码被另一台终端使用", "Another till used its claim"),
    "stream_conflict": ("同一单号两份内容，疑有复制的终端", "One number with two contents: a copy of the till?"),
    "early_rotation": ("未到期就更换密钥，疑有人取得其密钥", "Keys changed long before the time"),
    "retired_key": ("仍用已失效的密钥签名", "Signs by a key that has ended"),
    "stream_in_two_places": ("同一终端在两处上线，疑有复制的终端", "It lives in two places: a copy of the till?"),
}


@page("/tills", title=("终端", "Tills"), topic=Topic.FLEET, roles=EVERYONE, menu=("终端", "Tills"))
def listed() -> Response:
    after = request.args.get("after", "")[:DEVICE_CHARS_MAX]
    gone_only = request.args.get("show") == "absent"
    city, at = here.city(), now()
    with read(city) as connection:
        rows = fleet.page(connection, city, at, after=after, limit=ROWS + 1, district=here.district(), gone=gone_only)
        absent = fleet.absent(connection, city, at)
        names = retailers.names_of(connection, city, {row.store for row in rows})
        lost = gaps.gaps(connection, city, at - TOLD_FOR) if here.district() is None else []
        waiting = alarms(connection, city, limit=ALARMS_SHOWN) if here.district() is None else []
    further = rows[ROWS - 1].device if len(rows) > ROWS else None
    return render(
        "tills/list.html",
        rows=rows[:ROWS],
        further=further,
        after=after,
        gone_only=gone_only,
        absent=absent,
        names=names,
        alarms=waiting,
        gaps=lost,
        writes=_writes(),
        **_words(),
    )


@page("/tills/new", title=("登记终端", "Enter a till"), topic=Topic.FLEET, roles=WRITES, step_up=True)
def new() -> Response:
    return _new_form()


@page("/tills/new", title=("登记终端", "Enter a till"), topic=Topic.FLEET, roles=WRITES, method="POST", step_up=True)
def claim() -> Response:
    token, city = claim_of(secrets.token_bytes(RANDOM_BYTES)), here.city()
    slot = Slot(_typed("device"), city, _typed("store"))
    try:
        made = write(city, lambda c: claim_device(c, slot, claim_hash(token), now()))
    except DomainError as refusal:
        return _new_form(refusal)
    return _claim_shown(made, token)


@page("/tills/<device>", title=("终端", "Till"), topic=Topic.FLEET, roles=EVERYONE)
def one(device: str) -> Response:
    return _one(device)


@page(
    "/tills/<device>/settings",
    title=("终端设置", "Settings of a till"),
    topic=Topic.FLEET,
    roles=WRITES,
    method="POST",
)
def settings(device: str) -> Response:
    """What is typed takes the place of all settings; an empty field hands one back to the till."""
    _found(device)
    typed = {name: _typed(f"set-{name}") for name in WORDS}
    version = _typed("version")
    expected = int(version) if re.fullmatch(r"[0-9]{1,9}", version) else 0
    wanted = SetTwin(device, expected, typed, here.official().official)
    try:
        desired, changed = write(here.city(), lambda c: set_twin(c, wanted, now()))
    except DomainError as refusal:
        return _one(device, refusal)
    if not changed:
        return done(f"/console/tills/{device}", "设置没有变化。", "Nothing changed.")
    told = f"已设为第 {desired.version} 版，终端核验后试用，不正常即自动退回。"
    return done(
        f"/console/tills/{device}",
        told,
        f"Version {desired.version} is on its way; the till tries it and goes back if it does not stay well.",
    )


@page(
    "/tills/<device>/revoke",
    title=("停用终端", "Revoke a till"),
    topic=Topic.FLEET,
    roles=WRITES,
    method="POST",
    step_up=True,
)
def revoke(device: str) -> Response:
    _found(device)
    write(here.city(), lambda c: revoke_device(c, device, now()))
    return done(
        f"/console/tills/{device}",
        "已停用，一分钟内断开连接；此后它发来的内容只留存，不计分。",
        "Revoked: disconnected within a minute; what it still sends is kept and not counted.",
    )


@page(
    "/tills/<device>/replace",
    title=("更换终端", "Replace a till"),
    topic=Topic.FLEET,
    roles=WRITES,
    method="POST",
    step_up=True,
)
def replace(device: str) -> Response:
    _found(device)
    token = claim_of(secrets.token_bytes(RANDOM_BYTES))
    successor = _typed("successor")
    try:
        made = write(here.city(), lambda c: replace_device(c, device, successor, claim_hash(token), now()))
    except DomainError as refusal:
        return _one(device, refusal)
    return _claim_shown(made, token)


def _found(device: str) -> FleetRow:
    """Of the city that is looked at, and of the official's district where there is one. Raises DeviceUnknown."""
    with read(here.city()) as connection:
        row = fleet.find(connection, device[:DEVICE_CHARS_MAX], now())
    if row is None or row.city != here.city() or here.district() not in (None, row.district):
        raise DeviceUnknown(device=device[:DEVICE_CHARS_MAX])
    return row


def _one(device: str, refusal: DomainError | None = None) -> Response:
    row, city = _found(device), here.city()
    with read(city) as connection:
        names = retailers.names_of(connection, city, {row.store})
        history = twins.history(connection, city, row.device)[:HISTORY_SHOWN]
    desired = {} if row.desired is None else orjson.loads(row.desired.text)
    return render(
        "tills/one.html",
        200 if refusal is None else PROBLEMS[refusal.code].status,
        row=row,
        shop=names.get(row.store, row.store),
        desired=desired,
        history=history,
        settings=[(name, *WORDS[name], _bounds(name)) for name in WORDS],
        typed={name: _typed(f"set-{name}") for name in WORDS} if refusal else desired,
        refused=None if refusal is None else (refusal.sentence_zh, refusal.sentence_en),
        writes=_writes() and row.revoked_at is None,
        **_words(),
    )


def _bounds(name: str) -> Texts:
    if name in NUMBERS:
        low, high = NUMBERS[name]
        return f"{low} 至 {high}", f"{low} to {high}"
    _, form_zh, form_en = TEXTS[name]
    return form_zh, form_en


def _new_form(refusal: DomainError | None = None) -> Response:
    refused = None if refusal is None else (refusal.sentence_zh, refusal.sentence_en)
    status = 200 if refusal is None else PROBLEMS[refusal.code].status
    return render("tills/new.html", status, form=request.form, refused=refused)


def _claim_shown(made: Claim, token: str) -> Response:
    """Once, in this very answer."""
    picture = segno.make(token, error="m").svg_data_uri(scale=5, border=2)
    return render("tills/claim.html", claim=made, token=token, qr=picture)


def _writes() -> bool:
    return has_role(here.official(), WRITES)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:TYPED_MAX]


def _words() -> dict[str, Any]:
    return {
        "conditions": {each: (CONDITION_ZH[each], CONDITION_EN[each]) for each in Condition},
        "kinds": KINDS,
        "agreements": {each: (AGREEMENT_ZH[each], AGREEMENT_EN[each]) for each in Agreement},
        "alarm_words": ALARMS,
    }
