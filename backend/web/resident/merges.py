"""One person, two accounts: the other one becomes this one."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.kernel.crockford import typed
from backend.kernel.ids import new_id
from backend.residents.cards.number import SECRET_CHARS, TYPED_MAX, typed_card
from backend.residents.session_life import Way
from backend.usecases.issue_card import secret_hash
from backend.usecases.sign_in import Proof
from backend.web.auth import TOKEN_CHARS_MAX, Access
from backend.web.bounded import bound
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.rate import Bounded
from backend.web.resident.answers import amount_answer
from backend.web.resident.schemas import AmountSchema
from backend.web.resident.sign_in import accounts
from backend.web.schemas import Body, Text

SESSION, CARD = "session", "card"


class MergeBody(Body):
    way = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf([SESSION, CARD, Way.WECHAT.value, Way.PHONE.value]),
        metadata={"description": "另一个账户的证明方式 / how the other account is proved"},
    )
    code = Text(
        1,
        max(512, TOKEN_CHARS_MAX),
        required=True,
        metadata={
            "description": "另一个账户的 token，或微信凭证、验证码、卡的绑定码 / its token, WeChat's code, the code sent, or"
            " the binding code of a card's sheet"
        },
    )
    phone = Text(11, 20, load_default=None, metadata={"description": "way 为 phone 时必填 / with way phone"})
    card = Text(1, TYPED_MAX, load_default=None, metadata={"description": "way 为 card 时必填，卡号 / with way card"})

    @ma.validates_schema
    def phone_goes_with_its_way(self, loaded: dict[str, object], **_options: object) -> None:
        for way in (Way.PHONE.value, CARD):
            if (loaded.get("way") == way) != (loaded.get(way) is not None):
                raise ma.ValidationError(f"way 为 {way} 时必填，否则不填|With way {way}, and only then.", way)


class MovedSchema(AmountSchema):
    """amount 为负即欠账 / below zero what is owed."""

    city = ma.fields.String(required=True)


class MergeSchema(ma.Schema):
    absorbed = ma.fields.String(required=True, metadata={"description": "已并入的账户 / the account that is gone"})
    merged_at = ma.fields.DateTime(required=True)
    moved = ma.fields.List(ma.fields.Nested(MovedSchema), required=True)


@endpoint(accounts, "/merges", method="POST", access=Access.RESIDENT, body=MergeBody(), answers={200: MergeSchema()})
def merge(body: dict[str, Any]) -> Response:
    """合并本人的另一个账户 / merge another account of one's own into this one; it cannot be undone.

    余额、批次、欠账、记录、限额一并转入，此后限额合并计算；另一个账户的登录随即失效。再次提交结果相同。
    Balances, lots, debts, history and caps follow, and caps are counted together from then on; the other account's sessions
    end. Asked again, it answers the same.
    """
    who, merging = session(), backend().merge_residents
    if body["way"] == SESSION:
        done = merging.merge_session(who, body["code"], new_id(), now())
    elif body["way"] == CARD:
        bound(Bounded.SIGN_IN)
        number, secret = typed_card(body["card"]), typed(body["code"], SECRET_CHARS) or ""
        done = merging.merge_card(who, number, secret_hash(secret), new_id(), now())
    else:
        proof = Proof(way=Way(body["way"]), code=body["code"], phone=body["phone"])
        done = merging.merge_identity(who, proof, new_id(), now())
    moved = [amount_answer(one.unit, one.amount) | {"city": one.city} for one in done.moved]
    return answer({"absorbed": done.absorbed, "merged_at": done.merged_at, "moved": moved})
