"""A real browser for tests of pages: Debian's Chromium, driven by Playwright, one a file of tests.

Background services are off, and a request to any other host than this machine, a fault of a script or a breach of a
page's own security policy fails the test that caused it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",  # root, as which CI runs, has no sandbox
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
CHINESE = {**os.environ, "LANGUAGE": "zh_CN"}
"""The browser's own words, of fields for dates and files, where Debian's chromium-l10n is installed."""
WIDTH, HEIGHT = 1280, 800
PATIENCE_MS = 30_000
"""Of whatever waits for a page: only one that is wrong takes as long, whatever else the machine does."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its file: Playwright keeps an event loop running in this thread, in which nothing else can run one."""
    with launched() as browser:
        yield browser


@contextmanager
def launched(*more: str) -> Iterator[Browser]:
    """Chromium with further flags. Without one the test is skipped, and says so."""
    if CHROMIUM is None:
        pytest.skip(
            "chromium is not installed (Debian: apt-get install chromium): no page can be looked at in a browser"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *more], env=CHINESE)
        yield browser
        browser.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of this test's own, which may not complain."""
    with profile(browser) as window:
        yield window


@contextmanager
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser: what it complains of fails whoever opened it."""
    complaints: list[str] = []
    window = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    window.set_default_timeout(PATIENCE_MS)
    window.on("request", lambda request: complaints.extend(_foreign(request.url)))
    window.on("weberror", lambda error: complaints.append(str(error.error)))
    window.on("console", lambda said: complaints.extend(_breach(said.text)))
    yield window
    window.close()
    assert complaints == []


@pytest.fixture
def tab(window: BrowserContext) -> Page:
    return window.new_page()


def _breach(said: str) -> list[str]:
    return [said] if "Content Security Policy" in said else []


def _foreign(url: str) -> list[str]:
    parts = urlsplit(url)
    ours = parts.scheme in {"data", "blob", "about"} or parts.hostname in {"127.0.0.1", "localhost"}
    return [] if ours else [f"a request to {url}"]
