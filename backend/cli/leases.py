"""Offline leases of budget: by which terms tills are lent, and what each was granted, used and has left."""

from datetime import UTC, datetime, timedelta

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
from backend.leases import queries
from backend.leases.lendable import check_terms
from backend.leases.model import EndedWhy, Terms
from backend.leases.queries import Lent
from backend.ledger import chart
from backend.policies.store import PolicyCache
from backend.policies.words import amount_words
from backend.usecases.end_leases import end_leases
from backend.usecases.set_lease_terms import set_lease_terms

policy_option = click.option("--policy", required=True, help="政策代号 / its short name.")
unit_option = click.option(
    "--unit", type=click.Choice(["points", "fen"]), default="points", show_default=True, help="预算的单位 / its unit."
)


@click.group(help="离线租约：终端断网时可承诺的预算 / budget that tills may promise while offline.")
def leases() -> None:
    pass


@leases.command("set")
@city_option
@policy_option
@unit_option
@click.option(
    "--amount", type=int, required=True, help="每台终端的数额（分、或人民币分）；0 为停止 / a till; 0 stops it."
)
@click.option("--awards", type=int, default=40, show_default=True, help="每份租约最多承诺几次 / promises of a lease.")
@click.option("--hours", type=int, default=8, show_default=True, help="有效小时数 / good for so many hours.")
@click.option(
    "--grace-hours",
    type=int,
    default=72,
    show_default=True,
    help="到期后等待迟到购物单的小时数，其后余额退回 / waits for late baskets, then the rest goes back.",
)
@click.option(
    "--share-bp",
    type=int,
    default=1_000,
    show_default=True,
    help="同时租出的部分不超过预算的万分之几 / lent at once, basis points of the budget.",
)
@by_option
@dry_run_option
def set_(
    *,
    city: str,
    policy: str,
    unit: str,
    amount: int,
    awards: int,
    hours: int,
    grace_hours: int,
    share_bp: int,
    by: str | None,
    dry_run: bool,
) -> None:
    """规定某项预算如何租给终端；任务每分钟向在线终端发放 / the terms by which tills are lent a budget.

    终端断网时只在租约以内承诺；承诺过的照付，预算用完也照付。

    What a till promised within a lease is paid although the budget has run out.
    """
    terms = Terms(policy, unit, amount, awards, hours, grace_hours, share_bp)
    now, policies = datetime.now(UTC), PolicyCache(chart.budget)
    with database() as opened:
        if dry_run:
            with opened.read() as connection:
                check_terms(policies.lookup(connection, city), terms)
        else:
            opened.write(lambda connection: set_lease_terms(connection, policies, city, terms, operator(by), now))
    done = "将" if dry_run else "已"
    click.echo(f"{done}停止租出 {city} {policy} 的预算" if not amount else f"{done}规定：{_terms(terms)}")


@leases.command()
@city_option
@json_option
def terms(city: str, as_json: bool) -> None:  # noqa: FBT001
    """现行租约条款 / the terms that stand."""
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.terms_of(connection, city)
    if as_json:
        click.echo(json_text([one._asdict() for one in found]))
        return
    for one in found:
        click.echo(_terms(one))


@leases.command("list")
@city_option
@click.option("--device", default=None, help="只看一台终端 / one till.")
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="最近几天发放的 / granted since."
)
@json_option
def list_(city: str, device: str | None, days: int, as_json: bool) -> None:  # noqa: FBT001
    """每台终端的租约：发放、已付、退回、尚可承诺、到期待退 / granted, used, returned, usable, expired, a till."""
    now = datetime.now(UTC)
    with database("greenpoints_auditor") as opened, opened.read() as connection:
        found = queries.lent_to_tills(connection, city, now - timedelta(days=days), now, device)
    if as_json:
        click.echo(json_text([one._asdict() for one in found]))
        return
    for one in found:
        click.echo(_lent(one))


@leases.command()
@click.option("--device", required=True, help="哪台终端 / whose.")
@city_option
@dry_run_option
def end(device: str, city: str, dry_run: bool) -> None:  # noqa: FBT001
    """立即终止一台终端的租约；此前的承诺照付 / ends a till's leases; what it promised before is paid."""
    now = datetime.now(UTC)
    with database() as opened:
        if dry_run:
            with opened.read() as connection:
                held = queries.lent_to_tills(connection, city, now - timedelta(days=366), now, device)
            ended = any(one.usable for one in held)
        else:
            ended = bool(opened.write(lambda c: end_leases(c, city, now, EndedWhy.OFFICIAL, now, device=device)))
    done = "将终止" if dry_run else "已终止"
    click.echo(f"终端 {device} 的租约{done}" if ended else f"终端 {device} 没有未到期的租约")


def _terms(one: Terms) -> str:
    if not one.amount:
        return f"{one.policy} {one.unit}：不租出 / not lent"
    amount = amount_words(one.unit, one.amount).zh
    share = f"{one.share_bp // 100}.{one.share_bp % 100:02}%"
    return (
        f"{one.policy}：每台终端 {amount}、{one.awards} 次，{one.hours} 小时内有效，到期后等待 {one.grace_hours} 小时，"
        f"同时租出不超过预算的 {share}"
    )


def _lent(one: Lent) -> str:
    said = {
        "发放": one.granted,
        "已付": one.used,
        "退回": one.returned,
        "尚可承诺": one.usable,
        "到期待退": one.expired,
    }
    amounts = "，".join(f"{name} {amount_words(one.unit, amount).zh}" for name, amount in said.items())
    until = "" if one.until is None else f"，至 {moment(one.until)}"
    return f"{one.device}  {one.policy}  {one.leases} 份租约，承诺 {one.promises} 次：{amounts}{until}"
