"""The columns of an import file: their names, every heading they are known by, what belongs in them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from backend.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Heading:
    zh: str
    note_zh: str
    example: str
    also: tuple[str, ...] = ()


HEADINGS: Mapping[str, Heading] = MappingProxyType(
    {
        "scheme": Heading("认证项目", "名录中的代码或名称", "能源效率标识", ("标识类别", "认证类别", "认证领域")),
        "certificate_no": Heading(
            "证书编号",
            "证书、许可或备案的编号",
            "202601-27-10000001-100000000001",
            ("备案号", "certificate", "number", "certNumber"),
        ),
        "body": Heading(
            "认证机构批准号",
            "CNCA-R-年-号；备案机关等用其代码或名称",
            "CNIS",
            ("机构批准号", "发证机构", "rzjgId"),
        ),
        "body_name": Heading("认证机构名称", "首次出现的机构必填", "中国标准化研究院", ("机构名称", "rzjgIdName")),
        "holder": Heading(
            "获证企业名称",
            "证书持有人，照证书填写",
            "示例电器有限公司",
            ("证书持有人", "持证人", "委托人", "企业名称", "生产者名称", "orgName"),
        ),
        "uscc": Heading("统一社会信用代码", "18 位；境外企业留空", "", ("信用代码", "orgCode")),
        "product": Heading("产品名称", "照证书填写", "家用电冰箱", ("产品", "product_name")),
        "model": Heading("规格型号", "照证书填写", "BCD-500W", ("型号", "产品型号")),
        "code": Heading(
            "产品编码",
            "条码或标识编码；留空则以证书编号查询",
            "9521234543213",
            ("条码", "商品条码", "gtin", "barcode", "标识编码"),
        ),
        "category": Heading("产品类别", "政策所用的类别名称", "冰箱", ("类别", "品类")),
        "grade": Heading("等级", "1 至 5，1 为最高", "1", ("能效等级", "水效等级")),
        "tier": Heading("星级", "1 至 3", "", ("认证等级", "分级")),
        "valid_from": Heading(
            "证书生效日期", "2026-01-31", "2026-01-01", ("颁证日期", "发证日期", "有效期起", "公告日期")
        ),
        "valid_until": Heading(
            "证书到期日期", "当日仍有效；长期有效填“长期”", "长期", ("到期日期", "有效期至", "certiEDate")
        ),
        "state": Heading("证书状态", "有效、暂停、撤销、注销、过期", "有效", ("状态", "certiStatusName")),
        "state_from": Heading("状态生效日期", "暂停、撤销、注销及恢复有效时必填", "", ("状态日期",)),
        "product_from": Heading("产品生效日期", "产品列入证书或改变等级的日期", "", ("列入日期",)),
        "product_until": Heading("产品截止日期", "产品移出证书前的最后一天", "", ("移出日期",)),
    }
)

REQUIRED = ("scheme", "certificate_no", "body", "holder", "product", "valid_from", "valid_until", "state")

SCHEME_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "中国绿色产品": "china_green_product",
        "绿色产品": "china_green_product",
        "绿色建材": "green_building_material",
        "快递包装绿色产品": "green_packaging",
        "有机产品": "organic",
        "有机": "organic",
        "绿色食品标志": "green_food",
        "地理标志": "geographical_indication",
        "中国能效标识": "energy_label",
        "能效标识": "energy_label",
        "中国水效标识": "water_label",
        "节能认证": "energy_saving",
        "节水认证": "water_saving",
        "低碳产品": "low_carbon",
        "节能低碳产品认证": "low_carbon",
        "中国环境标志": "environmental_label",
        "环境标志": "environmental_label",
        "十环": "environmental_label",
        "产品碳足迹": "carbon_footprint",
        "再制造产品": "remanufactured",
    }
)

_DECORATION = re.compile(r"\s+|[*＊]|[(（]?必填[)）]?")


class ColumnsMissing(DomainError):
    code = "import-columns-missing"
    text_zh = "表头缺少这些列：{columns}。可用 greenpoints certificates template 取得模板。"
    text_en = "The header lacks these columns: {columns}. `greenpoints certificates template` prints a template."


class ColumnsRepeated(DomainError):
    code = "import-columns-repeated"
    text_zh = "表头中这些列出现了不止一次：{columns}。"
    text_en = "These columns stand in the header more than once: {columns}."


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each known column stands in the file, how the file spells it, and what was not understood."""

    positions: Mapping[str, int]
    headings: Mapping[str, str]
    ignored: tuple[str, ...]
    width: int


def find_columns(header: Sequence[str]) -> Columns:
    """Columns may come in any order. Raises ColumnsMissing or ColumnsRepeated."""
    names = [_NAMES.get(_plain(heading)) for heading in header]
    positions = {name: position for position, name in enumerate(names) if name is not None}
    repeated = sorted({HEADINGS[name].zh for name in names if name is not None and names.count(name) > 1})
    if repeated:
        raise ColumnsRepeated(columns="、".join(repeated))
    missing = [f"{HEADINGS[name].zh} ({name})" for name in REQUIRED if name not in positions]
    if missing:
        raise ColumnsMissing(columns="、".join(missing))
    ignored = tuple(heading for heading, name in zip(header, names, strict=True) if name is None and heading.strip())
    return Columns(positions, {name: header[position] for name, position in positions.items()}, ignored, len(header))


def _plain(heading: str) -> str:
    return _DECORATION.sub("", unicodedata.normalize("NFKC", heading)).strip("\ufeff").casefold().replace("_", "")


_NAMES = {
    _plain(spelling): name for name, heading in HEADINGS.items() for spelling in (name, heading.zh, *heading.also)
}
