"""Quotes: a shop's system asks what a basket would earn, holds it while the customer pays, and captures or voids it."""

import re
from typing import Any
from uuid import UUID

import flask
from flask import Response
from flask_smorest import Blueprint

from backend.policies.model import Award
from backend.policies.words import Sentence, amount_words
from backend.scans.cashier import SaidLine
from backend.scans.lines import printable
from backend.scans.model import Read
from backend.scans.quotes import KEY_CHARS_MAX, KEY_CHARS_MIN, FinalLine, QuoteUnknown
from backend.usecases.capture_quote import Paid
from backend.usecases.quote_basket import Quoted, QuoteRequest
from backend.usecases.release_quote import void_quote
from backend.web.auth import Access
from backend.web.context import backend, note, now, service
from backend.web.endpoint import answer, endpoint
from backend.web.pos.schemas import CaptureBody, CityBody, QuoteBody, QuoteSchema
from backend.web.problems import Fault, InvalidFields

BODY_BYTES_MAX = 262_144
KEY_HEADER = "Idempotency-Key"
_KEY = re.compile(rf"[!-~]{{{KEY_CHARS_MIN},{KEY_CHARS_MAX}}}")

Answer = dict[str, object]

quotes = Blueprint(
    "quotes", __name__, url_prefix="/api/pos/v1", description="商户系统询价与预留 / quotes for shop systems"
)


@endpoint(
    quotes,
    "/quotes",
    method="POST",
    access=Access.SHOP,
    body=QuoteBody(),
    answers={200: QuoteSchema(), 201: QuoteSchema()},
    header=(KEY_HEADER, "预留时必填，8-200 个可见字符 / required to hold: 8-200 visible characters"),
    body_bytes_max=lambda _settings: BODY_BYTES_MAX,
)
def ask(body: dict[str, Any]) -> Response:
    """询价：试算或预留 / ask what a basket would earn.

    `hold` 为 false 时只试算，什么都不存储；为 true 时预留预算与上限，须带 `Idempotency-Key` 请求头，同一编号和内容得到同一答复。
    A dry run stores nothing. Held, budgets and caps are set aside; the header `Idempotency-Key` is required, and the same
    key and content give the same answer.
    """
    cashier = None if body["cashier"] is None else printable(body["cashier"])
    reads = tuple(_read(line) for line in body["lines"])
    request = QuoteRequest(service().name, body["city"], body["store"], reads, body["member"], cashier)
    if not body["hold"]:
        note(quote="dry_run", lines=len(request.reads))
        return answer(_quote(backend().quote_basket.dry_run(request, now())))
    quoted = backend().quote_basket.hold(request, _key(), body["hold_minutes"], now())
    note(quote=quoted.quote, lines=len(request.reads))
    return answer(_quote(quoted), 201)


@endpoint(quotes, "/quotes/<uuid:quote>", access=Access.SHOP, query=CityBody(), answers={200: QuoteSchema()})
def look(query: dict[str, Any], quote: UUID) -> Response:
    """查询预留单 / a quote as it stands."""
    return answer(_quote(_own(query["city"], quote)))


@endpoint(
    quotes,
    "/quotes/<uuid:quote>/capture",
    method="POST",
    access=Access.SHOP,
    body=CaptureBody(),
    answers={200: QuoteSchema()},
)
def capture(body: dict[str, Any], quote: UUID) -> Response:
    """付款后结算：按预留时的政策入账 / paid: the promised awards are posted.

    件数可少、价格可低，不能超出询价；多出的预留退回。重复结算得到同一答复。
    Fewer pieces and lower prices are fine, more is refused; what is left of the reservation goes back. Twice is once.
    """
    lines = body["lines"]
    final = (
        None if lines is None else tuple(FinalLine(line["line_no"], line["qty"], line["price_fen"]) for line in lines)
    )
    backend().capture_quote.capture(Paid(body["city"], str(quote), service().name, final), now())
    note(quote=str(quote))
    return answer(_quote(_own(body["city"], quote)))


@endpoint(
    quotes,
    "/quotes/<uuid:quote>/void",
    method="POST",
    access=Access.SHOP,
    body=CityBody(),
    answers={200: QuoteSchema()},
)
def void(body: dict[str, Any], quote: UUID) -> Response:
    """未付款：撤销预留，全部退回 / not paid: everything held goes back.

    已结算的不能撤销，请按退货办理；重复撤销得到同一答复。A captured one cannot be voided: use a return. Twice is once.
    """
    void_quote(backend().database, body["city"], str(quote), service=service().name, now=now())
    note(quote=str(quote))
    return answer(_quote(_own(body["city"], quote)))


def _own(city: str, quote: UUID) -> Quoted:
    """Raises QuoteUnknown, also for another service's."""
    found = backend().quote_basket.find(city, str(quote))
    if found.service != service().name:
        raise QuoteUnknown
    return found


def _key() -> str:
    given = flask.request.headers.get(KEY_HEADER, "")
    if not _KEY.fullmatch(given):
        zh = f"预留须带此请求头，{KEY_CHARS_MIN}-{KEY_CHARS_MAX} 个可见 ASCII 字符"
        en = f"Holding needs this header, {KEY_CHARS_MIN}-{KEY_CHARS_MAX} visible ASCII characters."
        raise InvalidFields([Fault(f"header:/{KEY_HEADER}", zh, en)])
    return given


def _read(line: dict[str, Any]) -> Read:
    code: str = line["code"]
    return Read(
        code.encode(),
        code,
        line["sym"],
        line["aim"],
        line["qty"],
        line["price_fen"],
        None if line["sn"] is None else printable(line["sn"]),
        line["evidence"],
    )


def _quote(quoted: Quoted) -> Answer:
    totals: dict[str, int] = {}
    for line in quoted.lines:
        for award in line.awards:
            totals[award.unit] = totals.get(award.unit, 0) + award.amount
    return {
        "quote": quoted.quote,
        "city": quoted.city,
        "store": quoted.store,
        "state": quoted.state.value,
        "quoted_at": quoted.quoted_at,
        "expires_at": quoted.expires_at,
        "settled_at": quoted.settled_at,
        "lines": [_line(line) for line in quoted.lines],
        "totals": totals,
    }


def _line(line: SaidLine) -> Answer:
    decision = line.scan.decision
    return {
        "line_no": decision.line_no,
        "qty": decision.quantity,
        "price_fen": decision.price_fen,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "awards": [award_answer(award) for award in line.awards],
        "cashier": _words(line.cashier),
        "customer": _words(line.customer),
        "caps": [
            {"policy": cap.policy, "cap": cap.cap, "left": cap.left, "words": _words(cap.words)} for cap in line.caps
        ],
    }


def award_answer(award: Award) -> Answer:
    return {
        "unit": award.unit,
        "amount": award.amount,
        "gross": award.gross,
        "policy_version": award.version,
        "rule": award.rule,
        "words": _words(amount_words(award.unit, award.amount)),
    }


def _words(sentence: Sentence) -> Answer:
    return {"zh": sentence.zh, "en": sentence.en}
