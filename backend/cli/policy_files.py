"""Policy documents as files, and what the linter says of them, as people read it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from backend.policies.document import document_text
from backend.policies.lint_finding import Finding, Severity
from backend.policies.reading import DOCUMENT_BYTES_MAX
from backend.policies.words import amount_words

REASON_MAX = 500

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
reason_option = click.option("--reason", required=True, help="理由，记入档案 / why; kept on record.")
_MARKS = {Severity.BLOCKER: "✗ 须改", Severity.WARNING: "! 留意"}


def read_document(file: Path) -> str:
    """Raises PolicyRefused for what is too large or no UTF-8."""
    with file.open("rb") as opened:
        return document_text(opened.read(DOCUMENT_BYTES_MAX + 1))


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """One line a finding, each with its place, its sentence in both languages, and its code."""
    return [
        f"{_MARKS[one.severity]}  {one.place or '全文'}：{one.sentence_zh}\n        {one.sentence_en} [{one.code}]"
        for one in findings
    ]


def amounts(given: Iterable[tuple[str, int]]) -> str:
    return "、".join(amount_words(unit, amount).zh for unit, amount in given)


def short(sha256: str) -> str:
    """As much of a digest as an approver must name, and two digits more."""
    return sha256[:14]
