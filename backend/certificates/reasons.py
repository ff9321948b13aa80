"""Why a row of an import file was refused: what an official reads in the errors file, Chinese first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "required": ("必填项为空。", "This cell must be filled."),
        "cell_too_long": ("超过 {limit} 个字符。", "Longer than {limit} characters."),
        "control_characters": (
            "含有控制字符或改变文字方向的字符。",
            "Contains control characters or marks that change the direction of text.",
        ),
        "extra_cells": ("本行的列数多于表头。", "The row has more cells than the header."),
        "date_format": ("日期格式无法识别，请写成 2026-01-31。", "Not a date: write 2026-01-31."),
        "date_impossible": ("没有这一天。", "There is no such day."),
        "date_range": ("日期应在 1990 年至 2100 年之间。", "Dates lie between 1990 and 2100."),
        "date_order": ("截止日期早于开始日期。", "The last day is before the first day."),
        "state_unknown": (
            "证书状态应为有效、暂停、撤销、注销或过期。",
            "The state is one of valid, suspended, withdrawn, cancelled, expired.",
        ),
        "state_date_missing": (
            "须填写状态生效日期：暂停、撤销、注销，以及恢复有效，自哪一天起。",
            "Give the day from which the certificate is suspended, withdrawn, cancelled or valid again.",
        ),
        "state_before_certificate": (
            "状态生效日期早于证书生效日期。",
            "The state would begin before the certificate does.",
        ),
        "grade_unknown": ("等级应为 1 至 5。", "The grade is a number from 1 to 5."),
        "tier_unknown": ("星级应为 1 至 3。", "The tier is a number from 1 to 3."),
        "scientific_notation": (
            "编码被电子表格改成了科学计数法，请将该列设为文本后重新填写。",
            "The spreadsheet turned the code into scientific notation: format the column as text and enter it again.",
        ),
        "scheme_unknown": ("认证项目不在登记的名录中。", "The scheme is not registered."),
        "body_unknown": (
            "认证机构批准号格式不符，也不是已登记的发证单位。",
            "Neither an approval number of a certification body nor a registered issuer.",
        ),
        "body_name_missing": ("首次出现的认证机构须填写机构名称。", "A body that is new here needs its name."),
        "list_unknown": (
            "名单应为严重违法失信名单或经营异常名录。",
            "The list is 严重违法失信名单 (serious) or 经营异常名录 (abnormal).",
        ),
        "uscc_invalid": ("统一社会信用代码有误，请核对。", "The unified social credit code is wrong."),
        "personal": (
            "内容像个人身份证号或手机号，不予保存。",
            "This looks like a citizen's identity or phone number and is not stored.",
        ),
        "number_invalid": (
            "证书编号只能含字母、数字、“-”和“/”，6 至 40 个字符。",
            "A certificate number has 6 to 40 letters, digits, - and /.",
        ),
        "not_a_certificate": ("不能作为绿色认证证书：{detail_zh}", "No green certificate: {detail_en}"),
        "code_not_usable": ("产品编码不能用于登记：{detail_zh}", "This code cannot be registered: {detail_en}"),
        "code_unknown": (
            "产品编码不是已知的条码或标识编码；型号请填在规格型号列。",
            "Not a known barcode or label code; a model belongs in the model column.",
        ),
        "conflicting_rows": (
            "与第 {other_line} 行矛盾：同一证书的此项内容不同，两行均未导入。",
            "Contradicts line {other_line}: the same certificate says something else; neither was stored.",
        ),
        "conflicting_products": (
            "与第 {other_line} 行矛盾：同一证书下同一产品的此项内容不同，两行均未导入。",
            "Contradicts line {other_line}: the same product of the certificate differs; neither was stored.",
        ),
        "scheme_differs": (
            "该证书已登记为其他认证项目（{scheme}）。",
            "The certificate is already registered under another scheme ({scheme}).",
        ),
        "not_valid_now": (
            "该证书已登记为{state}（自 {since} 起），恢复有效须填写状态生效日期。",
            "The certificate is registered as {state} since {since}: give the day from which it is valid again.",
        ),
        "delisted": (
            "该产品已于 {since} 移出证书，重新列入须填写产品生效日期。",
            "The product left the certificate on {since}: give the day from which it is listed again.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell of one line. `column` is the heading as the file wrote it. Nothing of the cell's content is kept."""

    line: int
    column: str
    code: str
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def reason_zh(self) -> str:
        return REASONS[self.code][0].format(**self.facts)

    @property
    def reason_en(self) -> str:
        return REASONS[self.code][1].format(**self.facts)
