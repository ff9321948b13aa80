"""Old units that customers bring after the sale, as the shop's own system says."""

from datetime import date
from typing import Any

import marshmallow as ma
from flask import Response

from backend.scans.evidence import AGE_YEARS_MAX
from backend.scans.explain import sentence
from backend.scans.model import READS_MAX
from backend.usecases.hand_in_unit import AskedHandIn, HandedIn
from backend.web.auth import Access
from backend.web.context import backend, note, now, service
from backend.web.endpoint import answer, endpoint
from backend.web.pos.quotes import award_answer
from backend.web.pos.routes import pos
from backend.web.pos.schemas import AwardSchema
from backend.web.schemas import Body, City, Text, Whole

_SEEN = r"[!-~]+"


class HandInBody(Body):
    hand_in_id = Text(
        1,
        64,
        pattern=_SEEN,
        required=True,
        metadata={"description": "本店自编，重发时不变 / the shop's own, kept when sent again"},
    )
    city = City(required=True)
    store = Text(1, 64, required=True)
    basket = ma.fields.UUID(required=True, metadata={"description": "原始销售的编号 / the sale's id"})
    line_no = Whole(0, READS_MAX - 1, required=True, metadata={"description": "第几件，从 0 起 / its read, from 0"})
    trade_in = Text(
        16,
        64,
        pattern=r"[0-9a-f]+",
        required=True,
        metadata={"description": "旧机序列号的散列，同佐证 / digest of the old unit's serial, as in evidence"},
    )
    trade_in_age = Whole(0, AGE_YEARS_MAX, load_default=None, allow_none=True)
    handed_in_on = ma.fields.Date(required=True, metadata={"description": "交旧日期 / civil day of the hand-in"})
    cashier = Text(1, 32, pattern=_SEEN, load_default=None)


class HandInSchema(ma.Schema):
    basket = ma.fields.String(required=True, metadata={"description": "交旧登记的编号 / the id of the hand-in"})
    city = ma.fields.String(required=True)
    store = ma.fields.String(required=True)
    sale = ma.fields.String(required=True)
    line_no = ma.fields.Integer(required=True)
    handed_in_on = ma.fields.Date(required=True)
    recorded_at = ma.fields.DateTime(required=True)
    outcome = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)
    awards = ma.fields.List(ma.fields.Nested(AwardSchema), required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


@endpoint(
    pos,
    "/hand-ins",
    method="POST",
    access=Access.SHOP,
    body=HandInBody(),
    answers={201: HandInSchema(), 200: HandInSchema()},
)
def hand_in_unit(body: dict[str, Any]) -> Response:
    """补交旧机 / an old unit comes after the sale that it belongs to.

    按购买时的政策核定适用于补交旧机（渠道 hand_in）的奖励；原奖励不变，退货时一并收回。201 为首次登记，重发为 200。
    Decided as of the sale, by the policies whose scope names the channel hand_in; what the sale earned stays, and both come
    back with the goods. 201 when it is recorded, 200 when it is sent again.
    """
    handed_in_on: date = body["handed_in_on"]
    asked = AskedHandIn(
        city=body["city"],
        store=body["store"],
        number=body["hand_in_id"],
        caller=service().name,
        cashier=body["cashier"],
        basket=str(body["basket"]),
        line_no=body["line_no"],
        serial_sha256=body["trade_in"],
        age_years=body["trade_in_age"],
        handed_in_on=handed_in_on,
    )
    handed_in = backend().hand_in_unit.hand_in(asked, now())
    note(hand_in=handed_in.row.basket, new=handed_in.new, outcome=handed_in.scan.decision.outcome)
    return answer(_answer(asked, handed_in), 201 if handed_in.new else 200)


def _answer(asked: AskedHandIn, given: HandedIn) -> dict[str, object]:
    with backend().database.read() as connection:
        policies = backend().policies.lookup(connection, asked.city)
    said = sentence(given.scan, policies)
    return {
        "basket": given.row.basket,
        "city": asked.city,
        "store": asked.store,
        "sale": given.row.sold_basket,
        "line_no": given.row.sold_line,
        "handed_in_on": given.row.handed_in_on,
        "recorded_at": given.row.recorded_at,
        "outcome": given.scan.decision.outcome,
        "reason": given.scan.decision.reason,
        "awards": [award_answer(award) for award in given.scan.awards if award.amount],
        "sentence": said.zh,
        "sentence_en": said.en,
    }
