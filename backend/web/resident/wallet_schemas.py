"""Bodies of the wallet: what a resident holds, what will end, and what the caps leave."""

import marshmallow as ma

from backend.web.resident.schemas import BalanceSchema, ExpirySchema
from backend.web.schemas import Body, City, Text

CODE_CHARS_MAX = 2_048
CATEGORY_CHARS_MAX = 64


class CapsBody(Body):
    """Neither code nor category: whatever the goods are."""

    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})
    code = Text(
        1, CODE_CHARS_MAX, as_read=True, load_default=None, metadata={"description": "商品的码 / a code on the goods"}
    )
    symbology = Text(1, 32, pattern=r"[A-Za-z0-9_.:-]+", load_default=None)
    aim = Text(3, 6, pattern=r"\][A-Za-z][0-9A-Za-z]{1,4}", load_default=None)
    category = Text(
        1, CATEGORY_CHARS_MAX, load_default=None, metadata={"description": "品类，如“冰箱” / a category of goods"}
    )

    @ma.validates_schema
    def one_of_both(self, loaded: dict[str, object], **_options: object) -> None:
        if loaded.get("code") is not None and loaded.get("category") is not None:
            raise ma.ValidationError("code 与 category 只能填一项|Give code or category, not both.", "category")


class ImpactSchema(BalanceSchema):
    """环境效益：估算值，不折算为积分或钱 / an estimate, never converted into points or money."""

    estimate = ma.fields.Boolean(required=True)
    note = ma.fields.String(required=True)
    note_en = ma.fields.String(required=True)


class WalletSchema(ma.Schema):
    """积分、补贴、环境效益、凭证各自分列 / points, money, impact and evidence, each apart."""

    city = ma.fields.String(required=True)
    points = ma.fields.Nested(BalanceSchema, required=True)
    money = ma.fields.Nested(BalanceSchema, required=True)
    impact = ma.fields.Nested(ImpactSchema, required=True)
    evidence = ma.fields.Nested(BalanceSchema, required=True)
    expiries = ma.fields.List(
        ma.fields.Nested(ExpirySchema), required=True, metadata={"description": "最先到期的几笔 / the first to end"}
    )
    expiries_next = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "用于 /expiries 的 after / `after` of /expiries"}
    )


class GoodsSchema(ma.Schema):
    """`state`: valid, not_a_product, unknown, or what is wrong with the certificate."""

    key = ma.fields.String(required=True, allow_none=True)
    product = ma.fields.String(required=True, allow_none=True)
    category = ma.fields.String(required=True, allow_none=True)
    grade = ma.fields.Integer(required=True, allow_none=True)
    tier = ma.fields.Integer(required=True, allow_none=True)
    state = ma.fields.String(required=True)


class CapRuleSchema(ma.Schema):
    rule = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)


class CapSchema(ma.Schema):
    """counts 为 amount 时 limit、used、left 的单位是 unit / with counts `amount` they are amounts of `unit`."""

    cap = ma.fields.String(required=True)
    counts = ma.fields.String(required=True, metadata={"enum": ["amount", "pieces", "awards"]})
    unit = ma.fields.String(required=True, allow_none=True)
    period = ma.fields.String(required=True, metadata={"enum": ["day", "month", "year", "lifetime"]})
    resets_at = ma.fields.DateTime(required=True, allow_none=True, metadata={"description": "null: never"})
    limit = ma.fields.Integer(required=True)
    used = ma.fields.Integer(required=True, allow_none=True)
    left = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "null：结账时核定 / null: known at the till"}
    )
    rules = ma.fields.List(
        ma.fields.String(), required=True, metadata={"description": "受其限制的规则 / rules it holds"}
    )
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class PolicyCapsSchema(ma.Schema):
    policy = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    document_number = ma.fields.String(required=True)
    document_url = ma.fields.String(required=True, allow_none=True)
    until = ma.fields.DateTime(required=True)
    rules = ma.fields.List(ma.fields.Nested(CapRuleSchema), required=True)
    caps = ma.fields.List(ma.fields.Nested(CapSchema), required=True)


class CapsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    goods = ma.fields.Nested(GoodsSchema, required=True, allow_none=True)
    policies = ma.fields.List(ma.fields.Nested(PolicyCapsSchema), required=True)
