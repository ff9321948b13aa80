"""What a page is held to by machine: no barrier that axe knows, nothing wider than the screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

import backend.web
from tests.http.page.conftest import PHONE_SCREEN, Phone

AXE = Path(backend.web.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SMALLEST, ZOOMED = {"width": 320, "height": 640}, {"width": 195, "height": 422}
"""The narrowest phone; and 390 x 844 as it remains when a browser shows everything at 200 %."""
WHOLE = {"width": 390, "height": 3_000}
"""Nothing of it has been scrolled behind the tabs, where it could not be pressed."""
_RUN = """rules => axe.run(document, { runOnly: rules, resultTypes: ["violations"], preload: false, iframes: false })
  .then((report) => report.violations)"""
_STANDS_OUT = """() => [...document.body.querySelectorAll('*')].filter((one) => !one.closest('.spoken, .skip, .file')
  && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 120))"""
SETTLING_LOOKS, SETTLING_MS = 10, 200
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def look_over(phone: Phone, screen: str) -> None:
    """In light and dark, on the usual phone, the narrowest one, and magnified."""
    page = phone.page
    page.set_viewport_size(WHOLE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its two words
        phone.go(screen)
        assert violations(page) == [], (screen, scheme)
    for size in (PHONE_SCREEN, SMALLEST, ZOOMED):
        page.set_viewport_size(size)
        assert fits(page) == [], (screen, size)


def violations(page: Page, rules: Sequence[str] = _RULES) -> list[str]:
    """Each with the first place that it was found at."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8") + ";null")
    found: list[dict[str, Any]] = page.evaluate(_RUN, rules)
    return [f"{one['id']}: {one['help']} {one['nodes'][0]['html'][:200]}" for one in found]


def fits(page: Page) -> list[str]:
    """What stands out at the side."""
    return settled(page, _STANDS_OUT)


def settled(page: Page, faults: str) -> list[str]:
    """What `faults` still finds when a page of another width has drawn its charts anew, which takes it a moment."""
    found = page.evaluate(faults)
    for _ in range(SETTLING_LOOKS):
        if not found:
            break
        page.wait_for_timeout(SETTLING_MS)
        found = page.evaluate(faults)
    return list(found)
