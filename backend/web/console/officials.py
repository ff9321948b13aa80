"""People: the officials of the city that is looked at."""

from flask import Response, request

from backend.officials import queries
from backend.officials.model import Role
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page

MANAGES = frozenset({Role.CITY_ADMINISTRATOR, Role.PROVINCE})
SEES = MANAGES | {Role.AUDITOR}
ROWS = 50
LOGIN_CHARS_MAX = 64


@page("/officials", title=("人员", "Officials"), topic=Topic.PEOPLE, roles=SEES, menu=("人员名单", "Officials"))
def listed() -> Response:
    after = request.args.get("after", "")[:LOGIN_CHARS_MAX]
    with read(here.city()) as connection:
        rows = queries.listed(connection, here.city(), after, ROWS + 1)
    further = rows[ROWS - 1].login if len(rows) > ROWS else None
    return render("officials/list.html", rows=rows[:ROWS], after=after, further=further)
