"""The choices of the form in the words of the trade: value -> Chinese, English."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from backend.policies.conditions import FACTS
from backend.policies.model import Per
from backend.web.console.declare import Texts


def _pairs(*words: tuple[str, str, str]) -> list[tuple[str, Texts]]:
    return [(value, (zh, en)) for value, zh, en in words]


OPTIONS: Mapping[str, Sequence[tuple[str, Texts]]] = MappingProxyType(
    {
        "unit": _pairs(
            ("fen", "补贴资金（元）", "subsidy (yuan)"),
            ("points", "积分", "points"),
            ("gco2e", "减碳量（克）", "carbon saved (g)"),
            ("evidence", "信用凭证（项）", "credit evidence"),
            ("fee", "门店手续费（元）", "shops' fee (yuan)"),
        ),
        "kind": _pairs(
            ("percent", "按成交价比例", "a share of the price"),
            ("table", "按等级分档", "by grade or tier"),
            ("fixed", "每次定额", "an amount a scan"),
            ("per_unit", "每件定额", "an amount a piece"),
        ),
        "by": _pairs(("grade", "能效（水效）等级", "grade"), ("tier", "认证星级", "tier")),
        "rounding": _pairs(("down", "尾数舍去", "down"), ("half_up", "四舍五入", "half up"), ("up", "尾数进位", "up")),
        "period": _pairs(
            ("day", "每日", "a day"),
            ("month", "每月", "a month"),
            ("year", "每年", "a year"),
            ("lifetime", "累计", "in all"),
        ),
        "counts": _pairs(("amount", "金额", "amount"), ("pieces", "件数", "pieces"), ("awards", "次数", "awards")),
        "beyond": _pairs(("refuse", "不予补贴", "is refused"), ("hold", "暂缓，人工核查", "is held for a person")),
        "mode": _pairs(
            ("sum", "可同时享受（相加）", "all are paid"),
            ("best", "取最高的一项", "the largest"),
            ("first", "取次序在先的一项", "the first"),
        ),
        "claims": _pairs(
            ("anywhere", "手机或任一门店", "by phone or at any shop"),
            ("same_store", "仅售出门店", "at the shop that sold it"),
        ),
        "of": _pairs(("price", "单价异常", "an unusual price"), ("travel", "异地购买", "two places")),
        "channels": _pairs(
            ("till", "收银台", "till"),
            ("phone", "手机扫码", "phone"),
            ("hand_in", "购买后补交旧机", "old unit handed in"),
        ),
        "buyers": _pairs(("person", "个人", "persons"), ("organisation", "单位", "organisations")),
        "op": _pairs(
            ("<=", "不高于", "at most"),
            ("<", "低于", "below"),
            (">=", "不低于", "at least"),
            (">", "高于", "above"),
            ("=", "为", "is"),
            ("!=", "不为", "is not"),
            ("in", "为其中之一", "is one of"),
            ("not_in", "不在其中", "is none of"),
        ),
        "flag": _pairs(("true", "是", "yes"), ("false", "否", "no")),
        "fact": [(fact.name, (fact.name_zh, fact.name_en)) for fact in FACTS.values()],
        "per": _pairs(
            (Per.PERSON, "每人", "person"),
            (Per.PHONE, "每个手机号", "phone number"),
            (Per.ADDRESS, "每个收货地址", "address"),
            (Per.CATEGORY, "每个品类", "category"),
            (Per.MODEL, "每个型号", "model"),
            (Per.SERIAL, "每个序列号", "serial number"),
            (Per.TRADE_IN, "每台旧机", "old unit"),
            (Per.SCHEME, "每个认证类别", "scheme"),
            (Per.STORE, "每家门店", "shop"),
            (Per.DISTRICT, "每个区县", "district"),
            (Per.CHANNEL, "每个渠道", "channel"),
            (Per.TILL, "每台收银设备", "till"),
            (Per.CASHIER, "每名收银员", "cashier"),
            (Per.HOUR, "每小时", "hour"),
            (Per.BASKET, "每单", "basket"),
            (Per.POLICY, "本政策合计", "policy as a whole"),
        ),
        "level": _pairs(
            ("U", "单件标识（U）", "unit (U)"),
            ("M", "型号标识（M）", "model (M)"),
            ("E", "企业标识（E）", "enterprise (E)"),
            ("S", "自我声明（S）", "self-declared (S)"),
        ),
        "proof": _pairs(
            ("P3", "联网收银（P3）", "online till (P3)"),
            ("P2", "收银记录（P2）", "till (P2)"),
            ("P1", "小票领取码（P1）", "claim code (P1)"),
            ("P0", "仅手机扫码（P0）", "phone alone (P0)"),
        ),
    }
)

GRADE_COMPARISONS = _pairs(
    ("<=", "达到（及以上）", "is at least as good as"),
    ("<", "高于", "is better than"),
    (">=", "该级及以下", "is at best"),
    (">", "低于", "is worse than"),
)
"""Grade 1 is the best and the highest: as numbers grades fall while the goods get better."""


def comparisons(fact: str, chosen: str) -> Sequence[tuple[str, Texts]]:
    """Those that a fact allows, in its words; what was chosen for another fact stays to be seen."""
    allowed = FACTS[fact].operators if fact in FACTS else ()
    words = dict(OPTIONS["op"]) | (dict(GRADE_COMPARISONS) if fact == "grade" else {})
    return [(value, named) for value, named in words.items() if value in allowed or value == chosen]
