"""Bodies of a resident's rights: consents, age, guardians."""

import marshmallow as ma

from backend.residents.access.log import PAGE_MAX as ACCESS_PAGE_MAX
from backend.residents.access.log import Role
from backend.residents.consents.model import GivenBy, Purpose
from backend.residents.consents.queries import PAGE_MAX
from backend.residents.standing import AgeBand, AgeBasis
from backend.web.schemas import Body, City, Text, Whole

SHA256 = r"[0-9a-f]{64}"
COUNTER_CODE_TYPED_MAX = 20


class ConsentBody(Body):
    text_sha256 = Text(
        64, 64, pattern=SHA256, required=True, metadata={"description": "所读文本的散列 / of the text that was read"}
    )


class ConsentTextSchema(ma.Schema):
    sha256 = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    text = ma.fields.String(required=True)
    text_en = ma.fields.String(required=True)


class RefusalSchema(ma.Schema):
    code = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class ConsentSchema(ma.Schema):
    purpose = ma.fields.String(required=True, metadata={"enum": [purpose.value for purpose in Purpose]})
    name = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)
    optional = ma.fields.Boolean(required=True, metadata={"description": "可以不同意 / may be left out"})
    given = ma.fields.Boolean(required=True)
    since = ma.fields.DateTime(
        required=True, allow_none=True, metadata={"description": "最近一次变更 / since its last change; null: never"}
    )
    text_changed = ma.fields.Boolean(
        required=True, metadata={"description": "同意的是旧文本 / what was agreed to is an older text"}
    )
    text = ma.fields.Nested(ConsentTextSchema, required=True, allow_none=True)
    closed = ma.fields.Nested(
        RefusalSchema,
        required=True,
        allow_none=True,
        metadata={"description": "现在不能同意的原因 / why it cannot be given now"},
    )


class AgeSchema(ma.Schema):
    band = ma.fields.String(required=True, allow_none=True, metadata={"enum": [*(b.value for b in AgeBand), None]})
    basis = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "本人申明或窗口核验 / declared, or verified at a counter",
            "enum": [*(b.value for b in AgeBasis), None],
        },
    )
    waits_for_guardian = ma.fields.Boolean(required=True)


class ConsentsSchema(ma.Schema):
    age = ma.fields.Nested(AgeSchema, required=True)
    purposes = ma.fields.List(ma.fields.Nested(ConsentSchema), required=True)


class ConsentPageQuery(Body):
    before = Whole(
        1, 2**53, in_query=True, load_default=None, metadata={"description": "上一页的 next / a page's next"}
    )
    limit = Whole(1, PAGE_MAX, in_query=True, load_default=20)


class ConsentChangeSchema(ma.Schema):
    number = ma.fields.Integer(required=True)
    purpose = ma.fields.String(required=True)
    given = ma.fields.Boolean(required=True)
    given_by = ma.fields.String(required=True, metadata={"enum": [by.value for by in GivenBy]})
    text_sha256 = ma.fields.String(required=True)
    at = ma.fields.DateTime(required=True)


class ConsentHistorySchema(ma.Schema):
    changes = ma.fields.List(ma.fields.Nested(ConsentChangeSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True)


class AgeBody(Body):
    band = ma.fields.Enum(AgeBand, by_value=True, required=True)


class CounterCodeSchema(ma.Schema):
    code = ma.fields.String(required=True, metadata={"description": "读给对方，只用一次 / read out, used once"})
    expires_at = ma.fields.DateTime(required=True)


class WardBody(ConsentBody):
    code = Text(1, COUNTER_CODE_TYPED_MAX, required=True, metadata={"description": "孩子的监护码 / the child's code"})
    city = City(load_default=None, metadata={"description": "孩子的所属城市，默认与本人相同 / the child's home"})


class WardSchema(ma.Schema):
    ward = ma.fields.UUID(required=True)
    since = ma.fields.DateTime(required=True)


class WardsSchema(ma.Schema):
    city = ma.fields.String(required=True)
    wards = ma.fields.List(ma.fields.Nested(WardSchema), required=True)
    text = ma.fields.Nested(ConsentTextSchema, required=True, metadata={"description": "须同意的文本 / to agree to"})


class ExportQuery(Body):
    JSON, CSV = "json", "csv"
    format = ma.fields.String(load_default=JSON, validate=ma.validate.OneOf([JSON, CSV]))


class ExportTableSchema(ma.Schema):
    table = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    complete = ma.fields.Boolean(
        required=True, metadata={"description": "否：超过上限，未全列 / false: cut at a bound"}
    )
    rows = ma.fields.List(ma.fields.Dict(keys=ma.fields.String()), required=True)


class ExportSchema(ma.Schema):
    exported_at = ma.fields.DateTime(required=True)
    tables = ma.fields.List(ma.fields.Nested(ExportTableSchema), required=True)


class AccessPageQuery(Body):
    before = ma.fields.UUID(load_default=None, metadata={"description": "上一页的 next / a page's next"})
    limit = Whole(1, ACCESS_PAGE_MAX, in_query=True, load_default=20)


class AccessEntrySchema(ma.Schema):
    entry = ma.fields.String(required=True)
    at = ma.fields.DateTime(required=True)
    role = ma.fields.String(required=True, metadata={"enum": [role.value for role in Role]})
    who = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True)
    what = ma.fields.String(required=True)
    ticket = ma.fields.String(required=True, allow_none=True)


class AccessLogSchema(ma.Schema):
    entries = ma.fields.List(ma.fields.Nested(AccessEntrySchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class LossSchema(ma.Schema):
    city = ma.fields.String(required=True)
    unit = ma.fields.String(required=True)
    available = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    to_collect = ma.fields.Integer(required=True)
    owed = ma.fields.Integer(required=True)


class KeptSchema(ma.Schema):
    text = ma.fields.String(required=True)
    text_en = ma.fields.String(required=True)


class ToldSchema(ma.Schema):
    told_sha256 = ma.fields.String(required=True, metadata={"description": "确认时原样交回 / handed back to confirm"})
    losses = ma.fields.List(ma.fields.Nested(LossSchema), required=True)
    money_fen = ma.fields.Integer(
        required=True, metadata={"description": "补贴金额，须先使用或放弃 / to be used first"}
    )
    redemptions_open = ma.fields.Integer(required=True)
    scans_waiting = ma.fields.Integer(required=True)
    quotes_held = ma.fields.Integer(required=True)
    kept = ma.fields.List(ma.fields.Nested(KeptSchema), required=True, metadata={"description": "注销后留存的 / kept"})


class CloseBody(Body):
    told_sha256 = Text(64, 64, pattern=SHA256, required=True)
    gives_up_money = ma.fields.Boolean(
        load_default=False, truthy={True}, falsy={False}, metadata={"description": "放弃未用的补贴 / gives money up"}
    )


class ClosedSchema(ma.Schema):
    closed_at = ma.fields.DateTime(required=True)
