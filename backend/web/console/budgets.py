"""Budgets and when they run out, what quotes and leases keep of them, and each shop's account against its claims."""

import zlib

from flask import Response, request

from backend.kernel.periods import CHINA
from backend.ledger import queries as ledger
from backend.storage.stream import snapshot
from backend.usecases.forecast_budgets import forecast_budgets
from backend.usecases.reconcile_shops import reconcile_shops
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Topic, page
from backend.web.console.money_words import CHARS_MAX, SEES, amount, unit_name
from backend.web.context import now

ROWS = 100


@page("/budgets", title=("预算", "Budgets"), topic=Topic.MONEY, roles=SEES, menu=("预算", "Budgets"))
def budgets_listed() -> Response:
    today = now().astimezone(CHINA).date()
    with read(here.city()) as connection:
        snapshot(connection)
        # Anybody who asks on one day gets one answer.
        found = forecast_budgets(connection, here.city(), now(), seed=zlib.crc32(f"{here.city()} {today}".encode()))
    return render("money/budgets.html", rows=found, amount=amount, unit_name=unit_name)


@page("/reservations", title=("预留", "Reservations"), topic=Topic.MONEY, roles=SEES, menu=("预留", "Reservations"))
def reservations_listed() -> Response:
    after = request.args.get("after", "")[:CHARS_MAX]
    with read(here.city()) as connection:
        rows = ledger.reservations(connection, here.city(), after=after, limit=ROWS + 1)
    further = rows[ROWS - 1].account if len(rows) > ROWS else None
    return render(
        "money/reservations.html", rows=rows[:ROWS], after=after, further=further, amount=amount, unit_name=unit_name
    )


@page(
    "/reconciliation",
    title=("对账", "Reconciliation"),
    topic=Topic.MONEY,
    roles=SEES,
    menu=("对账", "Reconciliation"),
)
def shops_reconciled() -> Response:
    with read(here.city()) as connection:
        snapshot(connection)
        rows = reconcile_shops(connection, here.city())
    differing = [one for one in rows if one.difference]
    return render("money/reconciliation.html", rows=rows, differing=differing, unit_name=unit_name)
