import json

import pytest
from click.testing import CliRunner

from backend.cli.labels import labels
from backend.labels.model import Confidence, Scheme, Scope
from backend.labels.sentences import WARNINGS

FIELDS = {"scheme", "key", "scope", "usable", "confidence", "warnings", "registry_keys", "parts"}


def _answers(*lines: str | bytes) -> tuple[int, list[dict[str, object]]]:
    given = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines)
    result = CliRunner().invoke(labels, ["parse", "--json"], input=given)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_gets_its_reading_in_order() -> None:
    code, answers = _answers(
        '{"text": "6939400204821", "symbology": "EAN13"}',
        '{"text": "有机码：10012123456789012"}',
        '{"text": "010693940020482121SER", "symbology": "CODE_128", "aim": "]C1"}',
    )

    assert code == 0
    assert [answer["key"] for answer in answers] == [
        "gtin:06939400204821",
        "organic:010012123456789012",
        "sgtin:(01)06939400204821(21)SER",
    ]
    assert all(set(answer) == FIELDS for answer in answers)
    assert answers[1]["parts"] == {"body": "0100", "year": "2012"}


def test_bytes_in_hexadecimal_go_before_the_text() -> None:
    raw = b"]C1010693940020482110LOT\x1d21SER".hex()

    _, answers = _answers(json.dumps({"text": "(01)06939400204821(10)LOT", "bytes_hex": raw}))

    assert answers[0]["key"] == "sgtin:(01)06939400204821(21)SER"


@pytest.mark.parametrize(
    "line",
    ["{", "", "[]", "6939400204821", '{"text": 5}', "{}", '{"bytes_hex": "xyz"}', '{"bytes_hex": 1, "text": "1"}',
     '{"text": "1", "aim": 3}', '{"text": "1", "symbology": []}', b"\xff\xfe", "[" * 40_000, '{"text": "' + "1" * 70_000 + '"}'],
)  # fmt: skip
def test_a_line_that_is_no_such_json_is_named_and_the_rest_goes_on(line: str | bytes) -> None:
    code, answers = _answers('{"text": "EL608"}', line, '{"text": "96385074"}')

    assert code == 1
    assert [set(answer) for answer in answers] == [FIELDS, {"error"}, FIELDS]
    error = answers[1]["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["line"]) == ("line-unreadable", 2)
    assert set(error) == {"code", "detail_zh", "detail_en", "line"}


def test_a_citizen_id_is_never_echoed() -> None:
    number = "11010519491231002X"
    given = f'{{"text": "{number}"}}\n{{"text": "{number}", "aim": 1}}\n{{bad {number}\n'

    for arguments in (["parse", "--json"], ["parse"]):
        result = CliRunner().invoke(labels, arguments, input=given)
        assert number[6:14] not in result.output

    assert number[6:14] not in CliRunner().invoke(labels, ["parse", number]).output


def test_texts_may_be_given_as_arguments() -> None:
    result = CliRunner().invoke(labels, ["parse", "--json", "96385074", "GF320583230001"])

    assert [json.loads(line)["key"] for line in result.stdout.splitlines()] == [
        "gtin:00000096385074",
        "green_food_gf:GF320583230001",
    ]


def test_people_read_chinese() -> None:
    result = CliRunner().invoke(labels, ["parse"], input="2009010702358369\n6939400204821\n")

    assert result.exit_code == 0
    assert "CCC 强制性安全认证，不是绿色认证" in result.stdout
    assert "商品条码：gtin:06939400204821" in result.stdout


@pytest.mark.parametrize("text", ["EL608", "13800138000", "hello", "FSC-C104928", "100OP1200293", "https://a.example/"])
def test_every_kind_of_reading_has_words_for_people(text: str) -> None:
    assert CliRunner().invoke(labels, ["parse", text]).exit_code == 0


def test_every_scheme_scope_and_confidence_has_a_chinese_name() -> None:
    from backend.cli import labels as command

    assert set(command._SCHEMES) == set(Scheme)
    assert set(command._SCOPES) == set(Scope)
    assert set(command._CONFIDENCES) == set(Confidence)


def test_every_warning_has_a_sentence_in_both_languages() -> None:
    for chinese, english in WARNINGS.values():
        assert chinese.endswith("。")
        assert english.endswith(".")


def test_half_surrogates_are_read_like_any_text() -> None:
    code, answers = _answers('{"text": "\\ud800"}')

    assert (code, answers[0]["scheme"]) == (0, "unreadable")
