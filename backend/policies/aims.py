"""Goods that no green policy may reward, whatever label they carry: a table of words with the reason beside each."""

import re
from typing import NamedTuple

from backend.policies.words import Sentence


class Contrary(NamedTuple):
    """`words` anywhere in the name of a category make it contrary to the aim, unless `unless` stands there too."""

    words: re.Pattern[str]
    reason: Sentence
    unless: re.Pattern[str] | None = None


def _words(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


CONTRARY = (
    Contrary(
        _words(r"汽油|柴油|煤油|燃油|重油|加油站|\b(?:petrol|gasoline|diesel|kerosene|fuel oil)\b"),
        Sentence("化石燃料直接增加碳排放", "fossil fuel adds to emissions"),
        _words(r"尾气|滤清|替代|检测|\b(?:filter|substitute)\b"),
    ),
    Contrary(
        _words(r"煤炭|燃煤|散煤|型煤|烟煤|无烟煤|蜂窝煤|焦炭|^煤$|\b(?:coal|coke briquettes?)\b"),
        Sentence("燃煤增加碳排放和空气污染", "coal adds to emissions and foul air"),
        _words(r"替代|清洁取暖"),
    ),
    Contrary(
        _words(r"烟草|卷烟|香烟|雪茄|烟丝|电子烟|^烟$|\b(?:tobacco|cigarettes?|cigars?|vapes?)\b"),
        Sentence("烟草制品不得以公共资金奖励", "tobacco may not be rewarded with public money"),
    ),
    Contrary(
        _words(
            r"一次性(?:塑料|餐具|筷|杯|纸杯|吸管|用品)|塑料袋|塑料吸管|不可降解|"
            r"\b(?:single[- ]use|disposable (?:plastics?|cutlery|cups?)|plastic (?:bags?|straws?))\b"
        ),
        Sentence("一次性制品与减少废弃物的目标相反", "single-use goods are contrary to less waste"),
        _words(r"(?<!不)可降解|回收|\b(?:compostable|returned)\b"),
    ),
    Contrary(
        _words(r"烟花|爆竹|鞭炮|\b(?:fireworks|firecrackers)\b"),
        Sentence("燃放烟花爆竹污染空气", "fireworks foul the air"),
    ),
    Contrary(
        _words(r"白炽灯|\bincandescent\b"),
        Sentence("普通照明白炽灯已逐步淘汰", "incandescent lamps are being phased out"),
    ),
    Contrary(
        _words(r"氟利昂|含氢氯氟烃|\b(?:CFCs?|HCFCs?|freon)\b"),
        Sentence(
            "消耗臭氧层物质受《蒙特利尔议定书》管控", "the Montreal Protocol controls substances that deplete ozone"
        ),
    ),
    Contrary(
        _words(r"含汞|水银|\bmercury\b"),
        Sentence("含汞产品受《关于汞的水俣公约》管控", "the Minamata Convention controls products with mercury"),
        _words(r"无汞|不含汞|替代"),
    ),
    Contrary(
        _words(r"象牙|犀角|野生动物|\b(?:ivory|wildlife)\b"),
        Sentence("野生动物制品的交易受法律禁止或限制", "trade in wildlife is forbidden or restricted by law"),
        _words(r"保护|\bprotection\b"),
    ),
)
"""Matched against categories as cities write them, Chinese or English. Where a name fits by accident, the city names its
category more exactly: a policy is refused for its category alone, never silently changed."""


def contrary(category: str) -> Sentence | None:
    """Why goods of `category` may not be rewarded; None where nothing is known against them."""
    for one in CONTRARY:
        if one.words.search(category) and not (one.unless and one.unless.search(category)):
            return one.reason
    return None
