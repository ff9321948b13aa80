"""The bodies of catalogue and redemptions."""

import marshmallow as ma

from backend.kernel.periods import Period
from backend.redemptions.model import Kind, State, VoucherState
from backend.redemptions.queries import PAGE_MAX
from backend.web.resident.schemas import CityQuery
from backend.web.schemas import Body, City, Text, Whole

ENTRY = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
PIECES_MAX = 1_000


class CatalogueQuery(CityQuery):
    after = Text(1, 40, pattern=ENTRY, load_default=None, metadata={"description": "上一页的 next / next of a page"})
    limit = Whole(1, PAGE_MAX, in_query=True, load_default=20)


class RedemptionBody(Body):
    redemption_id = ma.fields.UUID(
        required=True, metadata={"description": "客户端生成，重发时不变 / the client's own, kept when sent again"}
    )
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})
    entry = Text(
        1, 40, pattern=ENTRY, required=True, metadata={"description": "目录中的编号 / its name in the catalogue"}
    )
    pieces = Whole(1, PIECES_MAX, load_default=1)


class RedemptionActBody(Body):
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})


class LimitSchema(ma.Schema):
    pieces = ma.fields.Integer(required=True)
    period = ma.fields.String(required=True, metadata={"enum": [one.value for one in Period]})
    left = ma.fields.Integer(
        required=True, metadata={"description": "本人本期还可兑几份 / pieces left to this resident"}
    )
    words = ma.fields.String(required=True)
    words_en = ma.fields.String(required=True)


class PartnerSchema(ma.Schema):
    store = ma.fields.String(required=True)
    name = ma.fields.String(required=True, allow_none=True)


class EntrySchema(ma.Schema):
    entry = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, metadata={"enum": [one.value for one in Kind]})
    title = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    text_en = ma.fields.String(required=True)
    points = ma.fields.Integer(required=True, metadata={"description": "每份所需积分 / points a piece"})
    pieces_max = ma.fields.Integer(required=True, metadata={"description": "一次最多几份 / pieces at a time, at most"})
    left = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "库存，null 为不限 / in stock; null: without end"}
    )
    limit = ma.fields.Nested(LimitSchema, required=True, allow_none=True)
    until = ma.fields.DateTime(required=True, metadata={"description": "在此之前可兑换 / redeemable before"})
    hold_minutes = ma.fields.Integer(
        required=True, metadata={"description": "保留几分钟待确认 / kept for confirmation"}
    )
    at_till = ma.fields.Boolean(
        required=True, metadata={"description": "到合作网点出示兑换码确认 / confirmed at a partner's till, by code"}
    )
    partners = ma.fields.List(ma.fields.Nested(PartnerSchema), required=True)
    voucher_days = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "券有效几天 / days that a voucher is good for"}
    )
    points_back = ma.fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "券过期未用是否退回积分 / whether an unused one's come back"},
    )


class CatalogueSchema(ma.Schema):
    city = ma.fields.String(required=True)
    entries = ma.fields.List(ma.fields.Nested(EntrySchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class VoucherSchema(ma.Schema):
    state = ma.fields.String(required=True, metadata={"enum": [one.value for one in VoucherState]})
    code = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "可用时可随时再看 / shown again while it can be used"}
    )
    expires_at = ma.fields.DateTime(required=True)
    used_at = ma.fields.DateTime(required=True, allow_none=True)


class RedemptionSchema(ma.Schema):
    redemption = ma.fields.String(required=True)
    entry = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, metadata={"enum": [one.value for one in Kind]})
    title = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    pieces = ma.fields.Integer(required=True)
    points = ma.fields.Integer(required=True, metadata={"description": "共用积分 / points of all pieces"})
    state = ma.fields.String(required=True, metadata={"enum": [one.value for one in State]})
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)
    held_at = ma.fields.DateTime(required=True)
    expires_at = ma.fields.DateTime(required=True, metadata={"description": "须在此前确认 / to be confirmed before"})
    settled_at = ma.fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "确认、取消或到期的时刻 / when it was confirmed or ended"},
    )
    code = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "在网点出示的兑换码 / shown at a partner's till"}
    )
    store = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "确认的网点 / where it was confirmed"}
    )
    voucher = ma.fields.Nested(VoucherSchema, required=True, allow_none=True)
    lapsed = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "退回时已到期失效 / of what came back, over by then"}
    )
    repaid = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "退回时抵扣欠账 / of what came back, went to a debt"}
    )


class RedemptionsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    redemptions = ma.fields.List(ma.fields.Nested(RedemptionSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)
