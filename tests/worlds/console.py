"""The console served to a real browser: one server for the tests of a file, and a tab that notes what goes wrong."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import Flask
from playwright.sync_api import BrowserContext, ConsoleMessage, Page
from werkzeug.serving import make_server

from backend.bootstrap import build
from backend.officials.model import Role
from backend.settings import Settings
from backend.storage.transaction import Database
from backend.web.app import create_app
from tests.worlds import officials


@dataclass
class Served:
    """`url` of a console whose database `engine` writes to; `clock` gives the moment of its requests."""

    app: Flask
    url: str
    engine: Database
    clock: Callable[[], datetime]

    def enter(self, window: BrowserContext, *roles: Role, city: str = "320100", **details: str) -> "Desk":
        """A tab of a new official of these roles, signed in."""
        now = self.clock()
        official = officials.enter(self.engine, now, *roles, city=city, **details)
        token = officials.session(self.engine, now, official, city)
        window.add_cookies([{"name": cookie, "value": token, "url": self.url} for cookie in officials.COOKIES])
        return self.tab(window)

    def tab(self, window: BrowserContext) -> "Desk":
        desk = Desk(window.new_page(), self.url)
        desk.page.on("console", lambda said: desk.complaints.extend(_wrong(said)))
        desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        return desk


@dataclass
class Desk:
    """One official's tab. `complaints`: what its console said of errors."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}/console{path}")

    def shop(self, path: str) -> None:
        self.page.goto(f"{self.url}/shop{path}")


def today() -> datetime:
    return datetime.now(UTC)


@contextmanager
def serving(settings: Settings, clock: Callable[[], datetime] = today) -> Iterator[Served]:
    backend = build(settings)
    engine = Database(settings.database_url, role="greenpoints_engine", pool_size=2)
    app = create_app(backend, clock)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Served(app, f"http://127.0.0.1:{server.server_port}", engine, clock)
    server.shutdown()
    server.server_close()
    thread.join()
    engine.close()
    backend.close()


def _wrong(said: ConsoleMessage) -> list[str]:
    """Errors, but for the line that Chromium writes of every refused form."""
    refused = said.text.startswith("Failed to load resource") and "/assets/" not in said.location["url"]
    return [said.text] if said.type == "error" and not (refused and "status of 4" in said.text) else []
