import csv
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backend.certificates import sheets
from backend.certificates.amend import CertificateUnknown
from backend.cli.certificates import certificates

NUMBER = "202601-27-10000001-100000000001"
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", database_url)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(certificates, arguments)

    return invoke


@pytest.fixture
def file(tmp_path: Path, as_csv: Callable[[Iterable[Mapping[str, str]]], bytes], fridge: dict[str, str]) -> Path:
    path = tmp_path / "fridges.csv"
    path.write_bytes(as_csv([fridge]))
    return path


def test_a_file_is_imported_shown_and_revoked(run: Run, file: Path) -> None:
    imported = run("import", str(file), "--source", "能效标识备案", "--json")
    shown = run("show", "9521234543213", "--at", "2026-07-01", "--json")
    revoked = run("revoke", NUMBER, "--from", "2026-06-01", "--reason", "抽查不合格", "--json")
    after = run("show", "9521234543213", "--at", "2026-07-01", "--json")

    assert [result.exit_code for result in (imported, shown, revoked, after)] == [0, 0, 0, 0]
    assert json.loads(imported.stdout)["rows_changed"] == 1
    assert json.loads(shown.stdout)["keys"][0]["state"] == "valid"
    assert json.loads(revoked.stdout)["changed"]
    assert json.loads(after.stdout)["keys"][0]["state"] == "withdrawn"


def test_the_same_file_twice_is_said_and_is_no_failure(run: Run, file: Path) -> None:
    run("import", str(file))

    again = run("import", str(file))

    assert again.exit_code == 0
    assert "内容相同，未作更改" in again.stdout


def test_refused_lines_are_reported_in_a_file_and_by_the_exit_code(
    run: Run, file: Path, tmp_path: Path, as_csv: Callable[..., bytes], fridge: dict[str, str]
) -> None:
    file.write_bytes(as_csv([fridge, fridge | {"certificate_no": "CGP-2026-0002", "grade": "9"}]))
    errors = tmp_path / "errors.csv"

    result = run("import", str(file), "--errors", str(errors))

    assert result.exit_code == 1
    assert "变更 1 行" in result.stdout
    with errors.open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.DictReader(opened))
    assert [(line["line"], line["column"], line["reason_zh"]) for line in lines] == [("3", "等级", "等级应为 1 至 5。")]
    assert lines[0]["reason_en"] == "The grade is a number from 1 to 5."


def test_the_errors_file_stands_beside_the_import_unless_named(
    run: Run, file: Path, as_csv: Callable[..., bytes], fridge: dict[str, str]
) -> None:
    file.write_bytes(as_csv([fridge | {"state": "?"}]))

    run("import", str(file))

    assert file.with_name("fridges.csv.errors.csv").exists()


def test_a_citizens_number_reaches_neither_screen_nor_errors_file(
    run: Run, file: Path, as_csv: Callable[..., bytes], fridge: dict[str, str]
) -> None:
    citizen = "11010519491231002X"
    file.write_bytes(as_csv([fridge | {"uscc": citizen}, fridge | {"certificate_no": citizen, "line": "3"}]))

    result = run("import", str(file))

    report = file.with_name("fridges.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert citizen not in result.output + report
    assert "personal" in report


def test_a_dry_run_stores_nothing(run: Run, file: Path) -> None:
    dry = run("import", str(file), "--dry-run")

    assert "试运行，未写入。变更 1 行" in dry.stdout
    assert run("show", "9521234543213").exit_code == 1


def test_the_printed_template_can_be_imported(run: Run, tmp_path: Path) -> None:
    for name in ("template.csv", "template.xlsx"):
        path = tmp_path / name
        assert run("template", "--output", str(path)).exit_code == 0
        assert run("import", str(path)).exit_code == 0

    assert json.loads(run("show", NUMBER, "--json").stdout)["certificates"][0]["scheme"] == "energy_label"


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"a,b\n1,2\n", b"PK\x03\x04"])
def test_a_file_that_is_no_import_is_a_named_refusal(run: Run, file: Path, content: bytes) -> None:
    file.write_bytes(content)

    result = run("import", str(file))

    assert result.exit_code == 1
    assert getattr(result.exception, "code", "").startswith("import-")


def test_an_oversized_file_is_refused_without_reading_it_whole(run: Run, file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(sheets.FILE_BYTES_MAX * 4)

    assert isinstance(run("import", str(file)).exception, sheets.FileRefused)


def test_nothing_found_is_said(run: Run) -> None:
    result = run("show", "9521234543213")

    assert result.exit_code == 1
    assert "没有以此编码登记的产品" in result.stdout


def test_an_unknown_certificate_cannot_be_revoked(run: Run) -> None:
    result = run("revoke", "CGP-404", "--from", "2026-06-01", "--reason", "x")

    assert isinstance(result.exception, CertificateUnknown)


def test_a_recognition_is_recorded(run: Run) -> None:
    result = run(
        "recognise", "low_carbon", "china_green_product", "--region", "320000", "--from", "2026-01-01",
        "--until", "2026-12-31", "--document", "苏文一号",
    )  # fmt: skip

    assert result.exit_code == 0
    assert "视同" in result.stdout


def test_without_a_database_a_command_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url, code in ((None, "not-configured"), ("postgresql://nobody@127.0.0.1:1/none", "database-unreachable")):
        monkeypatch.delenv("DATABASE_URL", raising=False)
        if url is not None:
            monkeypatch.setenv("DATABASE_URL", url)

        result = CliRunner().invoke(certificates, ["import", str(file)])

        assert result.exit_code == 1
        assert getattr(result.exception, "code", "") == code


def test_each_stage_is_told_to_its_end_once(run: Run, file: Path) -> None:
    result = run("import", str(file))

    assert result.stderr.splitlines() == ["读取 1/1", "比对 1/1", "写入 4/4"]
