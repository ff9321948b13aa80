import json
from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli import policy_drafts, policy_turns
from backend.cli.budgets import forecast_, funding
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
from backend.cli.policy_files import amounts, file_argument, finding_lines, read_document
from backend.cli.policy_preview import preview, preview_lines, previewed_for_two, workers_option
from backend.policies import queries
from backend.policies.json_schema import json_schema, reference
from backend.policies.lifecycle import check_two_people
from backend.policies.lint import blockers, lint_text
from backend.policies.reading import DOCUMENT_BYTES_MAX
from backend.usecases.lint_policy import lint_policy
from backend.usecases.publish_by_two import publish_by_two
from backend.usecases.publish_policy import PublishedVersion, load_sound


class _Rehearsed(Exception):
    """Ends a dry run: what publishing would have come to, and nothing of it stays."""

    def __init__(self, published: PublishedVersion) -> None:
        super().__init__()
        self.published = published


@click.group(help="政策：校验、发布、查阅 / check, publish, list and show policies.")
def policies() -> None:
    pass


policies.add_command(funding)
policies.add_command(forecast_)
policies.add_command(preview)


@policies.command()
@file_argument
@json_option
def check(file: Path, as_json: bool) -> None:  # noqa: FBT001
    """校验政策文件，逐处指出问题 / says the faults of a document, each with its place.

    有问题时退出码为 1。

    Exit 1 when there is any.
    """
    policy = load_sound(read_document(file))
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
        f"预算 {amounts((b.unit.value, b.amount) for b in policy.budgets)}，没有问题 / sound"
    )


@policies.command()
@file_argument
@click.option(
    "--city", default=None, metavar="CODE", help="连同该市已发布的政策和证书库一起核查 / beside what that city has."
)
@json_option
@click.pass_context
def lint(ctx: click.Context, file: Path, city: str | None, as_json: bool) -> None:  # noqa: FBT001
    """列出须改之处和须留意之处 / every blocker and warning at once, each at its place.

    有须改之处时退出码为 1。

    Exit 1 when anything must be mended.
    """
    with file.open("rb") as read:
        content = read.read(DOCUMENT_BYTES_MAX + 1)
    if city is None:
        findings = lint_text(content)
    else:
        with database("greenpoints_auditor") as opened, opened.read() as connection:
            findings = lint_policy(connection, city, content)
    blocked = len(blockers(findings))
    if as_json:
        click.echo(json_text([one._asdict() for one in findings]))
    else:
        for line in finding_lines(findings):
            click.echo(line)
        click.echo(f"须改 {blocked} 处，须留意 {len(findings) - blocked} 处 / blockers, warnings")
    if blocked:
        ctx.exit(1)


@policies.command()
@file_argument
@city_option
@by_option
@click.option("--approved-by", required=True, help="复核人，不得是起草人 / the second person, who is not the author.")
@click.option("--reason", default="与起草人当面复核", help="复核理由 / why; kept on record.")
@click.option("--yes", is_flag=True, help="两人都已看过预演，不再询问 / both have seen the preview: do not ask.")
@workers_option
@dry_run_option
@json_option
def publish(
    file: Path,
    city: str,
    by: str | None,
    approved_by: str,
    reason: str,
    yes: bool,  # noqa: FBT001
    workers: int | None,
    dry_run: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """起草、预演、复核、发布一次完成，并拨付预算 / drafts, previews, approves and publishes, and grants the budget.

    须有两个人，有历史销售的城市须两人都看过预演；每次发布为一个不可更改的版本，同一文本重复发布不作更改。

    It takes two people, who look at the preview where there are past sales. The same text again changes nothing.
    """
    text, who = read_document(file), operator(by)
    check_two_people(who, approved_by)
    seen = previewed_for_two(city, text, workers)
    if seen is not None and seen.said["sales"]:
        click.echo("\n".join(preview_lines(seen.said)), err=True)
        if not (yes or dry_run):
            click.confirm("两位都已看过以上预演，发布？/ both have seen it: publish?", abort=True, err=True)
    now = datetime.now(UTC)
    with database() as opened:
        try:
            published = opened.write(
                lambda connection: _published(
                    publish_by_two(
                        connection, city, text, preview=seen, by=who, approved_by=approved_by, reason=reason, now=now
                    ),
                    dry_run=dry_run,
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
            f"{published.policy}：{done}第 {published.version_no} 版，拨付 {amounts(published.grants)} / granted"
        )


for command in (
    policy_drafts.draft,
    policy_drafts.submit,
    policy_drafts.approve,
    policy_drafts.reject,
    policy_drafts.withdraw,
    policy_turns.suspend,
    policy_turns.resume,
    policy_turns.end,
    policy_turns.status,
):
    policies.add_command(command)


@policies.command()
def schema() -> None:
    """输出政策文件的 JSON Schema / prints the JSON Schema of policy documents."""
    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@policies.command("reference")
def reference_() -> None:
    """输出政策文件的说明 / prints the page about policy documents, in Markdown."""
    click.echo(reference(), nl=False)


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
@click.argument("policy", required=False)
@city_option
@click.option("--draft", type=click.UUID, default=None, help="改为输出一份草案 / a draft instead.")
@click.option(
    "--number",
    "version_no",
    type=click.IntRange(1),
    default=None,
    help="第几版，默认最新 / the version; the last by default.",
)
@click.pass_context
def show(ctx: click.Context, policy: str | None, city: str, draft: object, version_no: int | None) -> None:
    """输出已发布的原文或草案，一字不差 / prints a published document, or a draft, to the byte.

    没有时退出码为 1。

    Exit 1 when there is none.
    """
    if (policy is None) == (draft is None):
        raise click.UsageError("POLICY 与 --draft 须且只须有一个 / exactly one of POLICY and --draft")
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        if draft is not None:
            text = queries.draft_text(connection, city, str(draft))
        else:
            text = queries.text_of(connection, city, policy or "", version_no)
    if text is None:
        click.echo("没有这个政策版本 / no such version", err=True)
        ctx.exit(1)
    click.echo(text, nl=False)


def _published(published: PublishedVersion, *, dry_run: bool) -> PublishedVersion:
    if dry_run:
        raise _Rehearsed(published)
    return published
