"""Every page of the console in a real browser, as the map of routes has them: for everyone, by keyboard alone, on two screens."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from backend.demo.year.goods import ARTICLES
from backend.officials.model import Role, Stage
from backend.web.console.declare import DECLARED, READS, Declared, Topic
from tests.conftest import copied
from tests.http.console.lived import DAYS, QUARTER, Lived, lived
from tests.http.console.pictures import BYTES_MAX, ENTRY, FOLDER, LIST, name_of, pictured, take
from tests.http.page.looks import fits, settled, violations
from tests.worlds import officials
from tests.worlds.browser import profile
from tests.worlds.console import Desk

NO_PAGES = re.compile(r"\.csv$|/file$|-files/|/progress$")
"""Files, and the part of a draft's page that comes while a preview runs."""
DOORS = ("/console/sign-in", "/shop/sign-in")
MOST = {
    Topic.OVERVIEW: Role.CITY_ADMINISTRATOR,
    Topic.POLICIES: Role.POLICY_AUTHOR,
    Topic.MONEY: Role.FINANCE,
    Topic.FLEET: Role.FLEET,
    Topic.AUDIT: Role.AUDITOR,
    Topic.PEOPLE: Role.CITY_ADMINISTRATOR,
}
"""Who has most to do on a page; where they may not, the first of OPENS who may."""
OPENS = (
    Role.CASE_OFFICER,
    Role.FINANCE,
    Role.POLICY_AUTHOR,
    Role.FLEET,
    Role.CITY_ADMINISTRATOR,
    Role.AUDITOR,
    Role.PROVINCE,
    Role.SHOPKEEPER,
)
FURTHER = (f"/console/registry/search?q={ARTICLES[0].code}",)
"""What is found by asking."""
LINKS = """() => [...document.querySelectorAll("a[href]")].map((one) => one.getAttribute("href"))"""
SMALL, LARGE = {"width": 1280, "height": 800}, {"width": 1920, "height": 1080}
TYPED_THROUGH = {"/console/", "/console/settlements", "/console/policy-drafts/new"}
"""Where Tab itself is pressed; of the others it is read that each control takes its turn and shows it."""
CUT = """() => [...document.querySelectorAll("body, body *")].filter((one) => {
  const style = getComputedStyle(one);
  if (one.matches("textarea, select, option, input, pre, .visually-hidden, .gp-skip") || !one.checkVisibility()) return false;
  const wide = one.scrollWidth > one.clientWidth + 1 && style.overflowX !== "visible" && one.clientWidth > 0;
  const high = one.scrollHeight > one.clientHeight + 1 && ["hidden", "clip"].includes(style.overflowY) && one.clientHeight > 0;
  const scrolls = one === document.body && document.scrollingElement.scrollWidth > innerWidth;
  return (wide || high || scrolls) && one.textContent.trim();
}).map((one) => [one.scrollWidth, one.clientWidth, one.scrollHeight, one.clientHeight, one.outerHTML.slice(0, 99)].join(" "))"""
"""What scrolls sideways inside the page, or is cut."""
WATCH = """() => {
  const controls = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")];
  window.wanted = new Set(controls.filter((one) => one.checkVisibility() && !one.disabled && !one.matches(".visually-hidden")));
  window.shows = (one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 1) || one.matches("body, main");
  };
  window.unseen = new Set();
  document.addEventListener("focusin", ({ target }) => {
    window.wanted.delete(target);
    for (const one of window.wanted) if (target.type === "radio" && one.name === target.name) window.wanted.delete(one);
    if (!window.shows(target)) window.unseen.add(target);
  });
  document.activeElement.blur();
  return window.wanted.size;
}"""
FOCUS = """() => { for (const one of [...window.wanted]) if (one.tabIndex === 0) one.focus({ focusVisible: true }); }"""
LEFT = """() => {
  const said = (what, them) => [...them].map((one) => `${what}: ${one.outerHTML.slice(0, 160)}`);
  return [...said("not reached by Tab", window.wanted), ...said("focus is not seen", window.unseen)];
}"""


def pages() -> dict[str, Role | Stage | None]:
    """By their rules, with who opens them: nobody yet at the door."""
    declared = [one for one in DECLARED if one.method == READS and not NO_PAGES.search(one.url)]
    return dict.fromkeys(DOORS) | {one.url: _opener(one) if one.stage is Stage.FULL else one.stage for one in declared}


def _opener(one: Declared) -> Role:
    most = MOST.get(one.topic) if one.topic else None
    return most if most in one.roles else next(role for role in OPENS if role in one.roles)


def test_every_page_is_for_everyone(
    browser: Browser, server_url: str, template: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """With --screenshots a longer life is lived, and each page's picture taken anew."""
    pictures = FOLDER if pytestconfig.getoption("screenshots") else None
    with copied(server_url, template) as url, lived(url, tmp_path, QUARTER if pictures else DAYS) as world:
        unseen, wrong = walked(browser, world, pictures)
    assert unseen == set()
    assert wrong == {}


def test_every_page_has_its_picture_and_caption_in_the_docs() -> None:
    """make screenshots takes the pictures; captions are written by hand."""
    wanted = {(url, name_of(url)) for url in pictured(pages())}
    entries = list(ENTRY.finditer(LIST.read_text(encoding="utf-8")))
    files = {file.stem: file.stat().st_size for file in FOLDER.iterdir()}

    assert {(one["url"], one["name"]) for one in entries} == wanted
    assert files.keys() == {name for _, name in wanted}
    assert [one["url"] for one in entries if not re.search("[\u4e00-\u9fff]{4}", one["caption"])] == []
    assert sum(files.values()) < BYTES_MAX


def walked(browser: Browser, world: Lived, pictures: Path | None = None) -> tuple[set[str], dict[str, list[str]]]:
    """From the menu by links alone. The pages that no link leads to, and what is wrong with the others, by their addresses."""
    wanted = pages()
    seen = {rule for rule in wanted if "<" not in rule}
    waiting, wrong = [*sorted(seen), *FURTHER], {}
    with desks(browser, world) as staff:
        for path in waiting:
            rule = rule_of(world, path)
            page = staff[wanted[rule]].page
            answer = page.goto(world.served.url + path)
            refused = [] if answer is None or answer.ok else [f"answered {answer.status}"]
            for link in page.evaluate(LINKS):
                found = rule_of(world, link)
                if found in wanted and found not in seen:
                    seen.add(found)
                    waiting.append(link)
            if pictures and rule in pictured(wanted):
                page.set_viewport_size(SMALL)  # type: ignore[arg-type]  # a dict of its two words
                page.emulate_media(color_scheme="light")
                page.evaluate("dress()")
                take(page, rule, pictures)
            if said := refused + looked_over(staff[wanted[rule]], rule):
                wrong[path] = said
    return wanted.keys() - seen, wrong


@contextmanager
def desks(browser: Browser, world: Lived) -> Iterator[dict[Role | Stage | None, Desk]]:
    with ExitStack() as stack:
        staff: dict[Role | Stage | None, Desk] = {}
        for who in (None, Stage.PASSWORD, Stage.FACTOR, *OPENS):
            window = stack.enter_context(profile(browser))
            token = "" if who is None else world.tokens[who]
            tokens = (token, token if who is None else world.at_shops.get(who, token))
            for cookie, value in zip(officials.COOKIES, tokens, strict=True):
                window.add_cookies([{"name": cookie, "value": value, "url": world.served.url}])
            staff[who] = world.served.tab(window)
            staff[who].page.emulate_media(reduced_motion="reduce")
        yield staff


def rule_of(world: Lived, path: str) -> str:
    """The rule that a path is of; empty where there is none."""
    address = path.partition("#")[0].partition("?")[0]
    try:
        rule, _ = world.served.app.url_map.bind("localhost").match(address, method=READS, return_rule=True)
    except (HTTPException, RequestRedirect):
        return ""
    return str(rule.rule)


def looked_over(desk: Desk, rule: str) -> list[str]:
    """What is wrong with the page that is open, in both colours and both sizes: the one before, then the other."""
    page, said = desk.page, []
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    dark = page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    said += [f"axe: {one}" for one in violations(page)]
    other = "light" if dark else "dark"
    page.emulate_media(color_scheme=other)  # type: ignore[arg-type]  # one of its two words
    page.evaluate("dress()")  # of theme.js, which else hears of it with the next frame
    said += [f"axe, {other}: {one}" for one in violations(page, ["color-contrast"])]
    for size in (SMALL, LARGE) if page.viewport_size == SMALL else (LARGE, SMALL):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a dict of its two words
        said += [f"{size['width']}: {one}" for one in (*fits(page), *settled(page, CUT))]
    said += by_keyboard(page, typed=rule in TYPED_THROUGH)
    said += desk.complaints
    desk.complaints.clear()
    return said


def by_keyboard(page: Page, *, typed: bool) -> list[str]:
    controls = page.evaluate(WATCH)
    if typed:
        for _ in range(controls + 20):  # a field of a date takes several
            page.keyboard.press("Tab")
    else:
        page.evaluate(FOCUS)
    return list(page.evaluate(LEFT))
