"""What a request to the console carries: who asks, for which city, in which language, from which browser."""

import base64
import hashlib
import re
from typing import cast

from flask import g, request

from backend.labels.regions import region_name
from backend.officials.model import Official
from backend.settings import Environment
from backend.web.bounded import client_address
from backend.web.context import backend

LANGUAGE = "greenpoints_language"
TOKEN_CHARS_MAX = 128
_BROWSERS = ("Edg", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("Windows", "Macintosh", "Android", "iPhone", "Linux")


def official() -> Official:
    """Who is signed in; only for declared pages."""
    return cast(Official, g.official)


def signed_in() -> Official | None:
    found: Official | None = g.get("official")
    return found


def city() -> str:
    """The city that is looked at: every query and every write names this one."""
    return official().at


def city_name(code: str) -> str:
    return (region_name(code) or code).removesuffix("市辖区")


def district() -> str | None:
    """The only district that the official sees, or None for the whole city."""
    return official().district


def english() -> bool:
    return request.cookies.get(LANGUAGE) == "en"


def say(zh: str, en: str) -> str:
    """The text in the language of the page; both stand beside each other wherever one is written."""
    return en if english() else zh


def token() -> str:
    """Of the session's cookie; empty without one."""
    return request.cookies.get(session_cookie(), "")[:TOKEN_CHARS_MAX]


def session_cookie() -> str:
    """A browser keeps a `__Host-` cookie for this very host, over https alone; without https there is none."""
    return "__Host-greenpoints-console" if secure() else "greenpoints-console"


def secure() -> bool:
    return backend().settings.env is Environment.PRODUCTION


def form_token() -> str:
    """What every form of this session carries."""
    return form_token_of(token())


def form_token_of(session: str) -> str:
    """Made of the session's token, of which another site knows nothing."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"forms of " + session.encode()).digest()[:24]).decode()


def browser() -> str | None:
    """A name for the list of sessions, such as "Firefox · Windows"."""
    agent = request.headers.get("User-Agent", "")
    found = [next((one for one in names if re.search(one, agent)), "") for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, found)).replace("Edg", "Edge").replace("Macintosh", "macOS") or None


def address() -> str | None:
    return client_address()
