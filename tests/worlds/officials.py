"""Officials who are there already, signed in without the steps of a sign-in: for tests of what comes after."""

import secrets
from datetime import datetime

from flask.testing import FlaskClient

from backend.kernel.ids import new_id
from backend.kernel.tokens import token_hash
from backend.officials import session_life, store
from backend.officials.model import Role, Stage
from backend.officials.store import NewOfficial, NewSession
from backend.storage.transaction import Database
from backend.web.console.here import form_token_of

COOKIES = ("greenpoints-console", "greenpoints-shop")
"""Of both sides: whoever is signed in may ask for every page, to see what refuses."""


def enter(
    database: Database,
    now: datetime,
    *roles: Role,
    city: str = "320100",
    login: str | None = None,
    name: str = "王敏",
    district: str | None = None,
    password_hash: str | None = None,
    retailer: str | None = None,
) -> str:
    """A new official, or one of a retailer's staff; their id."""
    official = new_id()
    new = NewOfficial(
        city,
        official,
        login or f"o-{official[-12:]}",
        name,
        district,
        frozenset(roles),
        password_hash,
        "tests",
        retailer,
    )
    database.write(lambda connection: store.add(connection, new, now))
    return official


def session(database: Database, now: datetime, official: str, city: str = "320100", stage: Stage = Stage.FULL) -> str:
    """A new session of theirs, both factors proved unless it has not come so far; its token."""
    token = secrets.token_urlsafe(32)
    opened = NewSession(
        token_hash(token),
        city,
        official,
        new_id(),
        stage,
        "Firefox · Linux",
        None,
        None,
        *session_life.ends(stage, now),
    )
    database.write(lambda connection: store.open_session(connection, opened, now))
    return token


def signed_in(
    client: FlaskClient, database: Database, now: datetime, *roles: Role, city: str = "320100", **details: str
) -> FlaskClient:
    """`client`, in whose cookies a new official of these roles is signed in; `client.csrf` is what its forms carry."""
    token = session(database, now, enter(database, now, *roles, city=city, **details), city)
    for cookie in COOKIES:
        client.set_cookie(cookie, token, path="/")
    client.csrf = form_token_of(token)  # type: ignore[attr-defined]
    return client
