"""Budgets and when they run out, what quotes and leases keep of them, and each shop's account against its claims."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from flask import Response, request

from backend.certificates import queries as certificates
from backend.kernel.periods import CHINA
from backend.ledger import queries as ledger
from backend.settlements import reconciled as queries
from backend.statistics import queries as statistics
from backend.statistics.model import Use
from backend.usecases.forecast_budgets import standing_budgets
from backend.web.console import here
from backend.web.console.answers import render
from backend.web.console.connection import read
from backend.web.console.declare import Texts, Topic, page
from backend.web.console.money_words import CHARS_MAX, SEES, UNIT_NAMES, amount, unit_name
from backend.web.context import now
from backend.web.problems import NotFound

ROWS = 100
FACETS: Mapping[str, Texts] = MappingProxyType(
    {
        "district": ("按区县", "By district"),
        "scheme": ("按认证", "By certification"),
        "retailer": ("按商户", "By retailer"),
    }
)


@page("/budgets", title=("预算", "Budgets"), topic=Topic.MONEY, roles=SEES, menu=("预算", "Budgets"))
def budgets_listed() -> Response:
    with read(here.city()) as connection:
        found = standing_budgets(connection, here.city(), now())
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
        rows = queries.reconciled(connection, here.city())
    differing = [one for one in rows if one.difference]
    return render(
        "money/reconciliation.html",
        rows=rows,
        differing=differing,
        unit_name=unit_name,
        at=rows and rows[0].reckoned_at,
    )


@page("/budgets/<policy>/<unit>", title=("预算使用", "Use of a budget"), topic=Topic.MONEY, roles=SEES)
def budget_used(policy: str, unit: str) -> Response:
    """Who and what a budget went to, and when it runs out, as each morning foresaw it."""
    city, budget = here.city(), (policy[:CHARS_MAX], unit)
    if unit not in UNIT_NAMES:
        raise NotFound
    with read(city) as connection:
        mornings = statistics.outlook_days(connection, city, budget)
        months = statistics.uses_by_month(connection, city, budget)
        if not mornings and not months:
            raise NotFound
        lately = (now().astimezone(CHINA).date().replace(day=1) - timedelta(days=1)).replace(day=1)
        uses = statistics.uses(connection, city, budget, lately)
        schemes = {code: here.say(zh, en) for code, zh, en in certificates.scheme_names(connection)}
    return render(
        "money/budget.html",
        policy=policy,
        unit=unit,
        mornings=mornings,
        last=mornings[-1] if mornings else None,
        months=months,
        whole_span=sum(one.amount for one in months),
        facets=[(facet, [_named(one, schemes) for one in uses if one.facet == facet]) for facet in FACETS],
        facet_names=FACETS,
        lately=lately,
        money=unit in ("fen", "fee"),
        amount=amount,
        unit_name=unit_name,
    )


def _named(use: Use, schemes: dict[str, str]) -> tuple[str, Use]:
    if use.facet == "scheme":
        return schemes.get(use.key, here.say("未查到证书", "No certificate")), use
    if use.facet == "district":
        return here.district_name(use.key) if use.key else here.say("不在门店", "In no shop"), use
    return use.key or here.say("不在门店", "In no shop"), use
