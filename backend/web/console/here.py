"""What a request to the console carries: on which side, who asks, for which city or retailer, in which language, whence."""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import cast

from flask import g, request

from backend.labels.regions import region_name
from backend.officials.model import Official, Side
from backend.settings import Environment
from backend.web.bounded import client_address
from backend.web.context import backend

LANGUAGE = "greenpoints_language"
TOKEN_CHARS_MAX = 128
_BROWSERS = ("Edg", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("Windows", "Macintosh", "Android", "iPhone", "Linux")


def side() -> Side:
    """The city's console, or the shops'."""
    return Side(request.blueprint or Side.CITY)


def home() -> str:
    """The first page of this side, beneath which all others are."""
    return f"/{side().value}/"


def official() -> Official:
    """Who is signed in; only for declared pages."""
    return cast(Official, g.official)


def signed_in() -> Official | None:
    found: Official | None = g.get("official")
    return found


def city() -> str:
    """The city that is looked at: every query and every write names this one."""
    return official().at


def retailer() -> str:
    """Whose staff asks, on pages of the shops: every query and every write there names this one, within `city()`."""
    found = official().retailer
    assert found is not None, "only staff come to pages of the shops"
    return found


def city_name(code: str) -> str:
    return (region_name(code) or code).removesuffix("市辖区")


def district_name(code: str) -> str:
    """Of a county of the city that is looked at, without the names above it."""
    return (
        (region_name(code) or code).removeprefix(city_name(city())).removeprefix(region_name(code[:2] + "0000") or "")
    )


def district() -> str | None:
    """The only district that the official sees, or None for the whole city."""
    return official().district


def english() -> bool:
    """A page of many rows asks for each of them, and a request has one language."""
    if "english" not in g:
        g.english = request.cookies.get(LANGUAGE) == "en"
    return cast(bool, g.english)


def say(zh: str, en: str) -> str:
    """The text in the language of the page; both stand beside each other wherever one is written."""
    return en if english() else zh


def speaker(*, english: bool) -> Callable[[str, str], str]:
    """`say` for what is drawn in one language: it need not ask which."""
    return _in_english if english else _in_chinese


def token() -> str:
    """Of the session's cookie; empty without one."""
    return request.cookies.get(session_cookie(), "")[:TOKEN_CHARS_MAX]


def session_cookie() -> str:
    """A browser keeps a `__Host-` cookie for this very host, over https alone; without https there is none."""
    name = f"greenpoints-{side().value}"
    return f"__Host-{name}" if secure() else name


def secure() -> bool:
    return backend().settings.env is Environment.PRODUCTION


def form_token() -> str:
    """What every form of this session carries."""
    return form_token_of(token())


def form_token_of(session: str) -> str:
    """Made of the session's token, of which another site knows nothing."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"forms of " + session.encode()).digest()[:24]).decode()


def _in_chinese(zh: str, en: str) -> str:  # noqa: ARG001 - either text is given
    return zh


def _in_english(zh: str, en: str) -> str:  # noqa: ARG001 - either text is given
    return en


def browser() -> str | None:
    """A name for the list of sessions, such as "Firefox · Windows"."""
    agent = request.headers.get("User-Agent", "")
    found = [next((one for one in names if re.search(one, agent)), "") for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, found)).replace("Edg", "Edge").replace("Macintosh", "macOS") or None


def address() -> str | None:
    return client_address()
