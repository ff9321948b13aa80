"""`greenpoints policies preview`: the table that an approver reads."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from backend.cli.connection import (
    by_option,
    city_option,
    database,
    database_url,
    json_option,
    json_text,
    operator,
    reached,
)
from backend.cli.policy_files import read_document
from backend.cli.progress import progress
from backend.policies.drafts import find_draft, last_preview
from backend.policies.lifecycle import PreviewMissing
from backend.policies.words import amount_words
from backend.usecases.keep_preview import keep_preview
from backend.usecases.preview_policy import MONTHS, Place, Previewed, last_months, preview_policy
from backend.usecases.publish_by_two import preview_new

READER = "greenpoints_auditor"
PLACES_SHOWN = 15
_PLACES = {"district": "区县 / district", "certificate_scheme": "认证类别 / scheme", "store": "门店 / store"}

workers_option = click.option(
    "--workers", type=click.IntRange(1, 64), default=None, help="并行进程数 / processes; one a core by default."
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--draft", type=click.UUID, default=None, help="预演一份草案并随之存档 / previews a draft, kept with it.")
@click.option("--kept", is_flag=True, help="不重算，输出随草案存档的预演 / the preview that is kept with the draft.")
@city_option
@click.option("--months", type=click.IntRange(1, 60), default=MONTHS, help="看过去几个月，默认 12 / months of history.")
@workers_option
@by_option
@json_option
def preview(
    file: Path | None,
    draft: object,
    kept: bool,  # noqa: FBT001
    city: str,
    months: int,
    workers: int | None,
    by: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """预演：草案与现行版本在历史销售上的对比 / a draft beside the version in force, on past sales.

    同样的文件与历史得到同样的散列值；复核人批准时须写明所见预演的散列值。预演文件不写入，预演草案则随草案存档。

    The same document and history give the same digest, which an approver names. A file's preview is not stored.
    """
    if (file is None) == (draft is None) or (kept and draft is None):
        raise click.UsageError("FILE 与 --draft 须且只须有一个，--kept 只用于草案 / one of FILE and --draft")
    if draft is not None and kept:
        found = _kept(city, str(draft))
    elif draft is not None:
        found = _keep(city, str(draft), months, workers, operator(by))
    else:
        assert file is not None
        found = _made(city, read_document(file), months, workers, datetime.now(UTC)).said
    click.echo(json_text(found) if as_json else "\n".join(preview_lines(found)))


def previewed_for_two(city: str, text: str, workers: int | None) -> Previewed | None:
    """What two people look at who publish `text` together; None where it is published already."""
    now = datetime.now(UTC)
    with reached(), progress("预演") as told:
        return preview_new(_place(), last_months(city, now), text, parts=_parts(workers), told=told)


def _made(city: str, text: str, months: int, workers: int | None, now: datetime) -> Previewed:
    with reached(), progress("预演") as told:
        return preview_policy(_place(), last_months(city, now, months), text, parts=_parts(workers), told=told)


def _keep(city: str, draft: str, months: int, workers: int | None, by: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    with database() as opened:
        with opened.read() as connection:
            text = find_draft(connection, city, draft).text
        made = _made(city, text, months, workers, now)
        opened.write(lambda connection: keep_preview(connection, city, draft, made, by=by, now=now))
    return made.said


def _kept(city: str, draft: str) -> dict[str, Any]:
    with database(READER) as opened, opened.read() as connection:
        found = last_preview(connection, city, find_draft(connection, city, draft).draft)
    if found is None:
        raise PreviewMissing
    return {**json.loads(found.result), "sha256": found.sha256}


def _place() -> Place:
    return Place(database_url(), READER)


def _parts(workers: int | None) -> int:
    return workers or os.cpu_count() or 1


def preview_lines(found: Mapping[str, Any]) -> list[str]:
    """A preview as people read it, its whole SHA-256 last."""
    against = "没有现行版本 / no version in force" if found["in_force"] is None else f"现行版本 {found['in_force']}"
    lines = [f"{found['policy']} 预演 / preview：{found['sales']} 笔历史扫码，{found['persons']} 人；对比{against}"]
    for unit, (before, after) in found["cost"].items():
        change = f"{'+' if after >= before else '-'}{amount_words(unit, abs(after - before)).zh}"
        costs = f"现行 {amount_words(unit, before).zh}，草案 {amount_words(unit, after).zh}（{change}）"
        lines.append(f"支出 / cost：{costs}")
    for unit, dates in found["exhausted"].items():
        said = [dates[share] or f"{dates['until']} 前不会用完 / not before then" for share in ("p50", "p90")]
        lines.append(f"预算用完 / exhausted [{unit}]：P50 {said[0]}，P90 {said[1]}")
    for label, counted in (("得到更多 / get more", found["winners"]), ("得到更少 / get less", found["losers"])):
        persons = "、".join(f"{number} 人 [{unit}]" for unit, number in counted.items()) or "0 人"
        lines.append(f"{label}：{persons}")
    flips, held = found["flips"], found["held"]
    lines.append(f"由无到有 / now awarded：{flips['gained']}；由有到无 / no longer awarded：{flips['lost']}")
    lines.append(f"待核查 / held：现行 {held[0]}，草案 {held[1]}")
    for place, named in _PLACES.items():
        lines += _place_lines(named, found["by"][place])
    return [*lines, f"SHA-256 {found['sha256']}"]


def _place_lines(named: str, amounts: Mapping[str, Mapping[str, list[int]]]) -> list[str]:
    rows = [(unit, name, before, after) for name, units in amounts.items() for unit, (before, after) in units.items()]
    rows.sort(key=lambda row: (-max(row[2:]), row[:2]))
    lines = [f"{named}：现行 in force → 草案 draft"] if rows else []
    lines += [
        f"    {name or '未注明'}  {amount_words(unit, before).zh} → {amount_words(unit, after).zh}"
        for unit, name, before, after in rows[:PLACES_SHOWN]
    ]
    if len(rows) > PLACES_SHOWN:
        lines.append(f"    其余 {len(rows) - PLACES_SHOWN} 项见 --json / more with --json")
    return lines
