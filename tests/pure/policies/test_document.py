"""What an official reads who checks a policy document."""

import json
import re

import pytest

from backend.policies.document import PolicyRefused, document_text, load_policy

FAULTY = """{
  "policy": "Bad", "title_zh": "", "document": {"number": "x", "issuer": 1, "published_on": "2026-13-01", "url": "no"},
  "from": "2026-01-01", "until": 5, "budget": {"unit": "yuan", "amount": 0, "partial": "perhaps"},
  "rules": [{"rule": "r", "name_zh": "a", "name_en": null, "when": 1, "reward": {"kind": "percent"},
             "rates": {"M": {"P9": 1}}, "extra": 1}],
  "caps": []
}"""


def test_every_fault_is_said_at_once_with_its_place_and_in_both_languages() -> None:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(FAULTY)

    faults = refused.value.faults
    said = [reason for reasons in faults.values() for reason in reasons]
    assert {
        "title_en",
        "document.issuer",
        "from",
        "budget.unit",
        "rules.0.when",
        "rules.0.extra",
        "caps",
    } <= faults.keys()
    assert [reason for reason in said if not re.search(r"[一-龥].* / .*[a-z]", reason)] == []


SOUND = json.dumps(
    {
        "policy": "green",
        "title_zh": "绿色积分",
        "title_en": "Green",
        "document": {"number": "示例发〔2026〕1号", "issuer": "示例市", "published_on": "2026-01-01"},
        "from": "2026-01-01T00:00:00+08:00",
        "until": "2027-01-01T00:00:00+08:00",
        "budget": {"unit": "points", "amount": 1000},
        "rules": [
            {
                "rule": "r",
                "name_zh": "规则",
                "name_en": "rule",
                "when": [{"fact": "grade", "op": "<=", "value": 2}],
                "reward": {"kind": "table", "by": "grade", "amounts": {"1": 5, "2": 3}},
                "rates": {"M": {"P3": 10000}},
            }
        ],
        "caps": [{"cap": "daily", "per": "person", "period": "day", "limit": 10}],
    },
    ensure_ascii=False,
)
BAD_TEXT = "不能只有空白或含控制字符 / neither blank nor with control characters"
YEARS = "年份须在 1949 至 9999 之间 / a year from 1949 to 9999"
FLOAT, TWICE = "金额和积分只用整数 / whole numbers only", "键重复 / a key stands twice"


def faults_of(text: str | bytes) -> dict[str, list[str]]:
    with pytest.raises(PolicyRefused) as refused:
        load_policy(text)
    return refused.value.faults


def test_the_sound_document_loads() -> None:
    assert load_policy(SOUND) == load_policy(SOUND.encode()) == load_policy(b"\xef\xbb\xbf" + SOUND.encode())


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        # Numbers.
        ('"limit": 10', '"limit": 10.5', "caps.0.limit", f"{FLOAT}: 10.5"),
        ('"limit": 10', '"limit": 1e400', "caps.0.limit", f"{FLOAT}: 1e400"),
        ('"limit": 10', '"limit": NaN', "caps.0.limit", f"{FLOAT}: NaN"),
        ('"limit": 10', f'"limit": {"9" * 5000}', "caps.0.limit", f"数值过大 / a number with too many digits: {'9' * 80}"),
        ('"limit": 10', '"limit": 9007199254740992', "caps.0.limit", None),
        ('"limit": 10', '"limit": "10"', "caps.0.limit", "须为整数 / Not a valid integer."),
        ('"limit": 10', '"limit": true', "caps.0.limit", "须为整数 / Not a valid integer."),
        ('"value": 2', '"value": 9007199254740992', "rules.0.when.0", "取值类型不符 / value must be int"),
        # Keys.
        ('"limit": 10', '"limit": 10, "limit": 99', "caps.0.limit", TWICE),
        ('"1": 5', '"1": 5, "1": 6', "rules.0.reward.amounts.1", TWICE),
        ('"1": 5', '"1": 5, "01": 6', "rules.0.reward.amounts.01", None),
        ('"1": 5, "2": 3', "", "rules.0.reward.amounts", None),
        # Types.
        ('"limit": 10', '"limit": 10, "partial": "yes"', "caps.0.partial", "须为 true 或 false / Not a valid boolean."),
        ('"limit": 10', '"limit": 10, "partial": 1', "caps.0.partial", "须为 true 或 false / Not a valid boolean."),
        ('"rules": [', '"rules": [7, ', "rules.0", None),
        ('"fact": "grade"', '"fact": ["grade"]', "rules.0.when.0", None),
        ('"value": 2', '"value": [1, 2]', "rules.0.when.0", "取值类型不符 / value must be int"),
        ('"value": 2', '"value": true', "rules.0.when.0", "取值类型不符 / value must be int"),
        ('"op": "<="', '"op": "~"', "rules.0.when.0", None),
        # Facts.
        ('"fact": "grade"', '"fact": "weather"', "rules.0.when.0", None),
        # Texts and dates that no database keeps.
        ("示例发〔2026〕1号", " ", "document.number", BAD_TEXT),
        ("示例发〔2026〕1号", "\\u0000", "document.number", BAD_TEXT),
        ("示例发〔2026〕1号", "\\ud800", "document.number", BAD_TEXT),
        ("2027-01-01T00:00:00+08:00", "9999-12-31T23:59:59-12:00", "until", YEARS),
        ("2026-01-01T00:00:00+08:00", "0001-01-01T00:00:00+14:00", "from", None),
        ('"published_on": "2026-01-01"', '"published_on": "0001-01-01"', "document.published_on", None),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_place_and_its_reason(old: str, new: str, place: str, reason: str | None) -> None:
    faults = faults_of(SOUND.replace(old, new, 1))

    assert list(faults) == [place]
    assert reason is None or faults[place] == [reason]


def test_a_document_that_is_no_json_is_refused_at_its_line_and_column() -> None:
    assert faults_of("[") == {"": ["第 1 行第 2 列不是有效的 JSON / not valid JSON at line 1, column 2"]}
    assert faults_of("[1]") == {"": ["须为 JSON 对象 / must be a JSON object"]}
    assert faults_of('{"policy": "a",\n "rules": oops}') == {
        "": ["第 2 行第 11 列不是有效的 JSON / not valid JSON at line 2, column 11"]
    }


def test_nesting_is_refused_where_it_begins_to_be_too_deep() -> None:
    deep = SOUND.replace('"value": 2', f'"value": {"[" * 20}{"]" * 20}')

    (place,) = faults_of(deep)

    assert place == "rules.0.when.0.value" + ".0" * 15
    for bracket in ("[", '{"a":'):
        assert faults_of(bracket * 50_000) == {"": ["嵌套超过 20 层 / nested more than 20 deep"]}


def test_conditions_may_stand_four_deep_and_no_deeper() -> None:
    condition = '{"fact": "grade", "op": "<=", "value": 2}'
    for depth in range(1, 7):
        text = SOUND.replace(condition, '{"all": [' * (depth - 1) + condition + "]}" * (depth - 1))
        if depth <= 4:
            load_policy(text)
        else:
            (place,) = faults_of(text)
            assert place == "rules.0.when.0.0.0.0"


def test_a_megabyte_of_text_is_refused_by_its_size_before_it_is_read() -> None:
    limit = "文件超过 262144 字节 / larger than 262144 bytes"
    for text in (SOUND + " " * 2**20, SOUND.encode() + b"\xe6" * 2**20, "绿" * 2**20):
        (reason,) = faults_of(text)[""]
        assert reason.startswith(limit)
    with pytest.raises(PolicyRefused, match="policy-refused"):
        document_text(b"\xe6" * 2**20)


def test_text_that_is_no_unicode_is_refused() -> None:
    wrong = {"": ["文件不是 UTF-8 文本 / not UTF-8 text"]}

    assert faults_of(SOUND.encode("utf-16")) == faults_of(b"\xff{}") == faults_of('{"policy": "\ud800"}') == wrong


def test_a_document_of_faults_only_is_answered_in_short() -> None:
    """Each of 20,000 fields is unknown: all are counted, the first 200 named, none at full length."""
    text = "{" + ",".join(f'"{"x" * 5}{number}": 1' for number in range(15_000)) + "}"

    with pytest.raises(PolicyRefused) as refused:
        load_policy(text)

    assert len(refused.value.faults) == 200
    assert refused.value.facts["count"] > 15_000
    assert max(len(place) for place in faults_of('{"' + "k" * 200_000 + '": 1}')) == 80


def test_a_version_that_was_published_before_a_law_of_spelling_stays_loadable() -> None:
    """Its city could decide nothing any more, were it refused."""
    text = SOUND.replace('"limit": 10', '"limit": 10, "partial": "yes"').replace('"1": 5', '"01": 5')

    load_policy(SOUND.replace("2027-01-01T00:00:00+08:00", "9999-12-31T23:59:59+08:00"))
    assert list(faults_of(text)) == ["rules.0.reward.amounts.01", "caps.0.partial"]
    (cap,) = load_policy(text, published=True).caps
    assert cap.partial
