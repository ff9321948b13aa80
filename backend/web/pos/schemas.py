"""The bodies of quotes: what a shop's system asks before a basket is paid, and what it is told."""

from typing import Any

import marshmallow as ma

from backend.policies.evidence import Evidence
from backend.scans.evidence import read_evidence
from backend.scans.line_limits import CODE_BYTES_MAX, MEMBER_CODE_MAX, PRICE_FEN_MAX, QUANTITY_MAX, TEXT_MAX
from backend.scans.model import READS_MAX
from backend.scans.quotes import HOLD_MINUTES, HOLD_MINUTES_MAX, QuoteState
from backend.web.schemas import Body, City, Text, Whole

_SHOWN = r"[^\x00-\x1f\x7f]+"
_UNITS = ["points", "fen", "gco2e", "evidence", "fee"]


class EvidenceField(ma.fields.Field[Evidence]):
    """What is kept of it are digests and numbers, never a telephone number or an address itself."""

    def _deserialize(self, value: Any, _attr: str | None, _data: Any, **_options: Any) -> Evidence | None:  # type: ignore[override]
        try:
            return read_evidence(value)
        except ValueError as error:
            raise ma.ValidationError(f"佐证 {error} 有误|Evidence {error} is not as it must be.") from None


class QuotedLineBody(Body):
    code = Text(
        1, CODE_BYTES_MAX, as_read=True, required=True, metadata={"description": "标签内容 / what the label says"}
    )
    sym = Text(1, 32, pattern=r"[A-Za-z0-9_.:-]+", load_default=None, metadata={"description": "码制 / symbology"})
    aim = Text(3, 6, pattern=r"\][A-Za-z][0-9A-Za-z]{1,4}", load_default=None)
    qty = Whole(1, QUANTITY_MAX, load_default=1, metadata={"description": "件数 / pieces"})
    price_fen = Whole(
        0, PRICE_FEN_MAX, load_default=None, allow_none=True, metadata={"description": "整行成交价（分） / of the line"}
    )
    sn = Text(
        1, TEXT_MAX, as_read=True, load_default=None, allow_none=True, metadata={"description": "序列号 / serial"}
    )
    evidence = EvidenceField(
        load_default=None, allow_none=True, metadata={"type": "object", "description": "佐证，同终端 / as a till's"}
    )

    @ma.validates_schema
    def fits(self, loaded: dict[str, Any], **_options: object) -> None:
        code = loaded.get("code")
        if isinstance(code, str) and len(code.encode("utf-8", "replace")) > CODE_BYTES_MAX:
            raise ma.ValidationError(f"最多 {CODE_BYTES_MAX} 字节|At most {CODE_BYTES_MAX} bytes.", "code")


class QuoteBody(Body):
    city = City(required=True)
    store = Text(1, TEXT_MAX, pattern=_SHOWN, required=True, metadata={"description": "门店编号 / id of the shop"})
    member = Text(
        1,
        MEMBER_CODE_MAX,
        pattern=r"[!-~]+",
        load_default=None,
        allow_none=True,
        metadata={"description": "顾客出示的会员码或纸质会员卡 / the code or paper card that the customer shows"},
    )
    lines = ma.fields.List(
        ma.fields.Nested(QuotedLineBody),
        required=True,
        validate=ma.validate.Length(1, READS_MAX, error=f"须有 1-{READS_MAX} 行|Between 1 and {READS_MAX} lines."),
    )
    cashier = Text(
        1,
        TEXT_MAX,
        as_read=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "收银员代号 / pseudonym of the cashier"},
    )
    hold = ma.fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "false 仅试算，不存储；true 预留 / a dry run, or held"},
    )
    hold_minutes = Whole(1, HOLD_MINUTES_MAX, load_default=HOLD_MINUTES)


class FinalLineBody(Body):
    line_no = Whole(0, READS_MAX - 1, required=True, metadata={"description": "询价时的行号 / as quoted, from 0"})
    qty = Whole(1, QUANTITY_MAX, required=True)
    price_fen = Whole(0, PRICE_FEN_MAX, load_default=None, allow_none=True)


class CaptureBody(Body):
    city = City(required=True)
    lines = ma.fields.List(
        ma.fields.Nested(FinalLineBody),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, READS_MAX, error=f"须有 1-{READS_MAX} 行|Between 1 and {READS_MAX} lines."),
        metadata={"description": "实付各行；省略则全部按询价结算 / what was paid for; left out: all as quoted"},
    )


class CityBody(Body):
    city = City(required=True)


class WordsSchema(ma.Schema):
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)


class AwardSchema(ma.Schema):
    unit = ma.fields.String(required=True, metadata={"enum": _UNITS})
    amount = ma.fields.Integer(required=True)
    gross = ma.fields.Integer(required=True, metadata={"description": "上限之前 / before limits"})
    policy_version = ma.fields.String(required=True)
    rule = ma.fields.String(required=True)
    words = ma.fields.Nested(WordsSchema, required=True)


class CapLeftSchema(ma.Schema):
    policy = ma.fields.String(required=True)
    cap = ma.fields.String(required=True)
    left = ma.fields.Integer(required=True, metadata={"description": "本单之后还剩 / left after this basket"})
    words = ma.fields.Nested(WordsSchema, required=True)


class QuotedLineSchema(ma.Schema):
    line_no = ma.fields.Integer(required=True)
    qty = ma.fields.Integer(required=True)
    price_fen = ma.fields.Integer(required=True, allow_none=True)
    outcome = ma.fields.String(
        required=True, metadata={"enum": ["awarded", "none", "pending_product", "unclaimed", "held"]}
    )
    reason = ma.fields.String(required=True)
    awards = ma.fields.List(ma.fields.Nested(AwardSchema), required=True)
    cashier = ma.fields.Nested(WordsSchema, required=True, metadata={"description": "给收银员 / for the cashier"})
    customer = ma.fields.Nested(WordsSchema, required=True, metadata={"description": "给顾客 / for the customer"})
    caps = ma.fields.List(ma.fields.Nested(CapLeftSchema), required=True)


class QuoteSchema(ma.Schema):
    quote = ma.fields.String(required=True, allow_none=True, metadata={"description": "试算为空 / none of a dry run"})
    city = ma.fields.String(required=True)
    store = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"enum": [state.value for state in QuoteState]})
    quoted_at = ma.fields.DateTime(required=True)
    expires_at = ma.fields.DateTime(required=True, allow_none=True)
    settled_at = ma.fields.DateTime(required=True, allow_none=True)
    lines = ma.fields.List(ma.fields.Nested(QuotedLineSchema), required=True)
    totals = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), required=True, metadata={"description": "按单位 / by unit"}
    )
