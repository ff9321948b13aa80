"""The tour of the resident API is true: each request that it shows is sent as it stands, each answer is as it shows."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import backend.web.resident
from backend.settings import Settings
from tests.http.test_leaving import discovery
from tests.worlds import wechat
from tests.worlds.city import City
from tests.worlds.redeeming import open_counter
from tests.worlds.wechat import APPID, SECRET, WechatServer

__all__ = ["discovery"]
TOUR = Path(backend.web.resident.__file__).parent / "README.md"
STEP = re.compile(r"```http\n(\w+) (\S+)\n(?:\n(.*?)\n)?```\n+```json\n(\d+)\n(.*?)\n```", re.DOTALL)
NAME = re.compile(r"\{(\w+)\}")
LEFT_OUT = "…"


@pytest.fixture
def wechat_server() -> Iterator[WechatServer]:
    with wechat.serving() as serving:
        yield serving


@pytest.fixture
def settings(settings: Settings, wechat_server: WechatServer, tmp_path: Path) -> Settings:
    (tmp_path / "wechat").write_text(SECRET)
    secret = tmp_path / "wechat"
    return replace(settings, wechat_appid=APPID, wechat_secret_file=secret, wechat_url=wechat_server.url)


@dataclass
class Tour:
    """`known`: what earlier answers gave, by name."""

    client: FlaskClient
    known: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: str | None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.known['token']}"} if "token" in self.known else {}
        sent = None if body is None else self._filled(body).encode()
        kind = None if body is None else "application/json"
        return self.client.open(self._filled(path), method=method, data=sent, content_type=kind, headers=headers)

    def _filled(self, text: str) -> str:
        return NAME.sub(lambda found: self.known[found[1]], text)

    def differences(self, shown: Any, found: Any, place: str = "") -> list[str]:
        """Where `found` is not as it is shown. A name that is not known yet is known from here on."""
        match shown:
            case dict() if isinstance(found, dict):
                wanted = shown.keys() - {LEFT_OUT}
                strange = [] if LEFT_OUT in shown else [f"{place}/{name}: not shown" for name in found.keys() - wanted]
                pairs = [(f"{place}/{name}", shown[name], found.get(name)) for name in sorted(wanted)]
            case list() if isinstance(found, list):
                whole = LEFT_OUT not in shown
                wanted_items = shown if whole else shown[:-1]
                strange = [f"{place}: {len(found)} items"] if whole and len(found) != len(shown) else []
                pairs = [(f"{place}/{at}", *both) for at, both in enumerate(zip(wanted_items, found, strict=False))]
            case str() if (named := NAME.fullmatch(shown)) and isinstance(found, str):
                known = self.known.setdefault(named[1], found)
                return [] if known == found else [f"{place}: {found}"]
            case _:
                return [] if shown in (LEFT_OUT, found) else [f"{place}: {found}"]
        return strange + [one for at, mine, theirs in pairs for one in self.differences(mine, theirs, at)]


def test_each_request_of_the_tour_is_answered_as_it_shows(
    client: FlaskClient, discovery: City, wechat_server: WechatServer
) -> None:
    open_counter(discovery.database)
    text = TOUR.read_text(encoding="utf-8")
    tour = Tour(client, {"wx_login_code": wechat_server.login("openid-of-the-tour")})
    steps = STEP.findall(text)

    for method, path, body, status, shown in steps:
        answer = tour.send(method, path, body or None)

        assert answer.status_code == int(status), (method, path, answer.get_data(as_text=True))
        assert tour.differences(json.loads(shown), answer.get_json()) == [], (method, path)

    assert len(steps) == text.count("```http") == text.count("```json") > 10


def test_a_tour_that_is_not_true_is_found_out(client: FlaskClient) -> None:
    tour = Tour(client, {"id": "1"})

    wrong = tour.differences({"a": 1, "b": ["x"], "c": "{id}", "e": "…"}, {"a": 2, "b": ["x", "y"], "c": "2", "d": 0})

    assert sorted(wrong) == ["/a: 2", "/b: 2 items", "/c: 2", "/d: not shown"]
