import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import click

from backend.kernel.errors import DomainError
from backend.labels.model import Confidence, Reading, Scheme, Scope
from backend.labels.parse import parse
from backend.labels.sentences import WARNINGS

_MAX_LINE_BYTES = 65_536
"""Room for 2 KiB in hexadecimal and in JSON escapes, many times over."""

_SCOPES = {
    Scope.UNIT: "单件商品",
    Scope.MODEL: "商品型号",
    Scope.ENTERPRISE: "企业",
    Scope.LICENCE: "证书或许可",
    Scope.CRITERIA: "标准文件",
    Scope.NONE: "无",
}
_CONFIDENCES = {Confidence.CERTAIN: "确定", Confidence.LIKELY: "较确定", Confidence.REVIEW: "需人工核对"}
_SCHEMES = {
    Scheme.GTIN: "商品条码", Scheme.SGTIN: "单品序列号", Scheme.GS1: "GS1 数据", Scheme.SSCC: "物流单元",
    Scheme.GRAI: "可循环包装", Scheme.RCN: "店内码", Scheme.COUPON: "优惠券", Scheme.ORGANIC: "有机码",
    Scheme.ORGANIC_CERTIFICATE: "有机产品证书", Scheme.GREEN_FOOD_GF: "绿色食品企业信息码",
    Scheme.GREEN_FOOD_LB: "绿色食品产品编号", Scheme.ENERGY_LABEL: "能效标识", Scheme.WATER_LABEL: "水效标识",
    Scheme.ENERGY_FILING: "能效备案号", Scheme.USCC: "统一社会信用代码", Scheme.CNCA_BODY: "认证机构批准号",
    Scheme.RULE: "认证规则编号", Scheme.CCC: "CCC 证书", Scheme.SYSTEM_CERTIFICATE: "管理体系证书",
    Scheme.FSC: "FSC 许可", Scheme.FSC_CERTIFICATE: "FSC 证书", Scheme.PEFC: "PEFC 许可",
    Scheme.EU_ECOLABEL: "欧盟生态标签", Scheme.BLUE_ANGEL: "蓝天使标准", Scheme.KOREA_ECOLABEL: "韩国环境标志标准",
    Scheme.EPREL: "欧盟能效登记号", Scheme.ECODE: "Ecode 编码", Scheme.CERTIFICATE: "证书编号",
    Scheme.MEMBER_CODE: "会员码", Scheme.CLAIM_CODE: "领取码", Scheme.CITIZEN_ID: "居民身份证号",
    Scheme.PHONE_NUMBER: "手机号码", Scheme.URL: "网址", Scheme.UNREADABLE: "无法识别",
}  # fmt: skip


class LineUnreadable(DomainError):
    """A line of standard input that is not the JSON asked for. Its text is not repeated: it may name a person."""

    code = "line-unreadable"
    text_zh = "第 {line} 行不是可识别的输入：{reason_zh}。"
    text_en = "Line {line} is no readable input: {reason_en}."


@click.group()
def labels() -> None:
    """标签解读：一个码说明什么 / what a label code says."""


@labels.command("parse")
@click.option("--json", "as_json", is_flag=True, help="每行一个 JSON 对象，供程序读取 / one JSON object a line.")
@click.argument("texts", nargs=-1)
def parse_labels(texts: tuple[str, ...], *, as_json: bool) -> None:
    """解读标签内容，或逐行读取标准输入 / reads label codes.

    每行一个 JSON 对象，有 bytes_hex 时不看 text；不带 --json 时也可直接是标签内容。

    TEXTS, or a code a line from standard input: {"text": …, "bytes_hex": …, "symbology": …, "aim": …}, where bytes_hex
    goes before text; without --json a line that is no JSON object is the text itself. Answers in the order of the lines;
    exit 1 if a line was unreadable.
    """
    refused = False
    lines: Iterable[str | bytes] = texts or _lines(sys.stdin.buffer)
    for number, line in enumerate(lines, 1):
        try:
            reading = parse(line) if isinstance(line, str) else _read_line(line, number, plain=not as_json)
            answer = _as_json(reading) if as_json else _as_text(reading)
        except LineUnreadable as refusal:
            refused = True
            answer = _refusal(refusal, as_json=as_json)
        click.echo(answer)
        sys.stdout.flush()
    if refused:
        raise click.exceptions.Exit(1)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines without their end; one longer than the limit comes cut, and its rest is skipped."""
    while line := stream.readline(_MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > _MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(_MAX_LINE_BYTES + 1)
        yield line.rstrip(b"\r\n")


def _read_line(line: bytes, number: int, *, plain: bool) -> Reading:
    if len(line) > _MAX_LINE_BYTES:
        raise LineUnreadable(line=number, reason_zh="太长", reason_en="it is too long")
    if plain and not line.lstrip().startswith(b"{"):
        return parse(line)
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise LineUnreadable(line=number, reason_zh="不是 JSON 对象", reason_en="it is no JSON object")
    return parse(_content(fields, number), _name(fields, "symbology", number), _name(fields, "aim", number))


def _content(fields: dict[str, Any], number: int) -> bytes | str:
    raw, text = fields.get("bytes_hex"), fields.get("text")
    if isinstance(raw, str):
        try:
            return bytes.fromhex(raw)
        except ValueError:
            raise LineUnreadable(
                line=number, reason_zh="bytes_hex 不是十六进制", reason_en="bytes_hex is not hexadecimal"
            ) from None
    if raw is not None or not isinstance(text, str):
        raise LineUnreadable(
            line=number, reason_zh="缺少文字 text 或 bytes_hex", reason_en="text or bytes_hex is missing"
        )
    return text


def _name(fields: dict[str, Any], field: str, number: int) -> str | None:
    value = fields.get(field)
    if value is None or isinstance(value, str):
        return value
    raise LineUnreadable(line=number, reason_zh=f"{field} 不是文字", reason_en=f"{field} is not text")


def _as_json(reading: Reading) -> str:
    fields = {
        "scheme": reading.scheme,
        "key": reading.key,
        "scope": reading.scope,
        "usable": reading.usable,
        "confidence": reading.confidence,
        "warnings": reading.warnings,
        "registry_keys": reading.registry_keys,
        "parts": dict(reading.parts),
    }
    return json.dumps(fields, ensure_ascii=False)


def _as_text(reading: Reading) -> str:
    support = "可作为积分依据" if reading.usable else "不能作为积分依据"
    nothing = "（不保存内容）" if reading.personal or reading.secret else "（没有可用的号码）"
    head = f"{_SCHEMES[reading.scheme]}：{reading.key or nothing}"
    facts = f"  标识对象：{_SCOPES[reading.scope]}；{support}；可信度：{_CONFIDENCES[reading.confidence]}"
    return "\n".join([head, facts, *(f"  提示：{WARNINGS[warning][0]}" for warning in reading.warnings)])


def _refusal(refusal: LineUnreadable, *, as_json: bool) -> str:
    if not as_json:
        return refusal.sentence_zh
    error = {
        "code": refusal.code,
        "detail_zh": refusal.sentence_zh,
        "detail_en": refusal.sentence_en,
        "line": refusal.facts["line"],
    }
    return json.dumps({"error": error}, ensure_ascii=False)
