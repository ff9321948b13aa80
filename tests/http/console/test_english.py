"""English pages: said to be English, and what a city that has nothing yet shows is all in English."""

import re
from html import unescape
from itertools import groupby

from flask.testing import FlaskClient

from backend.officials.model import Role
from backend.storage.transaction import Database
from backend.web.console import here
from backend.web.console.declare import DECLARED, READS
from tests.http.conftest import Clock
from tests.http.console.test_pages_browser import NO_PAGES, _opener
from tests.worlds import officials
from tests.worlds.settling import BIG, open_office

CHINESE = re.compile(r"[\u3400-\u9fff]+")
HIDDEN = re.compile(r"<(script|style|option|td|dd)\b.*?</\1>|<[^>]*>", re.DOTALL)
"""Cells, values and choices hold what the city has called so."""
TYPED = "张 长期 名单 统一社会信用代码 文号 列入机关 列入日期 移出日期 移出文号"
"""What has to be typed or stand in a file in these very words."""
OTHERS = frozenset({"中文", "王敏", *CHINESE.findall(BIG), *TYPED.split()})
"""And the other language, and names."""
PLACE = re.compile("江苏省?.{0,4}[省市区县]")


def test_no_page_shows_chinese_words_of_its_own(client: FlaskClient, engine_db: Database, clock: Clock) -> None:
    open_office(engine_db)
    shown = sorted(
        (_opener(one), one.url)
        for one in DECLARED
        if one.method == READS and one.roles and "<" not in one.url and not NO_PAGES.search(one.url)
    )
    found = {}
    for role, pages in groupby(shown, key=lambda one: one[0]):
        at = {"city": "320000"} if role is Role.PROVINCE else {"retailer": BIG} if role is Role.SHOPKEEPER else {}
        officials.signed_in(client, engine_db, clock.now, role, **at)
        client.set_cookie(here.LANGUAGE, "en", path="/")
        for _, url in pages:
            answer = client.get(url)
            if answer.status_code == 200:
                assert '<html lang="en"' in answer.text, url
                said = set(CHINESE.findall(unescape(HIDDEN.sub(" ", answer.text)))) - OTHERS
                found[url] = {one for one in said if not PLACE.fullmatch(one)}
    assert len(found) > 50
    assert {url: words for url, words in found.items() if words} == {}
