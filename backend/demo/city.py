"""The demonstration city: Nanjing's code, invented shops, tills, residents and sales, and what each read must give.

GTINs carry the prefix 952 that GS1 keeps for examples; certificates say DEMO or 示例.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.demo.pictures import EASY, HARD, USUAL, Hardship, Symbology

CITY = "320100"
DATA = Path(__file__).resolve().parent / "nanjing"
CERTIFICATES = DATA / "certificates.csv"
POLICY = DATA / "policy.json"
CATALOGUE = DATA / "catalogue.json"
POLICY_NAME = "nanjing-demo-green-points"
ENERGY = "https://www.energylabel.com.cn/signDetails?productId=99000000{:04}&tenantId=854&productTypeCode={}&isOld=1"
WATER = "https://www.waterlabel.org.cn/signDetails?productId=99000001{:04}&tenantId=840&productTypeCode=03&isOld=1"
FINISH_CODE = "GPFIN"


@dataclass(frozen=True, slots=True)
class Store:
    store: str
    retailer: str
    name_zh: str
    district: str  # GB/T 2260


@dataclass(frozen=True, slots=True)
class Till:
    device: str
    store: Store
    name_zh: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the policy gives for a read. `once`: only the first read ever earns it; later ones are told so."""

    outcome: str
    reason: str
    award: int = 0
    once: bool = False


@dataclass(frozen=True, slots=True)
class Goods:
    """One package on the counter, the price the shop's till rings up, and what must come of it."""

    symbology: Symbology
    code: str
    title: str
    caption: str
    expected: Expected
    price_fen: int | None = None
    quantity: int = 1
    hardship: Hardship = USUAL


@dataclass(frozen=True, slots=True)
class Sale:
    """One customer: who (None shows no code and gets a claim code), and the goods in their order."""

    member: str | None
    goods: tuple[Goods, ...]


MARKET = Store("nj-demo-market", "示例商贸有限公司", "示例商场（新街口）", "320104")
APPLIANCES = Store("nj-demo-appliances", "示例家电连锁有限公司", "示例家电（鼓楼）", "320106")
PICTURE_TILL = Till("nj-market-01", MARKET, "新街口 1 号台")
VIDEO_TILL = Till("nj-appliances-01", APPLIANCES, "鼓楼 1 号台")
TILLS = (PICTURE_TILL, VIDEO_TILL)
PARTNERS = (
    Store("nj-demo-metro", "示例公交集团有限公司", "示例公交地铁服务点（新街口）", "320104"),
    Store("nj-demo-garden", "示例植物园", "示例植物园售票处", "320102"),
    Store("nj-demo-centre", "示例社区文体中心", "示例社区文体中心（建邺）", "320105"),
    Store("nj-demo-books", "示例书店有限公司", "示例书店（秦淮）", "320104"),
)
"""Where residents redeem, besides the shops that have tills."""
REDEEMER, REDEEMED = "李示例", "book-voucher-10"
"""Who redeems what at the end of the show."""
RESIDENTS = ("陈示例", "李示例", "王示例")
PHONE_RESIDENT = "王示例"


def picture_sales(run_no: int) -> tuple[Sale, ...]:
    """What the picture till reads. `run_no` numbers the bottle of detergent that is sold in this run."""
    tea = "有机码:000124990000000001"
    return (
        Sale(
            "陈示例",
            (
                Goods("QRCODE", tea, "有机产品 ORGANIC", "有机雨花茶", _award(256, once=True), 12_800),
                Goods("CODE128", "GF320118249001", "绿色食品", "绿色食品 大米", _award(39), 7_990, hardship=EASY),
                Goods("EAN13", "9521234000990", "普通商品", "苏打水", _PENDING, 350),
            ),
        ),
        Sale(
            None,
            (
                Goods("EAN13", "9521234000303", "绿色产品", "洗衣液 3 kg", _UNCLAIMED, 3_980),
                Goods("QRCODE", "有机码:000124990000000004", "有机产品", "有机鸡蛋", _refusal("suspended"), 2_680),
                Goods("EAN13", "9521234000334", "绿色产品", "洗洁精 1 kg", _refusal("expired"), 1_290),
            ),
        ),
        Sale(
            "李示例",
            (
                Goods("QRCODE", tea, "有机产品 ORGANIC", "有机雨花茶(复印的标签)", _COPIED, 12_800, hardship=HARD),
                Goods("GS1_DATAMATRIX", detergent(run_no), "绿色产品", "洗衣液 3 kg", _award(10, once=True), 3_980),
                Goods("QRCODE", "2021010901402658", "CCC", "强制性产品认证", Expected("none", "label_ccc"), 9_900),
            ),
        ),
        Sale(
            "李示例",
            (
                Goods("EAN13", "9521234000013", "能效 1 级", "冰箱 BCD-500", _award(500), 499_900, hardship=HARD),
                Goods("QRCODE", ENERGY.format(3, "23"), "中国能效标识", "空调 KFR-35", _CAPPED, 329_900),
                Goods("QRCODE", ENERGY.format(6, "26"), "中国能效标识", "电视 43B", _GRADE, 159_900, hardship=EASY),
                Goods("QRCODE", ENERGY.format(8, "09"), "中国能效标识", "热水器 60L", _refusal("withdrawn"), 99_900),
            ),
        ),
    )


def video_sale() -> Sale:
    """What the video till reads: no prices are fed, so the proof is weaker and the rate half."""
    return Sale(
        "王示例",
        (
            Goods("QRCODE", WATER.format(1), "中国水效标识", "洗碗机 W12", _award(250)),
            Goods("EAN13", "9521234000402", "绿色建材", "水性内墙涂料", _award(30)),
            Goods("EAN13", "9521234000501", "快递包装绿色产品", "可循环快递箱", _award(5)),
        ),
    )


def phone_goods() -> tuple[Goods, ...]:
    """What a resident scans with a phone: a look at the label, not a purchase."""
    return (
        Goods("QRCODE", ENERGY.format(9, "27"), "中国能效标识", "计算机", _award(2)),
        Goods("EAN13", "9521234000990", "普通商品", "苏打水", _PENDING),
    )


def all_goods(run_no: int) -> Iterator[Goods]:
    for sale in (*picture_sales(run_no), video_sale()):
        yield from sale.goods
    yield from phone_goods()


def detergent(run_no: int) -> str:
    """A serialised package of its own for every run: a label that names one unit earns once, ever."""
    return f"(01)09521234000303(21)R{run_no:06}"


def _award(points: int, *, once: bool = False) -> Expected:
    return Expected("awarded", "awarded", points, once)


def _refusal(state: str) -> Expected:
    return Expected("none", f"certificate_{state}")


_PENDING = Expected("pending_product", "product_unknown")
_UNCLAIMED = Expected("unclaimed", "claim_open")
_COPIED = Expected("none", "unit_already_awarded")
_CAPPED = Expected("awarded", "awarded_in_part", 390)
_GRADE = Expected("none", "condition")
