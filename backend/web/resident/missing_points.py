"""Points that a till never credited: claimed by the shop's sales slip."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response

from backend.missing_points import queries
from backend.missing_points.model import AMOUNT_FEN_MAX, TEXT_MAX, MissingClaim, MissingState
from backend.missing_points.queries import HistoryKey
from backend.missing_points.sentences import sentence
from backend.residents.people import Home
from backend.retailers import queries as retailers
from backend.scans import queries as scans
from backend.scans.explain import sentence as scan_sentence
from backend.scans.replay import load_names
from backend.scans.slips import TYPED_MAX
from backend.usecases.claim_missing_points import AskedMissing
from backend.web.auth import Access
from backend.web.bounded import bound
from backend.web.context import backend, note, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.rate import Bounded
from backend.web.resident.answers import Answer, moment_after, moment_cursor, scan_answer
from backend.web.resident.appeals import WORDS
from backend.web.resident.routes import resident
from backend.web.resident.schemas import PageQuery, ScanSchema
from backend.web.schemas import Body, City, Text, Whole

STORE_CHARS_MAX = 64
SLIP = r"[^\x00-\x1f\x7f]*[0-9A-Za-z][^\x00-\x1f\x7f]*"
"""Something of it is a digit or a letter."""


class MissingBody(Body):
    claim_id = ma.fields.UUID(
        required=True, metadata={"description": "客户端生成，重发时不变 / the client's own, kept when sent again"}
    )
    city = City(load_default=None, metadata={"description": "商店所在城市，默认所属城市 / the shop's city"})
    store = Text(
        1,
        STORE_CHARS_MAX,
        pattern=r"[^\x00-\x1f\x7f]+",
        required=True,
        metadata={"description": "门店编号，见 /api/public/v1/stores / the shop's number"},
    )
    bought_on = ma.fields.Date(required=True, metadata={"description": "小票上的日期 / the day on the slip"})
    slip_no = Text(
        1,
        TYPED_MAX,
        pattern=SLIP,
        required=True,
        metadata={"description": "小票号，标点和空格可省 / the slip's number; marks and spaces do not matter"},
    )
    amount_fen = Whole(
        1,
        AMOUNT_FEN_MAX,
        required=True,
        metadata={"description": "合计金额，或其中一件的金额（分） / the total, or the price of one line; fen"},
    )


class ReviewBody(Body):
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})
    text = Text(
        1, TEXT_MAX, pattern=WORDS, required=True, metadata={"description": "理由 / why it should be looked at"}
    )


class MissingSchema(ma.Schema):
    claim = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    store = ma.fields.String(required=True)
    store_name = ma.fields.String(required=True, allow_none=True)
    bought_on = ma.fields.Date(required=True)
    slip_no = ma.fields.String(required=True)
    amount_fen = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True, metadata={"enum": [one.value for one in MissingState]})
    filed_at = ma.fields.DateTime(required=True)
    due_on = ma.fields.Date(required=True, metadata={"description": "最迟在当日答复 / answered by the end of this day"})
    decided_at = ma.fields.DateTime(required=True, allow_none=True)
    may_ask_review = ma.fields.Boolean(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)
    scans = ma.fields.List(ma.fields.Nested(ScanSchema), required=True)


class MissingClaimsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    claims = ma.fields.List(ma.fields.Nested(MissingSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


@endpoint(
    resident,
    "/missing-points",
    method="POST",
    access=Access.RESIDENT,
    body=MissingBody(),
    answers={201: MissingSchema(), 200: MissingSchema()},
)
def claim_missing(body: dict[str, Any]) -> Response:
    """补记积分 / claim what a till never credited, by shop, day, number and amount of the slip; five times a day.

    找到即按购买时的政策核定；没有自动找到的，由工作人员在期限内答复。Found, it is decided under the policy of the sale;
    else an official answers in time.
    """
    bound(Bounded.MISSING_POINTS)
    who = session()
    asked = AskedMissing(
        city=body["city"] or who.city,
        number=str(body["claim_id"]),
        store=body["store"],
        bought_on=body["bought_on"],
        slip_no=body["slip_no"],
        amount_fen=body["amount_fen"],
    )
    filed = backend().claim_missing_points.claim(asked, Home(who.city, who.resident), now())
    note(claim=filed.claim.claim, state=filed.claim.state.value, new=filed.new)
    return answer(_with_scans(asked.city, filed.claim, filed.baskets), 201 if filed.new else 200)


@endpoint(resident, "/missing-points", access=Access.RESIDENT, query=PageQuery(), answers={200: MissingClaimsSchema()})
def missing_claims(query: dict[str, Any]) -> Response:
    """我的补记申请 / claims of missing points in a city, newest first, with what came of them."""
    who = session()
    city, limit = query["city"] or who.city, query["limit"]
    after = None if query["after"] is None else HistoryKey(*moment_after(query["after"]))
    with backend().database.read() as connection:
        found = queries.history(connection, city, who.resident, after=after, limit=limit)
        names = retailers.names_of(connection, city, {one.store for one in found})
    following = moment_cursor(found[-1].filed_at, found[-1].claim) if len(found) == limit else None
    return answer({"city": city, "claims": [_claim(city, one, names, []) for one in found], "next": following})


@endpoint(
    resident,
    "/missing-points/<uuid:claim>/review",
    method="POST",
    access=Access.RESIDENT,
    body=ReviewBody(),
    answers={200: MissingSchema()},
)
def review_missing(body: dict[str, Any], claim: UUID) -> Response:
    """申请复核 / ask once that another official looks at a claim that was rejected."""
    who = session()
    city = body["city"] or who.city
    one = backend().claim_missing_points.ask_review(city, str(claim), Home(who.city, who.resident), body["text"], now())
    return answer(_with_scans(city, one, []))


def _with_scans(city: str, one: MissingClaim, baskets: Sequence[str]) -> Answer:
    with backend().database.read() as connection:
        found = scans.decided_in(connection, city, baskets) if baskets else []
        policies, names = backend().policies.lookup(connection, city), load_names(connection)
        stores = retailers.names_of(connection, city, {one.store})
    decided = [scan_answer(each, scan_sentence(each.scan, policies, names)) for each in found]
    return _claim(city, one, stores, decided)


def _claim(city: str, one: MissingClaim, stores: Mapping[str, str], decided: Sequence[Answer]) -> Answer:
    """Who decided is not said: the office did."""
    said = sentence(one)
    return {
        "claim": one.claim,
        "city": city,
        "store": one.store,
        "store_name": stores.get(one.store),
        "bought_on": one.bought_on,
        "slip_no": one.slip_no,
        "amount_fen": one.amount_fen,
        "state": one.state.value,
        "filed_at": one.filed_at,
        "due_on": one.due_on,
        "decided_at": one.decided_at,
        "may_ask_review": one.state is MissingState.REJECTED and one.round_no == 1,
        "sentence": said.zh,
        "sentence_en": said.en,
        "scans": decided,
    }
