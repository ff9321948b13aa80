import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.certificates.headings import HEADINGS, REQUIRED, ColumnsMissing, ColumnsRepeated, find_columns
from backend.certificates.reasons import REASONS, RowError
from backend.certificates.rows import Row, read_row, register
from backend.certificates.timeline import FOREVER_DAY

KNOWN = register(
    [
        ("energy_label", "能源效率标识", "China Energy Label"),
        ("china_green_product", "绿色产品认证", "China Green Product"),
        ("organic", "有机产品认证", "Organic product"),
    ],
    [("CNIS", "中国标准化研究院"), ("CNCA-R-2002-001", "中国质量认证中心")],
)
FRIDGE = {
    "scheme": "能源效率标识",
    "certificate_no": "202601-27-10000001-100000000001",
    "body": "CNIS",
    "holder": "示例电器有限公司",
    "product": "家用电冰箱",
    "code": "9521234543213",
    "grade": "1级",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "state": "有效",
}
CITIZEN = "11010519491231002X"
"""The published specimen of GB 11643, nobody's number."""


def read(**changed: str) -> Row | list[RowError]:
    return read_row(2, FRIDGE | changed, {}, KNOWN)


def row(**changed: str) -> Row:
    found = read(**changed)
    assert isinstance(found, Row), [error.reason_en for error in found]
    return found


def refusals(**changed: str) -> list[tuple[str, str]]:
    found = read(**changed)
    assert not isinstance(found, Row)
    return [(error.column, error.code) for error in found]


def test_a_good_row_is_read_into_canonical_facts() -> None:
    found = row()

    assert (found.scheme, found.body, found.key) == ("energy_label", "CNIS", "gtin:09521234543213")
    assert (found.number, found.grade, found.until_day - found.from_day) == (FRIDGE["certificate_no"], 1, 365)


def test_two_spellings_of_one_row_are_one_row() -> None:
    other = row(
        scheme="能效标识",
        body="中国标准化研究院",
        code="０９５２１２３４５４３２１３",
        grade="一级",
        valid_from="2026年1月1日",
        state="01",
    )

    assert other == row()


@pytest.mark.parametrize("column", REQUIRED)
def test_a_required_cell_must_be_filled(column: str) -> None:
    assert (HEADINGS[column].zh, "required") in refusals(**{column: " "})


def test_every_error_of_a_row_is_told_at_once() -> None:
    assert refusals(grade="7", valid_from="gestern", code="9521234543214") == [
        ("产品编码", "code_not_usable"),
        ("等级", "grade_unknown"),
        ("证书生效日期", "date_format"),
    ]


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("scheme", "随便什么认证", "scheme_unknown"),
        ("body", "某机构", "body_unknown"),
        ("uscc", "91371323760038087N", "uscc_invalid"),
        ("code", "KFR-35GW", "code_unknown"),
        ("code", "DE-UZ 195", "code_not_usable"),
        ("code", "2012345678900", "code_not_usable"),
        ("code", "6.94E+12", "scientific_notation"),
        ("certificate_no", "2009010702358369", "not_a_certificate"),
        ("certificate_no", "00114E22766R2L/3502", "not_a_certificate"),
        ("certificate_no", "有效证书第1号", "number_invalid"),
        ("certificate_no", "CGP-1", "number_invalid"),
        ("certificate_no", "CNCA-R-2002-001", "not_a_certificate"),
        ("valid_until", "2025-12-31", "date_order"),
        ("state", "良好", "state_unknown"),
        ("product", "冰\x00箱", "control_characters"),
        ("holder", "长" * 201, "cell_too_long"),
        ("product_until", "2025-06-30", "date_order"),
        ("state_from", "2025-06-30", "state_before_certificate"),
    ],
)
def test_a_bad_cell_is_refused_by_name(column: str, text: str, code: str) -> None:
    body = {"body": "CNCA-R-2002-001"} if text == "CNCA-R-2002-001" else {}

    assert (HEADINGS[column].zh, code) in refusals(**body, **{column: text})


@pytest.mark.parametrize("column", ["certificate_no", "body", "uscc", "code"])
def test_a_citizens_number_is_refused_and_nothing_of_it_kept(column: str) -> None:
    found = read(**{column: CITIZEN})

    assert not isinstance(found, Row)
    assert "personal" in [error.code for error in found]
    assert CITIZEN not in repr(found) + "".join(error.reason_zh + error.reason_en for error in found)


@pytest.mark.parametrize("state", ["暂停", "撤销", "注销"])
def test_a_state_other_than_valid_says_since_when(state: str) -> None:
    assert refusals(state=state) == [("状态生效日期", "state_date_missing")]
    assert row(state=state, state_from="2026-03-01").state_day is not None


def test_a_body_seen_for_the_first_time_needs_its_name() -> None:
    assert refusals(body="CNCA-R-2019-999") == [("认证机构名称", "body_name_missing")]
    assert row(body="cnca-r-2019-999", body_name="新机构").body == "CNCA-R-2019-999"


def test_a_product_without_a_code_is_found_by_its_certificate_number() -> None:
    assert row(code="").key == "energy_filing:202601-27-10000001-100000000001"
    assert row(code="", certificate_no="CGP-2026-00123").key == "certificate:CGP-2026-00123"


def test_the_approval_of_an_organic_body_stands_for_its_marks() -> None:
    found = row(
        scheme="有机产品", certificate_no="CNCA-R-2002-001", body="CNCA-R-2002-001", code="organic_body:0001", grade=""
    )

    assert (found.key, found.number) == ("organic_body:0001", "CNCA-R-2002-001")


def test_a_certificate_without_end_stays_open() -> None:
    assert row(valid_until="长期").until_day == FOREVER_DAY


def test_an_endless_certificate_cannot_have_expired_without_a_day() -> None:
    assert refusals(valid_until="长期", state="过期") == [("状态生效日期", "state_date_missing")]


@given(st.dictionaries(st.sampled_from(sorted(HEADINGS)), st.text(max_size=40)))
def test_any_cells_make_a_row_or_named_refusals(cells: dict[str, str]) -> None:
    found = read_row(2, FRIDGE | cells, {}, KNOWN)

    assert isinstance(found, Row) or all(error.code in REASONS and error.reason_zh for error in found)


def test_columns_are_found_in_any_order_under_any_of_their_headings() -> None:
    header = [
        "备注",
        "产品",
        "certNumber",
        "证书状态（必填）",
        "orgName",
        "SCHEME",
        "发证机构",
        "颁证日期",
        "有效期至 *",
    ]

    columns = find_columns(header)

    assert columns.positions["certificate_no"] == 2
    assert set(columns.positions) == set(REQUIRED)
    assert columns.ignored == ("备注",)


def test_a_header_without_required_columns_is_refused_naming_them() -> None:
    with pytest.raises(ColumnsMissing) as refused:
        find_columns(["产品名称", "型号"])

    assert "证书编号 (certificate_no)" in refused.value.sentence_zh


def test_a_column_given_twice_is_refused() -> None:
    with pytest.raises(ColumnsRepeated, match="证书编号"):
        find_columns([*(HEADINGS[name].zh for name in REQUIRED), "备案号"])


def test_every_heading_belongs_to_one_column() -> None:
    for name, heading in HEADINGS.items():
        for spelling in (name, heading.zh, *heading.also):
            others = [HEADINGS[other].zh for other in REQUIRED if other != name]
            assert find_columns([spelling, *others]).positions[name] == 0
