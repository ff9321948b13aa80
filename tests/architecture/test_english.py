"""Pages of the console speak two languages: no Chinese stands in a template but in the first words of a `say`."""

import re
from collections.abc import Iterator

from jinja2 import Environment, nodes

from tests.architecture.project import ROOT

TEMPLATES = ROOT / "backend" / "web" / "console" / "templates"
CHINESE = re.compile(r"[\u3400-\u9fff]+")
TYPED = frozenset(
    {"中文", "长期", "张", *["名单", "统一社会信用代码", "文号", "列入机关", "列入日期", "移出日期", "移出文号"]}
)
"""The name of the other language, and what has to be typed or stand in a file in these very words."""


def untranslated(source: str) -> Iterator[str]:
    """Chinese that an English page would show: what stands neither in the first of a `say` nor first in a pair of texts."""
    tree = Environment(autoescape=True).parse(source)
    spoken = [
        call.args[0] for call in tree.find_all(nodes.Call) if call.args and getattr(call.node, "name", "") == "say"
    ]
    spoken += [pair.items[0] for pair in tree.find_all(nodes.Tuple) if pair.items]
    fine = {id(one) for words in spoken for one in (words, *words.find_all(nodes.Const))}
    for plain in tree.find_all(nodes.TemplateData):
        yield from CHINESE.findall(plain.data)
    for text in tree.find_all(nodes.Const):
        if isinstance(text.value, str) and id(text) not in fine:
            yield from CHINESE.findall(text.value)


def test_no_english_page_shows_chinese_of_its_own() -> None:
    found = {
        str(path.relative_to(TEMPLATES)): set(untranslated(path.read_text(encoding="utf-8"))) - TYPED
        for path in TEMPLATES.rglob("*.html")
    }
    assert len(found) > 80
    assert {name: words for name, words in found.items() if words} == {}


def test_the_test_finds_what_is_not_translated() -> None:
    wrong = '<p>裸</p>{{ say("好", "坏 " ~ x) }}{{ ui.card("卡") }}{{ say("甲" ~ ("乙" if y else "丙"), "b") }}{# 注 #}'

    assert set(untranslated(wrong)) == {"裸", "坏", "卡"}
