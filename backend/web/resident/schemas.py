"""The resident API's bodies: what a client sends and what it reads back."""

from typing import Any

import marshmallow as ma

from backend.kernel.crockford import TYPED_MAX
from backend.residents.session_life import Way
from backend.scans.queries import PAGE_MAX
from backend.web.schemas import Base64Bytes, Body, City, Text, Whole

CODE_BYTES_MAX = 2_048
CURSOR_CHARS_MAX = 200
STEPS = ["show_member_code", "refresh_member_code", "claim", "wait", "keep_slip", "scan_another"]


class _ProofBody(Body):
    code = Text(1, 512, required=True, metadata={"description": "登录凭证或验证码 / WeChat's code, or the one sent"})
    phone = Text(11, 20, load_default=None, metadata={"description": "way 为 phone 时必填 / with way phone"})

    @ma.validates_schema
    def phone_goes_with_its_way(self, loaded: dict[str, object], **_options: object) -> None:
        if (loaded.get("way") == Way.PHONE) != (loaded.get("phone") is not None):
            raise ma.ValidationError("way 为 phone 时必填，否则不填|With way phone, and only then.", "phone")


class SignInBody(_ProofBody):
    way = ma.fields.Enum(Way, by_value=True, load_default=Way.WECHAT)
    city = City(required=True, metadata={"description": "新居民的所属城市 / home of a newcomer"})
    device = Text(1, 40, load_default=None, metadata={"description": "设备名称，供本人辨认 / for one's own list"})


class IdentityBody(_ProofBody):
    WECHAT_PHONE = "wechat_phone"
    way = ma.fields.String(required=True, validate=ma.validate.OneOf([Way.WECHAT.value, Way.PHONE.value, WECHAT_PHONE]))

    @ma.post_load
    def as_way(self, loaded: dict[str, Any], **_options: object) -> dict[str, Any]:
        return {**loaded, "way": loaded["way"] if loaded["way"] == self.WECHAT_PHONE else Way(loaded["way"])}


class PhoneCodeBody(Body):
    phone = Text(11, 20, required=True, metadata={"description": "中国大陆手机号 / a mobile number of mainland China"})


class PhoneCodeSchema(ma.Schema):
    again_after_s = ma.fields.Integer(required=True, metadata={"description": "可重新获取的间隔 / before another"})
    good_for_s = ma.fields.Integer(required=True)


class OpenSessionSchema(ma.Schema):
    session = ma.fields.String(required=True)
    way = ma.fields.String(required=True, metadata={"enum": [way.value for way in Way]})
    device = ma.fields.String(required=True, allow_none=True)
    issued_at = ma.fields.DateTime(required=True)
    expires_at = ma.fields.DateTime(required=True, metadata={"description": "不再使用则到此为止 / ends then if unused"})
    ends_at = ma.fields.DateTime(required=True, metadata={"description": "最迟到此为止 / ends then in any case"})
    current = ma.fields.Boolean(required=True, metadata={"description": "正在使用的这一个 / the one that asks"})


class SessionsSchema(ma.Schema):
    sessions = ma.fields.List(ma.fields.Nested(OpenSessionSchema), required=True)


class SessionSchema(ma.Schema):
    token = ma.fields.String(required=True, metadata={"description": "只在此返回一次 / shown this once"})
    session = ma.fields.String(required=True, metadata={"description": "在登录列表中的编号 / its name in the list"})
    expires_at = ma.fields.DateTime(required=True, metadata={"description": "不再使用则到此为止 / ends then if unused"})
    ends_at = ma.fields.DateTime(required=True, metadata={"description": "最迟到此为止 / ends then in any case"})
    resident = ma.fields.String(required=True)
    city = ma.fields.String(required=True, metadata={"description": "所属城市 / home city"})


class MemberCodeSchema(ma.Schema):
    code = ma.fields.String(required=True, metadata={"description": "以二维码向收银台出示 / shown to the till as a QR"})
    expires_at = ma.fields.DateTime(required=True)
    good_for_s = ma.fields.Integer(
        required=True,
        metadata={"description": "倒计时用，手机时钟可能不准 / to count down by, as a phone's clock may be wrong"},
    )


class ClaimBody(Body):
    code = Text(
        1, TYPED_MAX, required=True, metadata={"description": "小票上的领取码 / the claim code on the sales slip"}
    )
    city = City(load_default=None, metadata={"description": "商店所在城市，默认所属城市 / the shop's city"})


class ScanBody(Body):
    scan_id = ma.fields.UUID(
        required=True, metadata={"description": "客户端生成，重发时不变 / the client's own, kept when sent again"}
    )
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})
    code = Text(
        1, CODE_BYTES_MAX, as_read=True, load_default=None, metadata={"description": "扫到的文本 / text as read"}
    )
    code_b64 = Base64Bytes(
        bytes_max=CODE_BYTES_MAX, load_default=None, metadata={"description": "非文本内容 / content that is no text"}
    )
    symbology = Text(
        1,
        32,
        pattern=r"[A-Za-z0-9_.:-]+",
        load_default=None,
        metadata={"description": "wx.scanCode 的 scanType 或解码器名称 / scanType, or a decoder's name"},
    )
    aim = Text(3, 6, pattern=r"\][A-Za-z][0-9A-Za-z]{1,4}", load_default=None)

    @ma.validates_schema
    def one_content(self, loaded: dict[str, object], **_options: object) -> None:
        if (loaded.get("code") is None) == (not loaded.get("code_b64")):
            raise ma.ValidationError("code 与 code_b64 须提供其一|Give either code or code_b64.", "code")
        text = loaded.get("code")
        if isinstance(text, str) and len(text.encode()) > CODE_BYTES_MAX:
            raise ma.ValidationError(f"最多 {CODE_BYTES_MAX} 字节|At most {CODE_BYTES_MAX} bytes.", "code")


class CityQuery(Body):
    city = City(load_default=None)


class CollectBody(Body):
    city = City(load_default=None, metadata={"description": "默认所属城市 / the home city when left out"})


class PageQuery(CityQuery):
    after = Text(1, CURSOR_CHARS_MAX, load_default=None, metadata={"description": "上一页的 next / next of a page"})
    limit = Whole(1, PAGE_MAX, in_query=True, load_default=20)


class AmountSchema(ma.Schema):
    unit = ma.fields.String(required=True, metadata={"enum": ["points", "fen", "gco2e", "evidence"]})
    amount = ma.fields.Integer(required=True)
    words = ma.fields.String(required=True)
    words_en = ma.fields.String(required=True)


class PendingSchema(AmountSchema):
    available_at = ma.fields.DateTime(required=True, metadata={"description": "生效时刻 / when it becomes available"})


class ToCollectSchema(AmountSchema):
    collect_by = ma.fields.DateTime(
        required=True, metadata={"description": "须在此前领取，逾期退回 / to be collected before, or it lapses"}
    )


class BalanceSchema(AmountSchema):
    """amount 为可用 / `amount` is what is available."""

    pending = ma.fields.List(ma.fields.Nested(PendingSchema), required=True)
    to_collect = ma.fields.List(ma.fields.Nested(ToCollectSchema), required=True)
    held = ma.fields.Nested(
        AmountSchema,
        required=True,
        metadata={"description": "兑换占用，未确认 / held by redemptions not yet confirmed"},
    )
    owed = ma.fields.Nested(
        AmountSchema, required=True, metadata={"description": "退货后的欠账，先行抵扣 / after returns; repaid first"}
    )


class BalancesSchema(ma.Schema):
    city = ma.fields.String(required=True)
    balances = ma.fields.List(ma.fields.Nested(BalanceSchema), required=True)


class ExpirySchema(AmountSchema):
    state = ma.fields.String(required=True, metadata={"enum": ["available", "pending", "to_collect"]})
    last_day = ma.fields.Date(required=True, metadata={"description": "有效至当日末 / good through this civil day"})
    ends_at = ma.fields.DateTime(required=True)


class ExpiriesSchema(ma.Schema):
    city = ma.fields.String(required=True)
    expiries = ma.fields.List(ma.fields.Nested(ExpirySchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class CollectedSchema(ma.Schema):
    city = ma.fields.String(required=True)
    collected = ma.fields.List(ma.fields.Nested(AmountSchema), required=True)
    repaid = ma.fields.List(
        ma.fields.Nested(AmountSchema), required=True, metadata={"description": "抵扣的欠账 / went to debts"}
    )


class StoreSchema(ma.Schema):
    store = ma.fields.String(required=True)
    name = ma.fields.String(required=True, allow_none=True)


class ReadLabelSchema(ma.Schema):
    scheme = ma.fields.String(required=True)
    key = ma.fields.String(required=True, allow_none=True)
    text = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "个人信息不保存 / nothing personal"}
    )
    level = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "enum": ["U", "M", "E", "S", None],
            "description": "单件、型号、企业、自我声明 / what it proves at best",
        },
    )
    sentence = ma.fields.String(
        required=True, metadata={"description": "是什么标签、能证明什么 / what it is and what it proves"}
    )
    sentence_en = ma.fields.String(required=True)


class UsedCertificateSchema(ma.Schema):
    number = ma.fields.String(required=True)
    scheme = ma.fields.String(required=True, allow_none=True)
    category = ma.fields.String(required=True, allow_none=True)
    grade = ma.fields.Integer(required=True, allow_none=True)
    tier = ma.fields.Integer(required=True, allow_none=True)
    state = ma.fields.String(
        required=True, metadata={"description": "购买时：valid、suspended… / at the moment of sale"}
    )


class NextStepSchema(ma.Schema):
    """还差什么、怎样得到 / what is missing, and how to get it."""

    code = ma.fields.String(required=True, metadata={"enum": STEPS})
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class ReturnedAmountSchema(AmountSchema):
    source = ma.fields.String(required=True, metadata={"enum": ["pending", "balance", "debt"]})


class ReturnedSchema(ma.Schema):
    """退了几件、收回了什么 / pieces that came back, and what was taken back for them."""

    quantity = ma.fields.Integer(required=True)
    taken_back = ma.fields.List(ma.fields.Nested(ReturnedAmountSchema), required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class PromisedSchema(ma.Schema):
    """终端离线时的预留及其结果 / what a till reserved while offline, and what became of it."""

    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class ScanSchema(ma.Schema):
    """一次扫码及其核定结果 / a scan with its decision."""

    basket = ma.fields.UUID(required=True)
    line_no = ma.fields.Integer(required=True)
    decision_no = ma.fields.Integer(required=True)
    scan_id = ma.fields.UUID(
        required=True, allow_none=True, metadata={"description": "手机扫码的编号 / of a phone scan"}
    )
    city = ma.fields.String(required=True)
    channel = ma.fields.String(required=True, metadata={"enum": ["till", "phone", "hand_in"]})
    store = ma.fields.Nested(StoreSchema, required=True, allow_none=True)
    sold_at = ma.fields.DateTime(required=True)
    decided_at = ma.fields.DateTime(required=True)
    label = ma.fields.Nested(ReadLabelSchema, required=True)
    quantity = ma.fields.Integer(required=True)
    price_fen = ma.fields.Integer(required=True, allow_none=True)
    certificate = ma.fields.Nested(UsedCertificateSchema, required=True, allow_none=True)
    next_step = ma.fields.Nested(NextStepSchema, required=True, allow_none=True)
    outcome = ma.fields.String(required=True)
    outcome_words = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)
    sentence = ma.fields.String(
        required=True, metadata={"description": "给居民的一句话 / one sentence for the resident"}
    )
    sentence_en = ma.fields.String(required=True)
    award = ma.fields.Nested(AmountSchema, required=True, allow_none=True)
    returned = ma.fields.Nested(
        ReturnedSchema, required=True, allow_none=True, metadata={"description": "退货及收回的奖励 / what came back"}
    )
    promised = ma.fields.Nested(PromisedSchema, required=True, allow_none=True)


class ClaimedSchema(ma.Schema):
    """领取到的各次扫码 / the scans that now are the resident's."""

    city = ma.fields.String(required=True)
    scans = ma.fields.List(ma.fields.Nested(ScanSchema), required=True)


class HistorySchema(ma.Schema):
    city = ma.fields.String(required=True)
    scans = ma.fields.List(ma.fields.Nested(ScanSchema), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class ConditionSchema(ma.Schema):
    holds = ma.fields.Boolean(required=True)
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)


class StepSchema(ma.Schema):
    sentence = ma.fields.String(required=True)
    sentence_en = ma.fields.String(required=True)
    amount = ma.fields.Integer(required=True)


class RuleSchema(ma.Schema):
    rule = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)
    holds = ma.fields.Boolean(required=True)
    decides = ma.fields.Boolean(required=True)
    reason = ma.fields.String(required=True)
    conditions = ma.fields.List(ma.fields.Nested(ConditionSchema), required=True)
    arithmetic = ma.fields.List(ma.fields.Nested(StepSchema), required=True)


class PolicySchema(ma.Schema):
    policy = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    document_number = ma.fields.String(required=True)
    document_url = ma.fields.String(required=True, allow_none=True)
    unit = ma.fields.String(required=True)
    rules = ma.fields.List(ma.fields.Nested(RuleSchema), required=True)


class ExplainedSchema(ma.Schema):
    """核定的全部理由，由留存事实重新计算 / every reason, recomputed from the stored facts."""

    scan = ma.fields.Nested(ScanSchema, required=True)
    recomputed_equal = ma.fields.Boolean(
        required=True, metadata={"description": "重算结果与当时一致 / taken again, it comes out the same"}
    )
    policies = ma.fields.List(ma.fields.Nested(PolicySchema), required=True)
    limit = ma.fields.Nested(
        StepSchema, required=True, allow_none=True, metadata={"description": "减少奖励的上限 / what cut it"}
    )
