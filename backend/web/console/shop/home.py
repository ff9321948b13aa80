"""Where a shop's staff begin: their shops."""

from flask import Response, request

from backend.officials.model import STAFF
from backend.retailers import queries as retailers
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page

ROWS = 50
CHARS_MAX = 100


@page("/", title=("首页", "Home"), topic=Topic.OVERVIEW, roles=STAFF, menu=("首页", "Home"))
def first() -> Response:
    after = request.args.get("after", "")[:CHARS_MAX]
    with read(here.city()) as connection:
        rows = retailers.stores_of(connection, here.city(), here.retailer(), after, limit=ROWS + 1)
    further = rows[ROWS - 1].store if len(rows) > ROWS else None
    return render("shop/home.html", rows=rows[:ROWS], after=after, further=further)
