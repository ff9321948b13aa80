"""Signing in: password, code, the first time a QR code to scan and a password of one's own; signing out; stepping up."""

import secrets
from typing import Any

import pyotp
import segno
from flask import Response, request

from backend.kernel.errors import DomainError
from backend.kernel.ids import new_id
from backend.officials import factor
from backend.officials.factor import NONCE_BYTES
from backend.officials.model import Side, Stage
from backend.officials.session_life import LONGEST
from backend.usecases.official_sign_in import Opening, Visitor
from backend.web.auth import Access, guarded
from backend.web.bounded import bound
from backend.web.console import here
from backend.web.console.answers import STEP_UP, goes_on, next_url, render, sent_on, sign_in_url, step_url, typed
from backend.web.console.blueprint import console, shop
from backend.web.console.declare import ANYONE, FORM_BYTES_MAX, check_origin, page
from backend.web.context import backend, now
from backend.web.problems import PROBLEMS, NotFound
from backend.web.rate import Bounded

TOKEN_BYTES = 32
NEXT = "greenpoints-console-next"
KNOWN, KNOWN_S = "greenpoints-console-known", 365 * 24 * 3_600
LANGUAGE_KEPT_S = 400 * 24 * 3_600
LOGIN_CHARS_MAX = 64
LANGUAGES = ("zh", "en")


@console.route("/sign-in")
@shop.route("/sign-in")
@guarded(Access.OPEN)
def form() -> Response:
    return render("console/sign_in.html", **_door(request.args.get("next", ""), ""))


@console.route("/sign-in", methods=["POST"])
@shop.route("/sign-in", methods=["POST"])
@guarded(Access.OPEN, body_bytes_max=lambda _settings: FORM_BYTES_MAX)
def enter() -> Response:
    bound(Bounded.CONSOLE_SIGN_IN)
    check_origin()
    login = request.form.get("login", "").replace("\x00", "").strip().lower()[:LOGIN_CHARS_MAX]
    password, opening = request.form.get("password", ""), opening_of_chance()
    try:
        backend().official_sign_in.with_password(here.side(), login, password, visitor(), opening, now())
    except DomainError as refusal:
        return again("console/sign_in.html", refusal, **_door(request.form.get("next", ""), login))
    response = goes_on(step_url(Stage.PASSWORD))
    hand_out(response, opening.token)
    response.set_cookie(NEXT, next_url(request.form.get("next")), path=here.home(), httponly=True, samesite="Strict")
    return response


@page("/sign-in/code", title=("动态码", "Code"), topic=None, roles=ANYONE, stage=Stage.PASSWORD)
def code() -> Response:
    return _code_page()


@page("/sign-in/code", title=("动态码", "Code"), topic=None, roles=ANYONE, method="POST", stage=Stage.PASSWORD)
def take_code() -> Response:
    bound(Bounded.CONSOLE_SIGN_IN)
    opening = opening_of_chance()
    try:
        reached = backend().official_sign_in.with_code(
            here.official(), here.token(), _typed_code(), visitor(), opening, now()
        )
    except DomainError as refusal:
        return _code_page(refusal)
    response = goes_on(next_url(request.cookies.get(NEXT)) if reached.stage is Stage.FULL else step_url(reached.stage))
    hand_out(response, opening.token)
    if reached.known is not None:
        _remember(response, reached.known)
    return response


@page("/sign-in/password", title=("设置密码", "Your password"), topic=None, roles=ANYONE, stage=Stage.FACTOR)
def first_password() -> Response:
    return render("console/password.html", action=request.path, asks_old=False)


@page(
    "/sign-in/password",
    title=("设置密码", "Your password"),
    topic=None,
    roles=ANYONE,
    method="POST",
    stage=Stage.FACTOR,
)
def take_password() -> Response:
    opening, password = opening_of_chance(), request.form.get("password", "")
    if password != request.form.get("again"):
        return render("console/password.html", 422, action=request.path, asks_old=False, differs=True)
    try:
        backend().official_sign_in.with_new_password(here.official(), password, visitor(), opening, now())
    except DomainError as refusal:
        return again("console/password.html", refusal, action=request.path, asks_old=False)
    response = goes_on(next_url(request.cookies.get(NEXT)))
    hand_out(response, opening.token)
    return response


@page("/step-up", title=STEP_UP, topic=None, roles=ANYONE)
def step_up() -> Response:
    return render("console/step_up.html", next=next_url(request.args.get("next")), shown=_shown_code())


@page("/step-up", title=STEP_UP, topic=None, roles=ANYONE, method="POST")
def take_step_up() -> Response:
    bound(Bounded.CONSOLE_SIGN_IN)
    further, onto = next_url(request.form.get("next")), request.form.get("onto")
    try:
        backend().official_sign_in.prove_again(here.official(), here.token(), _typed_code(), visitor(), now())
    except DomainError as refusal:
        waiting = {"onto": onto, "kept": typed()}
        return again("console/step_up.html", refusal, next=further, shown=_shown_code(), **waiting)
    return sent_on(next_url(onto)) if onto else goes_on(further)


@page("/sign-out", title=("退出", "Sign out"), topic=None, roles=ANYONE, method="POST")
def sign_out() -> Response:
    backend().official_sign_in.sign_out(here.token(), now())
    response = goes_on(sign_in_url())
    response.delete_cookie(here.session_cookie(), path="/", secure=here.secure(), httponly=True, samesite="Strict")
    return response


@console.route("/language/<language>")
@shop.route("/language/<language>")
@guarded(Access.OPEN)
def choose_language(language: str) -> Response:
    if language not in LANGUAGES:
        raise NotFound
    response = goes_on(next_url(request.args.get("back")))
    response.set_cookie(here.LANGUAGE, language, max_age=LANGUAGE_KEPT_S, path=_folder(), samesite="Strict")
    return response


def _door(further: str, login: str) -> dict[str, Any]:
    """What the sign-in page says: to officials the cities that have a sign-on of their own among it."""
    of_city = here.side() is Side.CITY
    providers = [client.provider for client in backend().sign_ons.values()] if of_city else []
    return {"title": ("登录", "Sign in"), "next": further, "login": login, "providers": providers}


def _folder() -> str:
    """Cookies that every page of this side gets, and the other side does not."""
    return here.home().rstrip("/")


def _code_page(refusal: DomainError | None = None) -> Response:
    secret = backend().official_sign_in.offered_secret(here.token())
    values: dict[str, object] = {"secret": secret, "qr": None, "shown": _shown_code()}
    if secret is not None:
        address = factor.enrolment_address(secret, here.official().login)
        values["qr"] = segno.make(address, error="m").svg_data_uri(scale=5, border=2)
    return (
        render("console/code.html", 200, **values) if refusal is None else again("console/code.html", refusal, **values)
    )


def _shown_code() -> str | None:
    return backend().official_sign_in.shown_code(here.official(), here.token(), now())


def again(template: str, refusal: DomainError, **values: object) -> Response:
    """The form once more, with what was wrong at its field."""
    said = (refusal.sentence_zh, refusal.sentence_en)
    return render(template, PROBLEMS[refusal.code].status, refused=said, **values)


def hand_out(response: Response, token: str) -> None:
    response.set_cookie(
        here.session_cookie(),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=here.secure(),
    )


def _remember(response: Response, known: str) -> None:
    """The browser is one of this official's from now on."""
    response.set_cookie(
        KNOWN, known, max_age=KNOWN_S, path=_folder(), httponly=True, samesite="Strict", secure=here.secure()
    )


def opening_of_chance() -> Opening:
    secret, nonce = pyotp.random_base32(), secrets.token_bytes(NONCE_BYTES)
    token, known = (secrets.token_urlsafe(TOKEN_BYTES) for _ in range(2))
    return Opening(token, new_id(), secret, nonce, known)


def visitor() -> Visitor:
    known = request.cookies.get(KNOWN)
    return Visitor(here.browser(), here.address(), known and known[: here.TOKEN_CHARS_MAX])


def _typed_code() -> str:
    return request.form.get("code", "").replace(" ", "")
