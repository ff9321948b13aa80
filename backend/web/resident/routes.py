"""Residents: show a code at the till, scan a label, read balances and reasons."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy import Connection

from backend import metrics
from backend.kernel.amounts import OF_RESIDENTS
from backend.kernel.periods import milliseconds
from backend.leases.queries import promises_of
from backend.leases.words import promise_words
from backend.ledger import queries as ledger_queries
from backend.policies.compiled import PolicySet
from backend.policies.model import Outcome
from backend.policies.words import NO_NAMES
from backend.residents.people import Home
from backend.scans import queries
from backend.scans.explain import needs_facts, recompute, sentence
from backend.scans.model import Channel
from backend.scans.replay import load_names
from backend.usecases.return_answers import returned_of
from backend.usecases.scan_label import LabelScan
from backend.web.auth import Access
from backend.web.context import backend, note, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.problems import NotFound
from backend.web.resident.answers import (
    Since,
    amount_answer,
    balances_answer,
    cursor_of,
    expiry_answer,
    explained_answer,
    key_of,
    place_after,
    place_cursor,
    scan_answer,
)
from backend.web.resident.schemas import (
    BalancesSchema,
    CityQuery,
    ClaimBody,
    ClaimedSchema,
    CollectBody,
    CollectedSchema,
    ExpiriesSchema,
    ExplainedSchema,
    HistorySchema,
    MemberCodeSchema,
    PageQuery,
    ScanBody,
    ScanSchema,
)

HANDLE_BYTES = 16
WAITING = frozenset({Outcome.PENDING.value, Outcome.UNCLAIMED.value, Outcome.HELD.value})
UNITS = [unit.value for unit in OF_RESIDENTS]

resident = Blueprint("resident", __name__, url_prefix="/api/resident/v1", description="居民 / residents")


@endpoint(resident, "/member-codes", method="POST", access=Access.RESIDENT, answers={201: MemberCodeSchema()})
def show_member_code() -> Response:
    """会员码 / the code to show at a till; good for one basket within two minutes."""
    who = session()
    issued = backend().issue_member_code.issue(
        who.city, who.resident, handle=secrets.token_bytes(HANDLE_BYTES), now=now()
    )
    good_for_s = int((issued.expires_at - now()).total_seconds())
    return answer({"code": issued.text, "expires_at": issued.expires_at, "good_for_s": good_for_s}, 201)


@endpoint(
    resident,
    "/scans",
    method="POST",
    access=Access.RESIDENT,
    body=ScanBody(),
    answers={201: ScanSchema(), 200: ScanSchema()},
)
def scan(body: dict[str, Any]) -> Response:
    """扫码 / scan a label.

    201 为首次记录；相同编号重发为 200，内容相同，不会重复计分。
    201 when it is recorded; the same scan sent again answers 200 with the same body and counts once.
    """
    who = session()
    text = body["code"]
    content = body["code_b64"] if text is None else text.encode()
    asked = LabelScan(
        resident=who.resident,
        home=who.city,
        city=body["city"] or who.city,
        scan_id=str(body["scan_id"]),
        code=content,
        text=text if text is not None else _as_text(content),
        symbology=body["symbology"],
        aim=body["aim"],
    )
    scanned = backend().scan_label.scan(asked, now())
    metrics.scans.labels(scanned.recorded.scan.decision.outcome).inc()
    note(scan_id=asked.scan_id, outcome=scanned.recorded.scan.decision.outcome)
    return answer(scan_answer(scanned.recorded, scanned.sentence), 201 if scanned.new else 200)


@endpoint(resident, "/claims", method="POST", access=Access.RESIDENT, body=ClaimBody(), answers={200: ClaimedSchema()})
def claim(body: dict[str, Any]) -> Response:
    """领取 / claim a basket with the code on the sales slip; once, within seven days of the sale."""
    who = session()
    city = body["city"] or who.city
    baskets = backend().claim_basket.claim(city, body["code"], Home(who.city, who.resident), now())
    with backend().database.read() as connection:
        found = queries.decided_in(connection, city, baskets)
        policies, names = backend().policies.lookup(connection, city), load_names(connection)
    return answer({"city": city, "scans": [scan_answer(each, sentence(each.scan, policies, names)) for each in found]})


@endpoint(resident, "/balances", access=Access.RESIDENT, query=CityQuery(), answers={200: BalancesSchema()})
def balances(query: dict[str, Any]) -> Response:
    """余额 / balances: points, money, impact and evidence, each apart; what is pending, to be collected, and owed.

    amount 为可用余额；欠账在下次使用或生效时先行抵扣。
    `amount` is what is available; a debt is taken from it first when it is next spent or released.
    """
    who = session()
    city = query["city"] or who.city
    with backend().database.glance() as connection:
        found = ledger_queries.holdings(connection, city, who.resident)
    return answer(balances_answer(city, UNITS, found, milliseconds(now())))


@endpoint(resident, "/expiries", access=Access.RESIDENT, query=PageQuery(), answers={200: ExpiriesSchema()})
def expiries(query: dict[str, Any]) -> Response:
    """将到期的积分 / all that will end, the next first, also what is pending or to be collected."""
    who, now_ms = session(), milliseconds(now())
    city, limit = query["city"] or who.city, query["limit"]
    after = ("", "") if query["after"] is None else place_after(query["after"])
    with backend().database.glance() as connection:
        held = ledger_queries.holdings(connection, city, who.resident)
    rest = [one for one in ledger_queries.coming_expiries(held, now_ms) if (one.place.end, one.account) > after]
    return answer(
        {
            "city": city,
            "expiries": [expiry_answer(one, now_ms) for one in rest[:limit]],
            "next": place_cursor(rest[limit - 1]) if len(rest) > limit else None,
        }
    )


@endpoint(
    resident, "/collect", method="POST", access=Access.RESIDENT, body=CollectBody(), answers={200: CollectedSchema()}
)
def collect(body: dict[str, Any]) -> Response:
    """领取 / collect all awards that wait for it; asked again, there is nothing left to collect."""
    who = session()
    city = body["city"] or who.city
    found = backend().collect_awards.collect(city, who.resident, now(), home=who.city)
    return answer(
        {
            "city": city,
            "collected": [amount_answer(one.unit, one.amount) for one in found if one.amount],
            "repaid": [amount_answer(one.unit, one.repaid) for one in found if one.repaid],
        }
    )


@endpoint(resident, "/scans", access=Access.RESIDENT, query=PageQuery(), answers={200: HistorySchema()})
def history(query: dict[str, Any]) -> Response:
    """扫码记录 / scans of a city, newest first."""
    who = session()
    city, limit = query["city"] or who.city, query["limit"]
    after = None if query["after"] is None else key_of(query["after"])
    with backend().database.glance() as connection:
        page = queries.history(connection, city, who.resident, after=after, limit=limit)
        found = page.scans
        policies = backend().policies.as_of(connection, city, page.policy_revision)
        names = load_names(connection) if any(needs_facts(each.scan) for each in found) else NO_NAMES
        since = _since(connection, city, [each for each in found if each.scan.decision.basket in page.beside], policies)
    return answer(
        {
            "city": city,
            "scans": [scan_answer(each, sentence(each.scan, policies, names), since(each)) for each in found],
            "next": cursor_of(found[-1]) if len(found) == limit else None,
        }
    )


@endpoint(
    resident,
    "/scans/<uuid:basket>/lines/<int(max=49):line_no>",
    access=Access.RESIDENT,
    query=CityQuery(),
    answers={200: ExplainedSchema()},
)
def explain(query: dict[str, Any], basket: UUID, line_no: int) -> Response:
    """核定的理由 / why a scan earned what it did: every rule's pass or fail, recomputed."""
    who = session()
    city = query["city"] or who.city
    with backend().database.read() as connection:
        found = queries.scan_of(connection, city, who.resident, str(basket), line_no)
        if found is None:
            raise NotFound
        policies = backend().policies.lookup(connection, city)
        names = load_names(connection)
        beside = [found] if found.channel != Channel.PHONE else []
        since = _since(connection, city, beside, policies)
    return answer(explained_answer(found, recompute(found.scan, policies, names), since(found)))


def _since(
    connection: Connection, city: str, found: Sequence[queries.RecordedScan], policies: PolicySet
) -> Callable[[queries.RecordedScan], Since]:
    """What stands beside each of `found`; nothing beside any other."""
    returned = returned_of(connection, city, [each.scan for each in found], policies)
    promised = promises_of(connection, city, {each.scan.decision.basket for each in found}) if found else {}

    def of(recorded: queries.RecordedScan) -> Since:
        decision = recorded.scan.decision
        key = decision.basket, decision.line_no
        promises = promised.get(key)
        words = promise_words(promises, waits=decision.outcome in WAITING) if promises else None
        return Since(returned.get(key), words)

    return of


def _as_text(content: bytes) -> str | None:
    """The content when it is UTF-8: then it is the same scan as one sent as text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
