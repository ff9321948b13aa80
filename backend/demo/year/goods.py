"""What Suzhou's shops sell: the products of the demonstration's registry, and those of a registry of its own.

GTINs carry the prefix 952 that GS1 keeps for examples; organic marks are of an approved body's range, one for every pack.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from backend.demo.year.shops import APPLIANCES, BUILDING, FOOD, HOME

_EVEN = (1,) * 12
_SUMMER = (1, 1, 2, 4, 7, 10, 9, 6, 3, 1, 2, 1)
_WINTER = (3, 2, 1, 1, 1, 2, 1, 1, 2, 4, 6, 4)
_TEA = (1, 1, 6, 9, 5, 2, 1, 1, 2, 2, 1, 2)
ORGANIC_BODY = "0001"


@dataclass(frozen=True, slots=True)
class Article:
    """`seasons`: how much of it is sold in January, February, …; `price_fen`: from, to. `organic`: each pack has its own code."""

    code: str
    name_zh: str
    kind: str
    weight: int
    price_fen: tuple[int, int]
    seasons: tuple[int, ...] = _EVEN
    quantity_max: int = 1
    organic: bool = False

    @property
    def symbology(self) -> str:
        return "EAN13" if self.code.isdigit() else "QRCODE"

    def read(self, on: date, rng: random.Random, price_bp: int = 10_000) -> dict[str, object]:
        """As a till sends it. `price_bp`: the shop's own level of prices."""
        code = organic_mark(on, rng) if self.organic else self.code
        quantity = rng.randint(1, self.quantity_max)
        price = rng.randrange(*self.price_fen, 10) * quantity * price_bp // 10_000
        read = {"sym": self.symbology, "code": code, "qty": quantity, "price_fen": price}
        return {**read, "raw": None, "aim": None, "sn": None}


def organic_mark(on: date, rng: random.Random) -> str:
    """18 digits: the body, the year in which the mark was issued, twelve digits at random (GB/T 19630)."""
    return f"有机码:{ORGANIC_BODY}{on.year % 100:02d}{rng.randrange(10**12):012d}"


FRIDGE, WASHER, TELEVISION, CONDITIONER, HEATER = (
    Article("9521234001010", "示例冰箱 BCD-420", APPLIANCES, 10, (319_900, 459_900)),
    Article("9521234001027", "示例洗衣机 XQG-90", APPLIANCES, 9, (229_900, 339_900)),
    Article("9521234001034", "示例平板电视 65E", APPLIANCES, 8, (349_900, 529_900), _WINTER),
    Article("9521234001041", "示例空调 KFR-35", APPLIANCES, 14, (259_900, 389_900), _SUMMER),
    Article("9521234001058", "示例热水器 60L", APPLIANCES, 6, (129_900, 199_900), _WINTER),
)
SECOND_GRADE = Article("9521234001065", "示例冰箱 BCD-260", APPLIANCES, 6, (189_900, 249_900))
WITHDRAWN = Article("9521234001102", "绿色食品 太湖大米 5 kg", FOOD, 14, (4_990, 7_990))
"""Whose certificate is withdrawn in the year."""
LEARNED = Article("9521234001119", "绿色产品 洗衣凝珠", HOME, 12, (2_990, 5_990), quantity_max=2)
"""Which the registry does not know until some weeks after the first sales."""
PLAIN = Article("9521234009993", "普通饮料", FOOD, 9, (350, 990), quantity_max=4)
ORGANIC = Article("organic", "有机蔬菜", FOOD, 20, (990, 3_990), quantity_max=1, organic=True)
ORGANIC_TEA = Article("organic", "有机碧螺春", FOOD, 4, (12_800, 39_800), _TEA, organic=True)
ARTICLES = (
    FRIDGE,
    WASHER,
    TELEVISION,
    CONDITIONER,
    HEATER,
    SECOND_GRADE,
    WITHDRAWN,
    LEARNED,
    PLAIN,
    ORGANIC,
    ORGANIC_TEA,
    Article("9521234001126", "绿色食品 菜籽油 5 L", FOOD, 10, (5_990, 8_990)),
    Article("9521234001133", "绿色食品 鲜牛奶", FOOD, 16, (590, 1_290), quantity_max=3),
    Article("9521234001140", "绿色产品 洗洁精 1 kg", HOME, 12, (990, 1_990), quantity_max=2),
    Article("9521234001157", "绿色产品 全棉毛巾", HOME, 8, (1_990, 3_990), quantity_max=4),
    Article("9521234001164", "绿色产品 再生纸抽纸", HOME, 14, (1_590, 2_990), quantity_max=2),
    Article("9521234001171", "环境标志 水性马克笔", HOME, 5, (990, 1_990)),
    Article("9521234001188", "三星绿色建材 内墙涂料 18 L", BUILDING, 10, (29_900, 49_900), quantity_max=3),
    Article("9521234001195", "二星绿色建材 陶瓷砖", BUILDING, 8, (3_990, 6_990), quantity_max=9),
    Article("9521234001201", "节水水嘴", BUILDING, 6, (4_990, 12_900)),
)


def registry_rows(withdrawn_on: date | None = None, *, learned: bool = False) -> list[Mapping[str, str]]:
    """The registry's rows at first; then, as they become known, a withdrawal and what was unknown."""
    if withdrawn_on is not None:
        return [_row(WITHDRAWN, "green_food", "粮食") | {"state": "撤销", "state_from": withdrawn_on.isoformat()}]
    if learned:
        return [_row(LEARNED, "china_green_product", "洗涤用品")]
    energy = ((FRIDGE, "冰箱"), (WASHER, "洗衣机"), (TELEVISION, "电视"), (CONDITIONER, "空调"), (HEATER, "热水器"))
    rows: list[Mapping[str, str]] = [_row(article, "energy_label", kind, grade="1") for article, kind in energy]
    rows.append(_row(SECOND_GRADE, "energy_label", "冰箱", grade="2"))
    rows.append(_row(WITHDRAWN, "green_food", "粮食"))
    by_code = {article.code: article for article in ARTICLES}
    for code, scheme, category, tier in _OTHERS:
        rows.append(_row(by_code[code], scheme, category, tier=tier))
    rows.append(_organic_body())
    return rows


_OTHERS = (
    ("9521234001126", "green_food", "食用油", ""),
    ("9521234001133", "green_food", "乳制品", ""),
    ("9521234001140", "china_green_product", "洗涤用品", ""),
    ("9521234001157", "china_green_product", "纺织品", ""),
    ("9521234001164", "china_green_product", "纸制品", ""),
    ("9521234001171", "environmental_label", "文具", ""),
    ("9521234001188", "green_building_material", "涂料", "3"),
    ("9521234001195", "green_building_material", "陶瓷砖", "2"),
    ("9521234001201", "water_saving", "水嘴", ""),
)
_NUMBERS = {
    "energy_label": "202401-14-99000001-00{}",
    "green_food": "LB-03-2401{}A",
}
_BODIES = {"energy_label": "CNIS", "green_food": "CGFDC"}


def _row(article: Article, scheme: str, category: str, *, grade: str = "", tier: str = "") -> dict[str, str]:
    serial = article.code[-11:-1]
    return {
        "scheme": scheme,
        "certificate_no": _NUMBERS.get(scheme, "DEMO-SZ-{}").format(serial),
        "body": _BODIES.get(scheme, "CNCA-R-2002-001"),
        "holder": "示例企业（苏州）有限公司",
        "valid_from": "2024-01-01",
        "valid_until": "长期" if scheme == "energy_label" else "2035-12-31",
        "state": "有效",
        "product": article.name_zh,
        "category": category,
        "code": article.code,
        "grade": grade,
        "tier": tier,
    }


def _organic_body() -> dict[str, str]:
    """The approval of a body stands for all the marks that it issues."""
    row = _row(ORGANIC, "organic", "有机食品")
    return row | {
        "certificate_no": "CNCA-R-2002-001",
        "code": f"organic_body:{ORGANIC_BODY}",
        "holder": "示例认证中心",
        "product": "有机产品",
        "valid_until": "长期",
    }


def known_from(ends: date) -> date:
    """When the registry comes to know `LEARNED`."""
    return ends - timedelta(days=240)


def withdrawn_from(ends: date) -> date:
    return ends - timedelta(days=75)
