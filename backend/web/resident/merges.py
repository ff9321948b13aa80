"""One person, two accounts: the other one becomes this one."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.kernel.ids import new_id
from backend.residents.session_life import Way
from backend.usecases.sign_in import Proof
from backend.web.auth import TOKEN_CHARS_MAX, Access
from backend.web.context import backend, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.answers import amount_answer
from backend.web.resident.schemas import AmountSchema
from backend.web.resident.sign_in import accounts
from backend.web.schemas import Body, Text

SESSION = "session"


class MergeBody(Body):
    way = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf([SESSION, Way.WECHAT.value, Way.PHONE.value]),
        metadata={"description": "另一个账户的证明方式 / how the other account is proved"},
    )
    code = Text(
        1,
        max(512, TOKEN_CHARS_MAX),
        required=True,
        metadata={"description": "另一个账户的 token，或微信凭证、验证码 / its token, WeChat's code, or the code sent"},
    )
    phone = Text(11, 20, load_default=None, metadata={"description": "way 为 phone 时必填 / with way phone"})

    @ma.validates_schema
    def phone_goes_with_its_way(self, loaded: dict[str, object], **_options: object) -> None:
        if (loaded.get("way") == Way.PHONE) != (loaded.get("phone") is not None):
            raise ma.ValidationError("way 为 phone 时必填，否则不填|With way phone, and only then.", "phone")


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
    else:
        proof = Proof(way=Way(body["way"]), code=body["code"], phone=body["phone"])
        done = merging.merge_identity(who, proof, new_id(), now())
    moved = [amount_answer(one.unit, one.amount) | {"city": one.city} for one in done.moved]
    return answer({"absorbed": done.absorbed, "merged_at": done.merged_at, "moved": moved})
