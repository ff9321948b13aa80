"""What a page is held to by machine: no barrier that axe knows, nothing wider than the screen."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

import backend.web

AXE = Path(backend.web.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """Each with the first place that it was found at."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8") + ";null")
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, { runOnly: rules }).then((report) => report.violations)", _RULES
    )
    return [f"{one['id']}: {one['help']} {one['nodes'][0]['html'][:200]}" for one in found]


def fits(page: Page) -> list[str]:
    """What stands out at the side."""
    return list(
        page.evaluate(
            "() => [...document.body.querySelectorAll('*')].filter((one) => !one.closest('.spoken, .skip, .file')"
            " && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 120))"
        )
    )
