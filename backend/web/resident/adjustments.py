"""What officials gave or took by hand, told to its resident as what it is."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.adjustments import queries
from backend.adjustments.model import CAUSE_NAMES, Adjustment
from backend.policies.words import amount_words
from backend.web.auth import Access
from backend.web.context import backend, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.routes import resident
from backend.web.resident.schemas import CityQuery


class AdjustmentSchema(ma.Schema):
    adjustment = ma.fields.String(required=True)
    unit = ma.fields.String(required=True)
    amount = ma.fields.Integer(required=True, metadata={"description": "负数为扣减 / below zero it was taken"})
    cause = ma.fields.String(required=True)
    posted_at = ma.fields.DateTime(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class AdjustmentsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    adjustments = ma.fields.List(ma.fields.Nested(AdjustmentSchema), required=True)


@endpoint(resident, "/adjustments", access=Access.RESIDENT, query=CityQuery(), answers={200: AdjustmentsSchema()})
def adjustments(query: dict[str, Any]) -> Response:
    """人工调整 / what officials gave or took by hand, and why; the newest first, at most 100."""
    who = session()
    city = query["city"] or who.city
    with backend().database.read() as connection:
        found = queries.of_resident(connection, city, who.resident)
    return answer({"city": city, "adjustments": [_told(one) for one in found]})


def _told(one: Adjustment) -> dict[str, object]:
    wanted = one.wanted
    amount, (zh, en) = amount_words(wanted.unit, abs(wanted.amount)), CAUSE_NAMES[wanted.cause]
    given = wanted.amount > 0
    return {
        "adjustment": one.adjustment,
        "unit": wanted.unit,
        "amount": wanted.amount,
        "cause": wanted.cause.value,
        "posted_at": one.posted_at,
        "sentence": f"工作人员人工{'补入' if given else '扣减'} {amount.zh}：{zh}。{wanted.explanation}",
        "sentence_en": f"An official {'added' if given else 'took'} {amount.en} by hand: {en.lower()}. {wanted.explanation}",
    }
