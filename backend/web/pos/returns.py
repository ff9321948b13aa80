"""Goods that come back, as the shop's own system says; their tills say so by a basket that voids another."""

from typing import Any

import marshmallow as ma
from flask import Response

from backend.policies.words import amount_words
from backend.scans.identity import SEQ_MAX, basket_id
from backend.scans.line_limits import QUANTITY_MAX, UNIX_MS_MAX
from backend.scans.model import READS_MAX
from backend.scans.return_words import ReturnState, TakenBack, TakenFrom
from backend.usecases.return_answers import LineAnswer, ReturnAnswer
from backend.usecases.return_goods import LINES_MAX, AskedReturn
from backend.usecases.take_back import Wanted
from backend.web.auth import Access
from backend.web.context import backend, note, now, service
from backend.web.endpoint import answer, endpoint
from backend.web.pos.routes import pos
from backend.web.schemas import Body, City, Text, Whole

REASONS = ("changed_mind", "defective", "wrong_goods", "exchange", "other")
_SEEN = r"[!-~]+"


class ReturnedLineBody(Body):
    basket = ma.fields.UUID(load_default=None, metadata={"description": "原始销售的编号 / the sale's id"})
    device = Text(
        8, 40, pattern=r"[a-z0-9-]+", load_default=None, metadata={"description": "或终端及其编号 / or its till"}
    )
    stream = ma.fields.UUID(load_default=None)
    seq = Whole(1, SEQ_MAX, load_default=None, allow_none=True)
    line_no = Whole(0, READS_MAX - 1, required=True, metadata={"description": "第几件，从 0 起 / its read, from 0"})
    quantity = Whole(1, QUANTITY_MAX, required=True, metadata={"description": "退几件 / pieces that come back"})

    @ma.validates_schema
    def one_sale(self, loaded: dict[str, object], **_options: object) -> None:
        till = [loaded.get(name) is not None for name in ("device", "stream", "seq")]
        if any(till) == (loaded.get("basket") is not None) or any(till) != all(till):
            raise ma.ValidationError(
                "须提供 basket，或 device、stream、seq|Give basket, or device, stream and seq.", "basket"
            )


class ReturnBody(Body):
    return_id = Text(
        1,
        64,
        pattern=_SEEN,
        required=True,
        metadata={"description": "本店自编，重发时不变 / the shop's own, kept when sent again"},
    )
    city = City(required=True)
    store = Text(1, 64, required=True)
    returned_at_ms = Whole(0, UNIX_MS_MAX, required=True)
    reason = ma.fields.String(
        load_default="other", validate=ma.validate.OneOf(REASONS, error="不在可选的原因之中|Not a reason.")
    )
    cashier = Text(1, 32, pattern=_SEEN, load_default=None)
    exchange_basket = ma.fields.UUID(
        load_default=None, metadata={"description": "换货的新销售 / the sale that takes its place in an exchange"}
    )
    lines = ma.fields.List(
        ma.fields.Nested(ReturnedLineBody),
        required=True,
        validate=ma.validate.Length(1, LINES_MAX, error=f"须为 1-{LINES_MAX} 行|Between 1 and {LINES_MAX} lines."),
    )

    @ma.validates_schema
    def each_line_once(self, loaded: dict[str, Any], **_options: object) -> None:
        named = [(_basket(line), line["line_no"]) for line in loaded.get("lines", ())]
        if len(set(named)) < len(named):
            raise ma.ValidationError("同一行只能出现一次|Name each line once.", "lines")


class TakenBackSchema(ma.Schema):
    unit = ma.fields.String(required=True)
    amount = ma.fields.Integer(required=True)
    words = ma.fields.String(required=True)
    words_en = ma.fields.String(required=True)
    source = ma.fields.String(required=True, metadata={"enum": [each.value for each in TakenFrom]})


class ReturnedLineSchema(ma.Schema):
    basket = ma.fields.String(required=True)
    line_no = ma.fields.Integer(required=True)
    quantity = ma.fields.Integer(required=True)
    left = ma.fields.Integer(required=True, metadata={"description": "还可退几件 / pieces that can still come back"})
    state = ma.fields.String(required=True, metadata={"enum": [each.value for each in ReturnState]})
    taken_back = ma.fields.List(ma.fields.Nested(TakenBackSchema), required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class ReturnSchema(ma.Schema):
    reference = ma.fields.String(required=True, metadata={"description": "账本中的编号 / its id in the ledger"})
    city = ma.fields.String(required=True)
    store = ma.fields.String(required=True)
    returned_at = ma.fields.DateTime(required=True)
    recorded_at = ma.fields.DateTime(required=True)
    lines = ma.fields.List(ma.fields.Nested(ReturnedLineSchema), required=True)


@endpoint(
    pos,
    "/returns",
    method="POST",
    access=Access.SHOP,
    body=ReturnBody(),
    answers={201: ReturnSchema(), 200: ReturnSchema()},
)
def return_goods(body: dict[str, Any]) -> Response:
    """退货 / goods come back, by their sale and line: all lines or none.

    201 为首次记录；相同编号重发为 200，内容相同，不会重复收回。没有原始销售的退货不予受理。
    201 when it is recorded; the same return sent again answers 200 with the same body and takes nothing back twice.
    """
    asked = AskedReturn(
        city=body["city"],
        store=body["store"],
        number=body["return_id"],
        caller=service().name,
        cashier=body["cashier"],
        reason=body["reason"],
        exchange_basket=None if body["exchange_basket"] is None else str(body["exchange_basket"]),
        returned_at_ms=body["returned_at_ms"],
        lines=tuple(Wanted(_basket(line), line["line_no"], line["quantity"]) for line in body["lines"]),
    )
    returned = backend().return_goods.give_back(asked, now())
    note(return_id=returned.answer.return_id, lines=len(asked.lines), new=returned.new)
    return answer(_answer(asked, returned.answer), 201 if returned.new else 200)


def _basket(line: dict[str, Any]) -> str:
    if line["basket"] is not None:
        return str(line["basket"])
    if line["seq"] is None:  # refused by `one_sale`, after all fields were looked at
        return ""
    return basket_id(line["device"], str(line["stream"]), line["seq"])


def _answer(asked: AskedReturn, given: ReturnAnswer) -> dict[str, object]:
    head = given.recorded.head
    return {
        "reference": given.return_id,
        "city": asked.city,
        "store": asked.store,
        "returned_at": head.returned_at,
        "recorded_at": head.recorded_at,
        "lines": [_line(line) for line in given.lines],
    }


def _line(given: LineAnswer) -> dict[str, object]:
    return {
        "basket": given.line.basket,
        "line_no": given.line.line_no,
        "quantity": given.line.quantity,
        "left": given.left,
        "state": given.state.value,
        "taken_back": [_taken(each) for each in given.taken],
        "sentence": given.said.zh,
        "sentence_en": given.said.en,
    }


def _taken(each: TakenBack) -> dict[str, object]:
    words = amount_words(each.unit, each.amount)
    return {
        "unit": each.unit,
        "amount": each.amount,
        "words": words.zh,
        "words_en": words.en,
        "source": each.source.value,
    }
