from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli.connection import (
    by_option,
    city_option,
    database,
    dry_run_option,
    json_option,
    json_text,
    moment,
    operator,
)
from backend.policies import queries
from backend.policies.document import PolicyRefused
from backend.policies.reading import DOCUMENT_BYTES_MAX
from backend.policies.words import amount_words
from backend.usecases.publish_policy import PublishedVersion, load_sound, publish_policy

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


class _Rehearsed(Exception):
    """Ends a dry run: what publishing would have come to, and nothing of it stays."""

    def __init__(self, published: PublishedVersion) -> None:
        super().__init__()
        self.published = published


@click.group(help="政策：校验、发布、查阅 / check, publish, list and show policies.")
def policies() -> None:
    pass


@policies.command()
@file_argument
@json_option
def check(file: Path, as_json: bool) -> None:  # noqa: FBT001
    """校验政策文件，逐处指出问题 / says the faults of a document, each with its place.

    有问题时退出码为 1。

    Exit 1 when there is any.
    """
    policy = load_sound(_read(file))
    facts = {
        "policy": policy.policy,
        "title_zh": policy.title_zh,
        "document_number": policy.document.number,
        "budgets": {budget.unit.value: budget.amount for budget in policy.budgets},
        "rules": [rule.rule for rule in policy.rules],
        "caps": [cap.cap for cap in policy.caps],
    }
    if as_json:
        click.echo(json_text(facts))
        return
    click.echo(
        f"{policy.title_zh}（{policy.document.number}）：{len(policy.rules)} 条规则，{len(policy.caps)} 个上限，"
        f"预算 {_amounts((b.unit.value, b.amount) for b in policy.budgets)}，没有问题 / sound"
    )


@policies.command()
@file_argument
@city_option
@by_option
@dry_run_option
@json_option
def publish(file: Path, city: str, by: str | None, dry_run: bool, as_json: bool) -> None:  # noqa: FBT001
    """发布政策并拨付预算 / publishes a document and grants its budget.

    每次发布为一个不可更改的版本；同一文本重复发布不作更改。

    Each is an immutable version; the same text again changes nothing.
    """
    text, now = _read(file), datetime.now(UTC)
    with database() as opened:
        try:
            published = opened.write(
                lambda connection: _published(
                    publish_policy(connection, city, text, by=operator(by), now=now), dry_run=dry_run
                )
            )
        except _Rehearsed as rehearsed:
            published = rehearsed.published
    if as_json:
        grants = {granted.unit: granted.amount for granted in published.grants}
        click.echo(json_text({**published._asdict(), "grants": grants, "dry_run": dry_run}))
    elif not published.new:
        click.echo(f"{published.policy}：此文本即第 {published.version_no} 版，无需再发布 / published before")
    else:
        done = "将发布" if dry_run else "已发布"
        click.echo(
            f"{published.policy}：{done}第 {published.version_no} 版，拨付 {_amounts(published.grants)} / granted"
        )


@policies.command("list")
@city_option
@json_option
def list_(city: str, as_json: bool) -> None:  # noqa: FBT001
    """列出一个城市发布过的版本 / every version published in a city."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        rows = queries.published(connection, city)
    if as_json:
        click.echo(json_text([row._asdict() for row in rows]))
        return
    for row in rows:
        click.echo(
            f"{row.policy} 第 {row.version_no} 版  {row.document_number}  {moment(row.valid_from)} 至 "
            f"{moment(row.valid_until)}  {row.published_by} 于 {moment(row.published_at)} 发布  {row.version}"
        )


@policies.command()
@click.argument("policy")
@city_option
@click.option(
    "--number",
    "version_no",
    type=click.IntRange(1),
    default=None,
    help="第几版，默认最新 / the version; the last by default.",
)
@click.pass_context
def show(ctx: click.Context, policy: str, city: str, version_no: int | None) -> None:
    """输出已发布的原文，一字不差 / prints a published document to the byte.

    没有时退出码为 1。

    Exit 1 when there is none.
    """
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        text = queries.text_of(connection, city, policy, version_no)
    if text is None:
        click.echo("没有这个政策版本 / no such version", err=True)
        ctx.exit(1)
    click.echo(text, nl=False)


def _amounts(amounts: Iterable[tuple[str, int]]) -> str:
    return "、".join(amount_words(unit, amount).zh for unit, amount in amounts)


def _published(published: PublishedVersion, *, dry_run: bool) -> PublishedVersion:
    if dry_run:
        raise _Rehearsed(published)
    return published


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(DOCUMENT_BYTES_MAX + 1)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise PolicyRefused({"": ["文件不是 UTF-8 文本 / not UTF-8 text"]}) from None
