"""What `greenpoints certificates` prints and writes: progress, reports, look-ups, error files, templates."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click
import xlsxwriter  # type: ignore[import-untyped]  # has no annotations
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from backend.cases.ripple import Ripple
from backend.certificates.difference import Difference
from backend.certificates.headings import HEADINGS
from backend.certificates.history import History
from backend.certificates.imports import Progress as Told
from backend.certificates.imports import Report
from backend.certificates.model import Standing
from backend.certificates.reasons import RowError
from backend.certificates.timeline import civil_day
from backend.cli.connection import moment
from backend.kernel.periods import civil_date, milliseconds
from backend.policies.words import amount_words, yuan

ERRORS_SHOWN = 20
DIFFERENCES_SHOWN = 20
KINDS = {"added": "新增", "changed": "变更", "withdrawn": "失效"}
FIELDS = {"term": "期限", "state": "状态", "product": "产品"}
STATES = {
    "valid": "有效",
    "suspended": "暂停",
    "withdrawn": "撤销",
    "cancelled": "注销",
    "expired": "过期",
    "not_yet_valid": "尚未生效",
    "unknown": "未登记",
}
_STAGES = {"read": "读取", "compare": "比对", "store": "写入"}


@contextmanager
def progress() -> Iterator[Told]:
    """A bar on a terminal; elsewhere one plain line a stage, on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {stage: bars.add_task(text, total=None, start=False) for stage, text in _STAGES.items()}

        def show_stage(stage: str, done: int, total: int) -> None:
            bars.start_task(tasks[stage])
            bars.update(tasks[stage], completed=done, total=total)

        yield show_stage


def _plain_line(stage: str, done: int, total: int) -> None:
    if done == total:
        click.echo(f"{_STAGES[stage]} {done}/{total}", err=True)


def write_errors(path: Path, errors: tuple[RowError, ...]) -> str | None:
    """The file written, with a byte-order mark so that spreadsheets show Chinese; None when there is nothing to write."""
    if not errors:
        return None
    lines = [["line", "column", "code", "reason_zh", "reason_en"]]
    lines += [[str(one.line), one.column, one.code, one.reason_zh, one.reason_en] for one in errors]
    try:
        path.write_text(csv_text(lines), encoding="utf-8-sig")
    except OSError as error:
        click.echo(f"无法写入 {path}：{error.strerror}", err=True)
        return None
    return str(path)


def print_report(report: Report, written: str | None, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json_text(_report_facts(report, written, dry_run=dry_run)))
        return
    if report.already is not None:
        when = civil_date(milliseconds(report.already.imported_at))
        click.echo(f"此文件已于 {when} 作为 {report.already.file_name} 导入，内容相同，未作更改。")
        return
    batch = report.batch
    click.echo(
        f"{'试运行，未写入。' if dry_run else ''}变更 {batch.rows_changed} 行，无变化 {batch.rows_unchanged} 行，"
        f"拒绝 {batch.rows_refused} 行；新证书 {report.new_certificates}，新状态 {report.new_states}，"
        f"新产品记录 {report.new_products}；证书库版本 {report.version}。"
    )
    for difference in report.differences.listed[:DIFFERENCES_SHOWN]:
        click.echo(_difference_line(difference))
    if report.ignored_columns:
        click.echo(f"未使用的列：{_shown('、'.join(report.ignored_columns))}", err=True)
    for one in report.errors[:ERRORS_SHOWN]:
        click.echo(f"第 {one.line} 行 {_shown(one.column)}：{one.reason_zh}", err=True)
    if len(report.errors) > ERRORS_SHOWN:
        click.echo(f"…… 共 {len(report.errors)} 处", err=True)
    if written:
        click.echo(f"拒绝的行见 {written}", err=True)


def print_ripple(subject: str, found: Ripple) -> None:
    span = (
        ""
        if found.first_sold_at is None or found.last_sold_at is None
        else (f"，{moment(found.first_sold_at)} 至 {moment(found.last_sold_at)}")
    )
    click.echo(
        f"{subject}：失效期间的奖励 {found.awards} 笔，购物单 {found.baskets}，门店 {found.stores}，居民 {found.residents}{span}"
        + ("" if found.whole else "（仅计前十万笔 / the first hundred thousand alone）")
    )
    for amount in found.amounts:
        net, given, back = (amount_words(amount.unit, one).zh for one in (amount.net, amount.awarded, amount.returned))
        click.echo(f"  {net}（发放 {given}，随退货收回 {back}）")
    for shop in found.shops:
        click.echo(
            f"  {shop.store or '手机扫码'} {shop.name_zh or ''}  {shop.awards} 笔  {shop.points} 分  {yuan(shop.fen)} 元"
        )


def _difference_line(one: Difference) -> str:
    said = "；".join(
        f"{FIELDS[field.name]}{f' {field.key}' if field.key else ''} {field.before or '无'} → {field.after}"
        for field in one.fields
    )
    return f"{KINDS[one.kind]}  {one.number}  {_shown(one.holder)}  {_shown(said)}"


def _report_facts(report: Report, written: str | None, *, dry_run: bool) -> dict[str, Any]:
    batch = report.batch
    return {
        "already_imported": report.already is not None,
        "dry_run": dry_run,
        "stored": report.stored,
        "batch": batch.id if report.stored or report.already else None,
        "source": batch.source,
        "sha256": batch.sha256.hex(),
        "rows_changed": batch.rows_changed,
        "rows_unchanged": batch.rows_unchanged,
        "rows_refused": batch.rows_refused,
        "new_certificates": report.new_certificates,
        "new_terms": report.new_terms,
        "new_states": report.new_states,
        "new_products": report.new_products,
        "registry_version": report.version,
        "ignored_columns": list(report.ignored_columns),
        "differences": dict(report.differences.counts) | {"unchanged": report.differences.unchanged},
        "errors": len(report.errors),
        "errors_file": written,
    }


def standing_facts(key: str, standing: Standing) -> dict[str, Any]:
    entry = standing.entry
    facts: dict[str, Any] = {"key": key, "state": standing.state, "row": standing.row}
    if entry is not None:
        facts |= {
            "certificate": entry.certificate,
            "body": entry.body,
            "scheme": entry.scheme,
            "level": entry.level,
            "product": entry.product,
            "model": entry.model,
            "category": entry.category,
            "grade": entry.grade,
            "tier": entry.tier,
            "enterprise": entry.enterprise,
            "holder": entry.holder,
        }
    return facts


def history_facts(history: History) -> dict[str, Any]:
    return {
        "certificate": history.number,
        "body": history.body,
        "scheme": history.scheme,
        "terms": [
            {"from": civil_day(term.from_day), "until": civil_day(term.until_day), "holder": term.fact.holder}
            for term in history.known_terms()
        ],
        "states": [
            {
                "state": state.fact,
                "from": civil_day(state.from_day),
                "until": civil_day(state.until_day),
                "row": state.row,
            }
            for state in history.known_states()
        ],
        "products": len(history.products),
    }


def print_found(found: dict[str, Any], on: date) -> None:
    for one in found["keys"]:
        text = f"{one['key']}：没有以此编码登记的产品"
        if "certificate" in one:
            text = f"{one['key']}：{on} {STATES[one['state']]}"
            grade = f"，{one['grade']} 级" if one["grade"] else ""
            text += f"，{one['product']} {one['model'] or ''}{grade}，{one['holder']}"
            text += f"，证书 {one['certificate']}（{one['scheme']}）"
        click.echo(text)
    for one in found["certificates"]:
        click.echo(f"证书 {one['certificate']}（{one['body']}，{one['scheme']}），产品 {one['products']} 项")
        for state in one["states"]:
            click.echo(
                f"  自 {state['from']} 起{STATES[state['state']]}"
                + (f"，至 {state['until']} 前" if state["until"] else "")
            )
    if not found["keys"] and not found["certificates"]:
        click.echo("没有登记。")


def csv_text(lines: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def write_xlsx(path: Path, lines: list[list[str]]) -> None:
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet("证书")
        as_text = workbook.add_format({"num_format": "@"})
        sheet.set_column(0, len(HEADINGS) - 1, 18, as_text)
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line, as_text)


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def json_text(facts: dict[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, default=str)
