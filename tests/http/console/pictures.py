"""The pictures of pages in docs/console.md: which there must be, and how one is taken (`make screenshots`)."""

import io
import re
from collections.abc import Iterable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.architecture.project import ROOT

LIST, FOLDER = ROOT / "docs" / "console.md", ROOT / "docs" / "console"
SHARED = ("/shop/sign-in", "/shop/step-up", "/shop/account", "/shop/staff")
HEIGHT_MAX, COLOURS, BYTES_MAX = 1_400, 96, 4_000_000
ENTRY = re.compile(
    r"^### (?P<title>.+) `(?P<url>/.+)`\n\n(?P<caption>.+)\n\n!\[(?P=title)\]\(console/(?P<name>.+)\.png\)$",
    re.MULTILINE,
)
BLANK = ".gp-chart:not(:has(canvas))"
"""A chart that is not drawn yet."""


def name_of(url: str) -> str:
    """Of the picture of a rule: /console/policies/<policy> is policies-policy."""
    words = re.findall(r"[a-z_]+", re.sub(r"<(?:[^:>]+:)?(\w+)>", r"\1", url).removeprefix("/console"))
    return "-".join(words).replace("_", "-") or "overview"


def pictured(rules: Iterable[str]) -> set[str]:
    """Without those that shops have in common with the city."""
    return {url for url in rules if not url.startswith(SHARED)}


def take(page: Page, url: str, folder: Path) -> None:
    """Small: what is far down is left out, and few colours suffice."""
    expect(page.locator(BLANK)).to_have_count(0)
    window = page.viewport_size
    assert window is not None
    tall = page.evaluate("document.documentElement.scrollHeight")
    # As high as the page, so that what keeps to the window's edges does not stand in its middle.
    page.set_viewport_size({"width": window["width"], "height": max(window["height"], min(tall, HEIGHT_MAX))})
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.set_viewport_size(window)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(folder / f"{name_of(url)}.png", optimize=True)
