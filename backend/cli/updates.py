"""Commands of rollouts: a release is offered to a city's tills, watched, held and ended."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.cli.update_repository import init, publish, refresh, release_options, renew
from backend.devices.updates import queries
from backend.devices.updates.advance import Turn
from backend.devices.updates.model import Release, Rollout, RolloutState
from backend.kernel.ids import new_id
from backend.usecases.offer_update import RolloutUnknown, offer_update, turn_rollout

STATES_ZH = {
    RolloutState.CREATED: "待开始",
    RolloutState.ROLLING: "进行中",
    RolloutState.PAUSED: "已暂停",
    RolloutState.DONE: "已完成",
    RolloutState.ABORTED: "已中止",
}
DEVICES_ZH = {
    "offered": "已通知",
    "downloading": "下载中",
    "verified": "已验证",
    "staged": "待启用",
    "trial": "试运行",
    "committed": "已更新",
    "rolled_back": "已退回",
    "failed": "未完成",
    "timed_out": "逾期无应答",
    "not_concerned": "不适用",
}
reason_option = click.option("--reason", required=True, help="原因 / why.")
rollout_argument = click.argument("rollout", metavar="ROLLOUT")


@click.group(help="终端更新：发布、分批下发、暂停、中止 / updates of tills.")
def updates() -> None:
    pass


updates.add_command(init)
updates.add_command(publish)
updates.add_command(refresh)
updates.add_command(renew)


@updates.command()
@city_option
@release_options
@click.option(
    "--soak-h",
    type=click.IntRange(0, 24 * 90),
    default=24,
    show_default=True,
    help="每一阶段至少多少小时 / hours a stage.",
)
@click.option(
    "--deadline-h",
    type=click.IntRange(1, 24 * 90),
    default=72,
    show_default=True,
    help="终端多少小时没有结果即算失败 / a till without an outcome by then has failed.",
)
@by_option
@json_option
def offer(
    city: str,
    target: str,
    version: str,
    hardware: tuple[str, ...],
    min_version: str,
    soak_h: int,
    deadline_h: int,
    by: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """分批下发一个版本：1%、10%、50%、100% / offers a release to growing shares of a city's tills.

    失败率达到 5% 自动中止。由定时任务推进。

    The worker moves it on; failures of 5 % end it.
    """
    now = datetime.now(UTC)
    soak, patience = timedelta(hours=soak_h), timedelta(hours=deadline_h)
    release = Release(target, version, hardware, min_version)
    rollout = Rollout(new_id(), release, RolloutState.CREATED, 0, now, soak, patience, operator(by), now)
    with database() as opened:
        opened.write(lambda connection: offer_update(connection, city, rollout))
    if as_json:
        click.echo(json_text(_facts(rollout)))
    else:
        click.echo(f"更新批次 {rollout.rollout}：{target}（{version}）将在 {city} 分批下发")


@updates.command("list")
@city_option
@json_option
def list_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出更新批次，新的在前 / the rollouts of a city, newest first."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.rollouts(connection, city)
    if as_json:
        click.echo(json_text([_facts(one) for one in found]))
        return
    for one in found:
        click.echo(f"{one.rollout}  {one.release.version}  {_state(one)}  {moment(one.created_at)} {one.by}")


@updates.command()
@rollout_argument
@city_option
@json_option
def show(rollout: str, city: str, as_json: bool) -> None:  # noqa: FBT001
    """一个批次及未更新的终端；--json 列出全部 / a rollout and the tills that have it not; all of them as JSON."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.rollout(connection, city, rollout)
        devices = queries.devices_of(connection, city, rollout)
    if found is None:
        raise RolloutUnknown(city=city, rollout=rollout)
    if as_json:
        click.echo(json_text({**_facts(found), "devices": [one._asdict() for one in devices]}))
        return
    click.echo(f"{found.release.target}（{found.release.version}）{_state(found)}")
    counted = Counter(one.state for one in devices)
    click.echo(
        "，".join(f"{DEVICES_ZH[state]} {counted[state]}" for state in DEVICES_ZH if counted[state]) or "尚未通知"
    )
    for one in (one for one in devices if one.state != "committed"):
        why = f"（{one.reason}）" if one.reason else ""
        click.echo(f"  {one.device}  {DEVICES_ZH[one.state]}{why}  {moment(one.changed_at)}")


@updates.command()
@rollout_argument
@city_option
@reason_option
def pause(rollout: str, city: str, reason: str) -> None:
    """暂停：不再扩大，已通知的照常进行 / offers it to nobody more for now."""
    _turn(rollout, city, Turn.PAUSE, reason)


@updates.command()
@rollout_argument
@city_option
@reason_option
def resume(rollout: str, city: str, reason: str) -> None:
    """继续已暂停的批次 / a paused rollout goes on."""
    _turn(rollout, city, Turn.RESUME, reason)


@updates.command()
@rollout_argument
@city_option
@reason_option
def abort(rollout: str, city: str, reason: str) -> None:
    """中止，不可恢复；尚未试运行的终端放弃此更新 / ends it for good; tills not yet on trial drop it."""
    _turn(rollout, city, Turn.ABORT, reason)


def _turn(rollout: str, city: str, turn: Turn, reason: str) -> None:
    with database() as opened:
        then = opened.write(lambda connection: turn_rollout(connection, city, rollout, turn, reason, datetime.now(UTC)))
    click.echo(f"更新批次 {rollout} {STATES_ZH[then.state]}")


def _state(one: Rollout) -> str:
    why = f"（{one.reason}）" if one.reason else ""
    stage = f" {one.percent}%" if one.state in (RolloutState.ROLLING, RolloutState.PAUSED) else ""
    return f"{STATES_ZH[one.state]}{stage}{why}"


def _facts(one: Rollout) -> dict[str, object]:
    return {
        "rollout": one.rollout,
        **one.release._asdict(),
        "state": one.state.value,
        "percent": one.percent,
        "stage_at": one.stage_at,
        "soak_h": one.soak // timedelta(hours=1),
        "deadline_h": one.patience // timedelta(hours=1),
        "by": one.by,
        "created_at": one.created_at,
        "reason": one.reason,
    }
