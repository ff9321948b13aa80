"""How the console answers: a page, a part of one for htmx, a refusal in words, a way on after something was done."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import structlog
from flask import Response, g, redirect, request
from jinja2 import Template
from werkzeug.exceptions import HTTPException

from backend.kernel.errors import DomainError
from backend.labels.regions import region_name
from backend.officials import queries
from backend.officials.model import CHANGE_NAMES, ROLE_NAMES, Role, Side, Stage
from backend.storage.transaction import DatabaseBusy, is_passing
from backend.web.auth import Access, guarded
from backend.web.console import files, here, speaking, words
from backend.web.console.blueprint import console, shop
from backend.web.console.declare import (
    FORM_BYTES_MAX,
    Declared,
    FormNotOurs,
    FreshCodeNeeded,
    NotSignedIn,
    StepMissing,
    Texts,
)
from backend.web.console.menu import menu
from backend.web.context import backend, now, request_id
from backend.web.problems import HTTP_TEXTS, PROBLEMS, NotFound

_STEPS: Mapping[Stage, str] = {Stage.PASSWORD: "sign-in/code", Stage.FACTOR: "sign-in/password", Stage.FULL: ""}
PLACES: Mapping[Side, Texts] = {
    Side.CITY: ("绿色积分 · 城市控制台", "Green Points · city console"),
    Side.SHOP: ("绿色积分 · 商户台", "Green Points · shop console"),
}
STEP_UP: Texts = ("再次验证", "Confirm it is you")
OF_STEP_UP = ("csrf", "code", "next", "onto")
"""Fields of the page that asks for a code."""
SAID = "greenpoints-console-said"
SAID_KEPT_S = 60
SAID_CHARS_MAX = 1_500

log = structlog.get_logger()


def render(template: str, status: int = 200, **values: object) -> Response:
    """A whole page, or for htmx what the template's `content` block holds."""
    english = here.english()
    context = _context(english=english) | values | {"ui": speaking.macros(english=english)}
    found = speaking.template(template, english=english)
    is_part = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") == "partial"
    text = _block(found, context) if is_part else found.render(context)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Vary"] = "HX-Request, Cookie"
    if SAID in request.cookies:
        response.delete_cookie(SAID, path=here.home())
    return response


def done(url: str, zh: str, en: str) -> Response:
    """Leads on to `url`, where what was done is said once."""
    response = _on(url)
    said = base64.urlsafe_b64encode(orjson.dumps([zh, en])[:SAID_CHARS_MAX]).decode()
    response.set_cookie(
        SAID, said, max_age=SAID_KEPT_S, path=here.home(), httponly=True, samesite="Strict", secure=here.secure()
    )
    return response


def goes_on(url: str) -> Response:
    return _on(url)


def sent_on(url: str) -> Response:
    """The browser sends this very form once more, to `url`."""
    answer = redirect(url, 307)
    assert isinstance(answer, Response)
    return answer


def next_url(given: str | None) -> str:
    """`given`, where it leads to a page of this side; the first page otherwise."""
    if given is None or not given.startswith(here.home()) or not given.isprintable():
        return here.home()
    return here.home() if "//" in given or "\\" in given else given


def sign_in_url() -> str:
    return f"{here.home()}sign-in"


def step_url(stage: Stage) -> str:
    """Where a sign-in that has come so far goes on."""
    return f"{here.home()}{_STEPS[stage]}"


@console.errorhandler(DomainError)
@shop.errorhandler(DomainError)
def refused(error: DomainError) -> Response:
    if isinstance(error, NotSignedIn | FormNotOurs) and _may_wait():
        return _form_kept(error)
    if isinstance(error, NotSignedIn):
        return _on(_with_next(sign_in_url()) if request.method == "GET" else sign_in_url())
    if isinstance(error, StepMissing):
        return _on(step_url(error.stage))
    if isinstance(error, FreshCodeNeeded):
        return _code_asked()
    if error.code not in PROBLEMS:
        log.error("refusal_without_problem", code=error.code, request_id=request_id())
        return _problem("internal", HTTP_TEXTS["internal"])
    return _problem(error.code, (error.sentence_zh, error.sentence_en))


@console.errorhandler(Exception)
@shop.errorhandler(Exception)
def failed(error: Exception) -> Response:
    """The request boundary of the console."""
    if isinstance(error, HTTPException):
        code = "body-too-large" if error.code == 413 else "bad-request"  # noqa: PLR2004
        return _problem(code, HTTP_TEXTS[code])
    if is_passing(error):
        log.warning("database_busy", request_id=request_id(), problem=type(error).__name__)
        return refused(DatabaseBusy())
    log.error("unexpected", request_id=request_id(), exc_info=error)
    return _problem("internal", HTTP_TEXTS["internal"])


@console.route("/<path:nowhere>")
@shop.route("/<path:nowhere>")
@guarded(Access.OPEN)
def nothing_here(nowhere: str) -> Response:  # noqa: ARG001 - the path's
    """A page for people, where the API would answer with a problem document."""
    raise NotFound


def _problem(code: str, sentence: Texts) -> Response:
    kind = PROBLEMS[code]
    values = {"code": code, "sentence": sentence, "heading": (kind.title_zh, kind.title_en)}
    response = render("console/problem.html", kind.status, **values, request_id=request_id())
    if request.headers.get("HX-Request") == "true":
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#problem", "innerHTML"
    return response


def _on(url: str) -> Response:
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": url})
    answer = redirect(url, 303)
    assert isinstance(answer, Response)
    return answer


def _with_next(url: str) -> str:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return f"{url}?{urlencode({'next': next_url(wanted)})}"


def _code_asked() -> Response:
    """A form that was sent waits behind the code with all that was typed; a password is not written into a page."""
    of_htmx = request.headers.get("HX-Request") == "true"
    if request.method == "GET" or of_htmx or "password" in request.form:
        return _on(_with_next(f"{here.home()}step-up"))
    values = {"title": STEP_UP, "next": here.home(), "onto": _here(), "kept": typed()}
    shown = backend().official_sign_in.shown_code(here.official(), here.token(), now())
    return render("console/step_up.html", PROBLEMS[FreshCodeNeeded.code].status, **values, shown=shown)


def _may_wait() -> bool:
    """A form of this very site, as a browser says that cannot be made to lie, with more in it than the session's token."""
    is_small = 0 < (request.content_length or 0) <= FORM_BYTES_MAX
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if request.method == "GET" or request.headers.get("HX-Request") == "true" or not (is_small and is_ours):
        return False
    return "password" not in request.form and request.form.keys() > {"csrf"}


def _form_kept(error: DomainError) -> Response:
    """A form that came when its session was over, or that was opened in an earlier one: whoever sent it sends it once more."""
    values = {
        "title": ("尚未提交", "Not sent yet"),
        "sentence": (error.sentence_zh, error.sentence_en),
        "sign_in": sign_in_url(),
        "onto": _here(),
        "kept": [(name, value) for name, value in request.form.items(multi=True) if name != "csrf"],
    }
    return render("console/waiting.html", PROBLEMS[error.code].status, **values)


def _here() -> str:
    asked = request.query_string.decode("ascii", "replace")
    return quote(request.path) + (f"?{asked}" if asked else "")


def typed() -> list[tuple[str, str]]:
    """What the form says that waits behind a code: all but what the page of the code says itself."""
    return [(name, value) for name, value in request.form.items(multi=True) if name not in OF_STEP_UP]


def _block(template: Template, values: Mapping[str, object]) -> str:
    context = template.new_context(dict(values))
    # What a template sets, imports and defines beside its blocks is there once the page around it begins to be drawn.
    next(template.root_render_func(context), None)
    return "".join(template.blocks["content"](context))


def _context(*, english: bool) -> dict[str, Any]:
    """What every template may use."""
    declared: Declared | None = g.get("declared")
    return {
        "official": here.signed_in(),
        "home": here.home(),
        "place": PLACES[here.side()],
        "cities": _cities(),
        "declared": declared,
        "title": declared.title if declared else PLACES[here.side()],
        "menu": menu(),
        "said": _said(),
        "say": here.speaker(english=english),
        "english": english,
        "csrf": here.form_token(),
        "file": files.url,
        "yuan": words.yuan,
        "whole": words.whole,
        "share": words.share,
        "moment": words.moment,
        "second": words.second,
        "day": words.day,
        "city_name": here.city_name,
        "district_name": lambda code: region_name(code) or code,
        "role_names": ROLE_NAMES,
        "change_names": CHANGE_NAMES,
        "role_words": lambda roles: here.say("、", ", ").join(here.say(*ROLE_NAMES[role]) for role in sorted(roles)),
        "Role": Role,
        "path": request.path,
        "back": request.full_path.rstrip("?"),
    }


def _cities() -> list[str]:
    """Those that an official of the province may look at."""
    official = here.signed_in()
    if official is None or not official.is_province or official.stage is not Stage.FULL:
        return []
    with backend().database.read() as connection:
        return queries.cities(connection, official.city)


def _said() -> Texts | None:
    try:
        zh, en = orjson.loads(base64.urlsafe_b64decode(request.cookies.get(SAID, "")))
    except (ValueError, TypeError):
        return None
    return (str(zh), str(en))
