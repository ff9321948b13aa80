"""Commands of a published policy's standing: suspended, resumed, ended, and how everything stands."""

from collections.abc import Callable
from datetime import UTC, datetime

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, moment, operator
from backend.cli.policy_files import reason_option, short
from backend.kernel.periods import CHINA
from backend.policies import queries
from backend.policies.lifecycle import STANDINGS_ZH, STATES_ZH, DraftState, Turn
from backend.usecases.turn_policy import turn_policy

_TURNS_ZH = {Turn.SUSPEND: "暂停", Turn.RESUME: "恢复", Turn.END: "终止"}


def turned(function: Callable[..., None]) -> Callable[..., None]:
    """The options that the three turns share."""
    for option in (
        json_option,
        click.option(
            "--from",
            "from_at",
            type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]),
            default=None,
            help="自何时（北京时间）起售出的商品，默认立即 / from which moment of sale (Beijing time); at once by default.",
        ),
        by_option,
        reason_option,
        click.option("--notice", "notice_zh", required=True, help="公告，公众可见 / what the public reads."),
        city_option,
        click.argument("policy"),
    ):
        function = option(function)
    return function


@click.command()
@turned
def suspend(**given: object) -> None:
    """暂停一项政策；已预留的奖励照常兑现 / stops a policy at once; what was reserved is honoured.

    只影响此后售出的商品，先前的核定不变。

    What was sold before stays as it was decided.
    """
    _turn(Turn.SUSPEND, **given)  # type: ignore[arg-type]  # click's own values, by the options above


@click.command()
@turned
def resume(**given: object) -> None:
    """恢复一项已暂停的政策 / a suspended policy pays again."""
    _turn(Turn.RESUME, **given)  # type: ignore[arg-type]


@click.command()
@turned
def end(**given: object) -> None:
    """提前终止一项政策，不可恢复 / ends a policy before its time, for good."""
    _turn(Turn.END, **given)  # type: ignore[arg-type]


@click.command()
@city_option
@click.option("--policy", default=None, help="只看一项政策 / one policy only.")
@json_option
def status(city: str, policy: str | None, as_json: bool) -> None:  # noqa: FBT001
    """草案、复核、版本、暂停，一并列出 / drafts, approvals, versions and turns, all together."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        drafts = queries.drafts_of(connection, city, policy)
        versions = [one for one in queries.published(connection, city) if policy in (None, one.policy)]
        turns = queries.listed_turns(connection, city, policy)
    if as_json:
        rows = {
            "drafts": [one._asdict() for one in drafts],
            "versions": [one._asdict() for one in versions],
            "turns": [one._asdict() for one in turns],
        }
        click.echo(json_text(rows))
        return
    for draft in drafts:
        click.echo(_draft_line(draft))
    for version in versions:
        click.echo(
            f"{version.policy} 第 {version.version_no} 版  {moment(version.valid_from)} 至 {moment(version.valid_until)}  "
            f"{version.published_by} 起草"
        )
    for turn in turns:
        click.echo(
            f"{turn.policy} 自 {moment(turn.from_at)} 起{_TURNS_ZH[Turn(turn.turn)]}：{turn.notice_zh}"
            f"（{turn.taken_by}，{turn.reason}）"
        )


def _turn(
    turn: Turn,
    *,
    policy: str,
    city: str,
    notice_zh: str,
    reason: str,
    by: str | None,
    from_at: datetime | None,
    as_json: bool,
) -> None:
    start = None if from_at is None else from_at.replace(tzinfo=CHINA)
    with database() as opened:
        led_to = opened.write(
            lambda connection: turn_policy(
                connection,
                city,
                policy,
                turn,
                notice_zh=notice_zh,
                reason=reason,
                by=operator(by),
                now=datetime.now(UTC),
                from_at=start,
            )
        )
    if as_json:
        click.echo(json_text({"policy": policy, "standing": led_to.value, "from": start}))
        return
    when = f"自 {moment(start)} 起" if start else "立即"
    click.echo(f"{policy}：{when}{_TURNS_ZH[turn]}，{STANDINGS_ZH[led_to]} / {led_to.value}")


def _draft_line(draft: queries.ListedDraft) -> str:
    previewed = f"预演 {short(draft.preview_sha256)}" if draft.preview_sha256 else "尚未预演"
    judged = f"，{draft.approver}：{draft.reason}" if draft.approver else ""
    return (
        f"{draft.policy} 草案 {draft.draft}  {STATES_ZH[DraftState(draft.state)]}  第 {draft.revision} 稿  "
        f"{draft.author} 起草，SHA-256 {short(draft.sha256)}，{previewed}{judged}"
    )
