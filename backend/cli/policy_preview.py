"""`greenpoints policies preview`: the table that an approver reads."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

from backend.cli.connection import city_option, database_url, json_option, json_text, reached
from backend.cli.policy_files import file_argument, read_document
from backend.cli.progress import progress
from backend.kernel.periods import CHINA
from backend.policies.words import amount_words
from backend.scans.past_sales import Window
from backend.usecases.preview_policy import Place, preview_policy

DAYS_A_MONTH = 30.4375
PLACES_SHOWN = 15
_PLACES = {"district": "区县 / district", "certificate_scheme": "认证类别 / scheme", "store": "门店 / store"}


@click.command()
@file_argument
@city_option
@click.option("--months", type=click.IntRange(1, 60), default=12, help="看过去几个月，默认 12 / months of history.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=None, help="并行进程数 / processes; one a core by default."
)
@json_option
def preview(file: Path, city: str, months: int, workers: int | None, as_json: bool) -> None:  # noqa: FBT001
    """预演：草案与现行版本在历史销售上的对比，不写入 / a draft beside the version in force, on past sales.

    同样的文件与历史得到同样的散列值。

    The same document and history give the same digest.
    """
    text, now = read_document(file), datetime.now(UTC)
    today = datetime.combine(now.astimezone(CHINA).date(), time(), CHINA)
    window = Window(city, today - timedelta(days=round(months * DAYS_A_MONTH)), today + timedelta(days=1), now)
    with reached(), progress("预演") as told:
        place = Place(database_url(), "greenpoints_auditor")
        found = preview_policy(place, window, text, parts=workers or os.cpu_count() or 1, told=told)
    if as_json:
        click.echo(json_text(found))
    else:
        _print(found)


def _print(found: Mapping[str, Any]) -> None:
    against = "没有现行版本 / no version in force" if found["in_force"] is None else f"现行版本 {found['in_force']}"
    click.echo(f"{found['policy']} 预演 / preview：{found['sales']} 笔历史扫码，{found['persons']} 人；对比{against}")
    for unit, (before, after) in found["cost"].items():
        change = f"{'+' if after >= before else '-'}{amount_words(unit, abs(after - before)).zh}"
        click.echo(
            f"支出 / cost：现行 {amount_words(unit, before).zh}，草案 {amount_words(unit, after).zh}（{change}）"
        )
    for unit, dates in found["exhausted"].items():
        said = [dates[share] or f"{dates['until']} 前不会用完 / not before then" for share in ("p50", "p90")]
        click.echo(f"预算用完 / exhausted [{unit}]：P50 {said[0]}，P90 {said[1]}")
    for label, counted in (("得到更多 / get more", found["winners"]), ("得到更少 / get less", found["losers"])):
        persons = "、".join(f"{number} 人 [{unit}]" for unit, number in counted.items()) or "0 人"
        click.echo(f"{label}：{persons}")
    flips, held = found["flips"], found["held"]
    click.echo(f"由无到有 / now awarded：{flips['gained']}；由有到无 / no longer awarded：{flips['lost']}")
    click.echo(f"待核查 / held：现行 {held[0]}，草案 {held[1]}")
    for place, named in _PLACES.items():
        _print_places(named, found["by"][place])
    click.echo(f"SHA-256 {found['sha256']}")


def _print_places(named: str, amounts: Mapping[str, Mapping[str, list[int]]]) -> None:
    lines = [(unit, name, before, after) for name, units in amounts.items() for unit, (before, after) in units.items()]
    lines.sort(key=lambda line: (-max(line[2:]), line[:2]))
    if lines:
        click.echo(f"{named}：现行 in force → 草案 draft")
    for unit, name, before, after in lines[:PLACES_SHOWN]:
        click.echo(f"    {name or '未注明'}  {amount_words(unit, before).zh} → {amount_words(unit, after).zh}")
    if len(lines) > PLACES_SHOWN:
        click.echo(f"    其余 {len(lines) - PLACES_SHOWN} 项见 --json / more with --json")
