"""A customer claims a basket at the shop, with the code on the sales slip and a member code or card."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.kernel.crockford import TYPED_MAX
from backend.scans.cashier import cashier_sentence
from backend.scans.explain import DecidedScan
from backend.scans.line_limits import MEMBER_CODE_MAX
from backend.scans.queries import decided_in
from backend.usecases.claim_basket import AtShop
from backend.web.auth import Access
from backend.web.context import backend, note, now
from backend.web.endpoint import answer, endpoint
from backend.web.pos.quotes import award_answer
from backend.web.pos.routes import pos
from backend.web.pos.schemas import AwardSchema
from backend.web.schemas import Body, City, Text


class ClaimAtShopBody(Body):
    city = City(required=True)
    store = Text(1, 64, required=True, metadata={"description": "本店编号 / id of the shop"})
    code = Text(1, TYPED_MAX, required=True, metadata={"description": "小票上的领取码 / the code on the slip"})
    member = Text(
        1,
        MEMBER_CODE_MAX,
        pattern=r"[!-~]+",
        required=True,
        metadata={"description": "顾客的会员码或纸质会员卡 / member code or paper card"},
    )


class ClaimedLineSchema(ma.Schema):
    basket = ma.fields.String(required=True)
    line_no = ma.fields.Integer(required=True)
    outcome = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)
    awards = ma.fields.List(ma.fields.Nested(AwardSchema), required=True)
    sentence = ma.fields.String(required=True, metadata={"description": "给收银员 / for the cashier"})
    sentence_en = ma.fields.String(required=True)


class ClaimedAtShopSchema(ma.Schema):
    city = ma.fields.String(required=True)
    lines = ma.fields.List(ma.fields.Nested(ClaimedLineSchema), required=True)


@endpoint(
    pos, "/claims", method="POST", access=Access.SHOP, body=ClaimAtShopBody(), answers={200: ClaimedAtShopSchema()}
)
def claim_at_shop(body: dict[str, Any]) -> Response:
    """在门店领取 / a customer claims a basket here; the same again answers the same.

    政策写明 claims: same_store 的，只能在售出的门店领取。Of policies with claims: same_store only the shop that sold it is
    the place.
    """
    city = body["city"]
    baskets = backend().claim_basket.claim_at(city, body["code"], AtShop(body["store"], body["member"]), now())
    with backend().database.read() as connection:
        found = [one.scan for one in decided_in(connection, city, baskets)]
    note(baskets=len(baskets), lines=len(found))
    return answer({"city": city, "lines": [_line(scan) for scan in found]})


def _line(scan: DecidedScan) -> dict[str, object]:
    said = cashier_sentence(scan)
    return {
        "basket": scan.decision.basket,
        "line_no": scan.decision.line_no,
        "outcome": scan.decision.outcome,
        "reason": scan.decision.reason,
        "awards": [award_answer(award) for award in scan.awards if award.amount],
        "sentence": said.zh,
        "sentence_en": said.en,
    }
