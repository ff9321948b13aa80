"""Commands of a draft's way: written by one person, judged by another."""

from datetime import UTC, datetime
from pathlib import Path

import click

from backend.cli.connection import by_option, city_option, database, json_option, json_text, operator
from backend.cli.policy_files import amounts, file_argument, finding_lines, read_document, reason_option, short
from backend.policies.lifecycle import STATES_ZH, Draft
from backend.usecases.approve_policy import approve_policy
from backend.usecases.draft_policy import draft_policy, redraft_policy
from backend.usecases.reject_policy import reject_policy
from backend.usecases.submit_policy import submit_policy
from backend.usecases.withdraw_policy import withdraw_policy

draft_argument = click.argument("draft", type=click.UUID)


@click.command()
@file_argument
@city_option
@by_option
@click.option("--draft", "known", type=click.UUID, default=None, help="修改这份草案 / the draft that it replaces.")
@click.option(
    "--revision", type=click.IntRange(1), default=None, help="所见为第几稿，修改时必填 / the revision that you saw."
)
@json_option
def draft(
    file: Path,
    city: str,
    by: str | None,
    known: object,
    revision: int | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """起草政策，或修改一份草案 / opens a draft, or changes one.

    修改使先前的提交和预演作废。

    A change voids its submission and its preview.
    """
    if (known is None) != (revision is None):
        raise click.UsageError("--draft 与 --revision 须一并给出 / go together")
    text, who, now = read_document(file), operator(by), datetime.now(UTC)
    with database() as opened:
        if known is None or revision is None:
            made = opened.write(lambda connection: draft_policy(connection, city, text, by=who, now=now))
        else:
            seen = revision
            made = opened.write(
                lambda connection: redraft_policy(connection, city, str(known), text, revision=seen, by=who, now=now)
            )
    _say(made, as_json=as_json)


@click.command()
@draft_argument
@city_option
@by_option
@json_option
def submit(draft: object, city: str, by: str | None, as_json: bool) -> None:  # noqa: FBT001
    """提交复核；有须改之处即被拒绝 / hands a draft in; refused while the linter blocks it."""
    with database() as opened:
        submitted = opened.write(
            lambda connection: submit_policy(connection, city, str(draft), by=operator(by), now=datetime.now(UTC))
        )
    _say(submitted.draft, as_json=as_json)
    if not as_json:
        for line in finding_lines(submitted.warnings):
            click.echo(line)


@click.command()
@draft_argument
@city_option
@click.option("--sha256", required=True, help="所见文本的 SHA-256，至少前 12 位 / of the text that you have read.")
@click.option(
    "--preview-sha256", default=None, help="所见预演的 SHA-256，至少前 12 位 / of the preview that you have read."
)
@by_option
@reason_option
@json_option
def approve(
    draft: object,
    city: str,
    sha256: str,
    preview_sha256: str | None,
    by: str | None,
    reason: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """复核通过并发布，复核人不得是起草人 / a second person approves and publishes.

    批准的是两个散列所指的文本和预演，一字不差；没有预演，或预演后文本、全市政策有变动，均不能批准。

    What is approved is the text and the preview of these digests, to the byte; without a preview, nothing.
    """
    with database() as opened:
        published = opened.write(
            lambda connection: approve_policy(
                connection,
                city,
                str(draft),
                sha256=sha256,
                preview_sha256=preview_sha256,
                by=operator(by),
                reason=reason,
                now=datetime.now(UTC),
            )
        )
    if as_json:
        click.echo(json_text({**published._asdict(), "grants": {one.unit: one.amount for one in published.grants}}))
    else:
        click.echo(
            f"{published.policy}：已批准并发布第 {published.version_no} 版，拨付 {amounts(published.grants)} / published"
        )


@click.command()
@draft_argument
@city_option
@by_option
@reason_option
@json_option
def reject(draft: object, city: str, by: str | None, reason: str, as_json: bool) -> None:  # noqa: FBT001
    """退回起草人，写明理由 / a second person sends a draft back."""
    with database() as opened:
        made = opened.write(
            lambda connection: reject_policy(
                connection, city, str(draft), by=operator(by), reason=reason, now=datetime.now(UTC)
            )
        )
    _say(made, as_json=as_json)


@click.command()
@draft_argument
@city_option
@by_option
@json_option
def withdraw(draft: object, city: str, by: str | None, as_json: bool) -> None:  # noqa: FBT001
    """起草人撤回草案 / an author takes a draft back."""
    with database() as opened:
        made = opened.write(
            lambda connection: withdraw_policy(connection, city, str(draft), by=operator(by), now=datetime.now(UTC))
        )
    _say(made, as_json=as_json)


def _say(made: Draft, *, as_json: bool) -> None:
    if as_json:
        facts = {
            name: getattr(made, name) for name in ("draft", "policy", "author", "revision", "sha256", "preview_sha256")
        }
        click.echo(json_text({**facts, "state": made.state.value}))
        return
    click.echo(
        f"{made.policy} 草案 {made.draft}：{STATES_ZH[made.state]}，第 {made.revision} 稿，"
        f"SHA-256 {short(made.sha256)} / {made.state.value}"
    )
