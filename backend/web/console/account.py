"""My account: who I am here, where I am signed in, the first page."""

from uuid import UUID

from flask import Response, request

from backend.kernel.errors import DomainError
from backend.officials import queries
from backend.officials.model import Role
from backend.web.console import here
from backend.web.console.answers import done, goes_on, render
from backend.web.console.declare import ANYONE, Topic, page
from backend.web.console.sign_in import again, hand_out, opening_of_chance, visitor
from backend.web.context import backend, now
from backend.web.problems import NotFound


@page("/city", title=("切换城市", "Another city"), topic=None, roles=frozenset({Role.PROVINCE}), method="POST")
def look_at() -> Response:
    city = request.form.get("city", "")
    with backend().database.read() as connection:
        if city not in queries.cities(connection, here.official().city):
            raise NotFound
    backend().official_sign_in.look_at(here.token(), city)
    return goes_on(here.home())


@page("/account", title=("我的账户", "My account"), topic=Topic.SETTINGS, roles=ANYONE, menu=("我的账户", "My account"))
def account() -> Response:
    official = here.official()
    with backend().database.read() as connection:
        sessions = queries.open_sessions(connection, official.city, official.official, now())
    return render("console/account.html", sessions=sessions)


@page(
    "/account/sessions/<uuid:session>/end",
    title=("结束登录", "End a session"),
    topic=Topic.SETTINGS,
    roles=ANYONE,
    method="POST",
)
def end_session(session: UUID) -> Response:
    if not backend().official_sign_in.end_session(here.official(), str(session), now()):
        raise NotFound
    return done(f"{here.home()}account", "该处登录已结束。", "That session was ended.")


@page("/account/password", title=("更换密码", "Change the password"), topic=Topic.SETTINGS, roles=ANYONE, step_up=True)
def password() -> Response:
    return _password_form()


@page(
    "/account/password",
    title=("更换密码", "Change the password"),
    topic=Topic.SETTINGS,
    roles=ANYONE,
    method="POST",
    step_up=True,
)
def change_password() -> Response:
    """Ends every other session, and goes on in a new one."""
    given, opening = request.form.get("password", ""), opening_of_chance()
    if given != request.form.get("again"):
        return _password_form(differs=True)
    try:
        backend().official_sign_in.with_new_password(here.official(), given, visitor(), opening, now())
    except DomainError as refusal:
        return again("console/own_password.html", refusal)
    response = done(
        f"{here.home()}account", "密码已更换，其他登录已结束。", "The password is changed; other sessions are ended."
    )
    hand_out(response, opening.token)
    return response


def _password_form(*, differs: bool = False) -> Response:
    return render("console/own_password.html", 422 if differs else 200, differs=differs)
