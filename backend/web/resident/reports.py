"""Reports of false labels: what a resident saw at a shop, and what came of it."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.cases import queries
from backend.cases.model import LABEL_MAX, TEXT_MAX, Report, ReportOutcome, ReportState
from backend.cases.queries import FiledKey
from backend.cases.sentences import sentence
from backend.scans.model import READS_MAX
from backend.usecases.file_report import AskedReport
from backend.web.auth import Access
from backend.web.context import backend, note, now, session
from backend.web.endpoint import answer, endpoint
from backend.web.resident.answers import Answer, moment_after, moment_cursor
from backend.web.resident.appeals import WORDS
from backend.web.resident.routes import resident
from backend.web.resident.schemas import PageQuery
from backend.web.schemas import Body, City, Text, Whole

STORE_MAX = 64
CODE_MAX = 128


class ReportBody(Body):
    report_id = ma.fields.UUID(
        required=True, metadata={"description": "客户端生成，重发时不变 / the client's own, kept when sent again"}
    )
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})
    store = Text(1, STORE_MAX, load_default=None, metadata={"description": "门店编号 / number of the shop"})
    basket = ma.fields.UUID(load_default=None, metadata={"description": "本人扫码记录中的 basket / of one's own scan"})
    line_no = Whole(0, READS_MAX - 1, load_default=None)
    label = Text(1, LABEL_MAX, load_default=None, metadata={"description": "标签上的号码 / what the label says"})
    text = Text(1, TEXT_MAX, pattern=WORDS, required=True, metadata={"description": "举报内容 / what is false"})
    wechat_code = Text(
        1,
        CODE_MAX,
        load_default=None,
        metadata={"description": "wx.login 的新 code，用于内容检查 / for the text check"},
    )

    @ma.validates_schema
    def is_about_something(self, given: dict[str, Any], **_kwargs: object) -> None:
        """A shop, or a scan; a scan is named whole."""
        if (given["basket"] is None) != (given["line_no"] is None):
            raise ma.ValidationError("须与 basket 一起填写|Needed with basket, and only with it.", "line_no")
        if given["store"] is None and given["basket"] is None:
            raise ma.ValidationError("须填写门店或扫码|Name a shop, or a scan.", "store")


class ReportSchema(ma.Schema):
    report = ma.fields.String(required=True)
    store = ma.fields.String(required=True, allow_none=True)
    basket = ma.fields.String(required=True, allow_none=True)
    line_no = ma.fields.Integer(required=True, allow_none=True)
    label = ma.fields.String(required=True, allow_none=True)
    text = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"enum": [one.value for one in ReportState]})
    outcome = ma.fields.String(required=True, allow_none=True, metadata={"enum": [one.value for one in ReportOutcome]})
    filed_at = ma.fields.DateTime(required=True)
    due_on = ma.fields.Date(
        required=True, allow_none=True, metadata={"description": "最迟在当日处理 / dealt with by the end of this day"}
    )
    decided_at = ma.fields.DateTime(required=True, allow_none=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class ReportsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    reports = ma.fields.List(ma.fields.Nested(ReportSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


@endpoint(
    resident,
    "/reports",
    method="POST",
    access=Access.RESIDENT,
    body=ReportBody(),
    answers={201: ReportSchema(), 200: ReportSchema()},
)
def report(body: dict[str, Any]) -> Response:
    """举报虚假标签 / reports a false label at a shop, or on goods of one's own scan.

    在期限内决定是否受理并办结，结果和理由可查。Dealt with by a deadline; the outcome and its reason can be read.
    """
    who = session()
    asked = AskedReport(
        city=body["city"] or who.city,
        resident=who.resident,
        number=str(body["report_id"]),
        text=body["text"],
        store=body["store"],
        basket=None if body["basket"] is None else str(body["basket"]),
        line_no=body["line_no"],
        label=body["label"],
        wechat_code=body["wechat_code"],
        home=who.city,
    )
    filed = backend().file_report.file(asked, now())
    note(report=filed.report.report, new=filed.new)
    return answer(_report(filed.report), 201 if filed.new else 200)


@endpoint(resident, "/reports", access=Access.RESIDENT, query=PageQuery(), answers={200: ReportsSchema()})
def reports(query: dict[str, Any]) -> Response:
    """我的举报 / one's reports in a city, newest first, with what came of them."""
    who = session()
    city, limit = query["city"] or who.city, query["limit"]
    after = None if query["after"] is None else FiledKey(*moment_after(query["after"]))
    with backend().database.read() as connection:
        found = queries.history(connection, city, who.resident, after=after, limit=limit)
    following = moment_cursor(found[-1].filed_at, found[-1].report) if len(found) == limit else None
    return answer({"city": city, "reports": [_report(one) for one in found], "next": following})


def _report(one: Report) -> Answer:
    """Who decided is not said: the office did."""
    said = sentence(one)
    return {
        "report": one.report,
        "store": one.store,
        "basket": one.basket,
        "line_no": one.line_no,
        "label": one.label,
        "text": one.text,
        "state": one.state.value,
        "outcome": one.outcome,
        "filed_at": one.filed_at,
        "due_on": one.due_on,
        "decided_at": one.decided_at,
        "sentence": said.zh,
        "sentence_en": said.en,
    }
