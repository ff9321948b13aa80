"""What a resident says against a decision, and what came of it."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.appeals import queries
from backend.appeals.model import TEXT_MAX, Appeal, AppealState
from backend.appeals.queries import HistoryKey
from backend.appeals.sentences import sentence
from backend.scans.model import READS_MAX
from backend.usecases.file_appeal import AskedAppeal, file_appeal
from backend.web.auth import Access
from backend.web.context import backend, note, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.answers import Answer, moment_after, moment_cursor
from backend.web.resident.routes import resident
from backend.web.resident.schemas import PageQuery
from backend.web.schemas import Body, City, Text, Whole

WORDS = r"(?=[\s\S]*\S)[^\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]*"
"""Something to read; no control character but line ends and tabs, nothing that turns the direction of writing."""


class AppealBody(Body):
    appeal_id = ma.fields.UUID(
        required=True, metadata={"description": "客户端生成，重发时不变 / the client's own, kept when sent again"}
    )
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})
    basket = ma.fields.UUID(required=True, metadata={"description": "扫码记录中的 basket / of the scan"})
    line_no = Whole(0, READS_MAX - 1, required=True)
    text = Text(1, TEXT_MAX, pattern=WORDS, required=True, metadata={"description": "申诉理由 / why it is wrong"})


class AppealSchema(ma.Schema):
    appeal = ma.fields.String(required=True)
    basket = ma.fields.String(required=True)
    line_no = ma.fields.Integer(required=True)
    text = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"enum": [one.value for one in AppealState]})
    filed_at = ma.fields.DateTime(required=True)
    due_on = ma.fields.Date(required=True, metadata={"description": "最迟在当日答复 / answered by the end of this day"})
    decided_at = ma.fields.DateTime(required=True, allow_none=True)
    explanation = ma.fields.String(required=True, allow_none=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class AppealsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    appeals = ma.fields.List(ma.fields.Nested(AppealSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


@endpoint(
    resident,
    "/appeals",
    method="POST",
    access=Access.RESIDENT,
    body=AppealBody(),
    answers={201: AppealSchema(), 200: AppealSchema()},
)
def appeal(body: dict[str, Any]) -> Response:
    """申诉：未奖励或待核查的扫码 / appeal against a scan that earned nothing or is held; once for each decision.

    由未参与原裁定的人员在期限内办理并说明理由。An official who did not rule before answers in time, with reasons.
    """
    who = session()
    asked = AskedAppeal(
        city=body["city"] or who.city,
        resident=who.resident,
        number=str(body["appeal_id"]),
        basket=str(body["basket"]),
        line_no=body["line_no"],
        text=body["text"],
        home=who.city,
    )
    filed = file_appeal(backend().database, asked, backend().settings.appeal_working_days, now())
    note(appeal=filed.appeal.appeal, new=filed.new)
    return answer(_appeal(filed.appeal), 201 if filed.new else 200)


@endpoint(resident, "/appeals", access=Access.RESIDENT, query=PageQuery(), answers={200: AppealsSchema()})
def appeals(query: dict[str, Any]) -> Response:
    """我的申诉 / appeals of a city, newest first, with what came of them."""
    who = session()
    city, limit = query["city"] or who.city, query["limit"]
    after = None if query["after"] is None else HistoryKey(*moment_after(query["after"]))
    with backend().database.read() as connection:
        found = queries.history(connection, city, who.resident, after=after, limit=limit)
    following = moment_cursor(found[-1].filed_at, found[-1].appeal) if len(found) == limit else None
    return answer({"city": city, "appeals": [_appeal(one) for one in found], "next": following})


def _appeal(one: Appeal) -> Answer:
    """Who decided is not said: the office did."""
    said = sentence(one)
    return {
        "appeal": one.appeal,
        "basket": one.basket,
        "line_no": one.line_no,
        "text": one.text,
        "state": one.state.value,
        "filed_at": one.filed_at,
        "due_on": one.due_on,
        "decided_at": one.decided_at,
        "explanation": one.explanation,
        "sentence": said.zh,
        "sentence_en": said.en,
    }
