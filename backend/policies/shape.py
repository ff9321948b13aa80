"""The shape of a policy document: fields, types and limits. What the fields mean together stands in `document`."""

from datetime import date, datetime
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from backend.kernel.amounts import BASIS_POINTS, MAX_AMOUNT, Rounding, Unit
from backend.kernel.periods import CHINA, Period
from backend.policies.conditions import MEMBERS_MAX
from backend.policies.model import HAND_IN, SALES, Beyond, Buyer, Counts, Level, Mode, Per, Proof, RewardKind
from backend.policies.terms import Claims
from backend.policies.watch import Of

RULES_MAX = 100
CAPS_MAX = 20
PACES_MAX = 4
SHARES_MAX = 6
SHARDS_MAX = 6
"""So that all accounts of a budget can share one award within the numbers that a decision's transfers may take."""
MILESTONES_MAX = 5
STEPS_MAX = 20
WATCHES_MAX = 5
WINDOWS_MAX = 5
TIMES_MAX = 100
KMH_MAX = 1_200
"""As fast as an airliner."""
SCOPE_MAX = 500
NAME_MAX = 80
RATE_MAX_BP = BASIS_POINTS
DAYS_MAX = 366
MONTHS_MAX = 60

_NAME = validate.Regexp(
    r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$", error="小写字母、数字和连字符 / lower-case letters, digits, hyphens"
)
_TEXT = validate.Length(1, NAME_MAX)
_MONEY = validate.Range(
    1,
    MAX_AMOUNT,
    error=f"须为 1 至 {MAX_AMOUNT} 的整数；奖励和信用凭证只增不减，不得为负 / from 1 to {MAX_AMOUNT}: "
    "rewards and credit evidence are only ever given, never negative",
)
_DISTRICT = validate.Regexp(r"^[0-9]{6}$", error="须为 6 位行政区划代码 / a district code has six digits")
_CHANNEL = validate.OneOf([*SALES, HAND_IN])


_FIRST_YEAR, _LAST_YEAR = 1949, 9999
_YEARS_ERROR = f"年份须在 {_FIRST_YEAR} 至 {_LAST_YEAR} 之间 / a year from {_FIRST_YEAR} to {_LAST_YEAR}"


class Strict(Schema):
    class Meta:
        ordered = False
        unknown = "raise"


def _date(**more: Any) -> fields.Date:
    return fields.Date(
        validate=validate.Range(date(_FIRST_YEAR, 1, 1), date(_LAST_YEAR, 12, 31), error=_YEARS_ERROR), **more
    )


def _instant(data_key: str) -> fields.AwareDateTime:
    # So that every instant has a date, in UTC and in Asia/Shanghai.
    first, last = datetime(_FIRST_YEAR, 1, 1, tzinfo=CHINA), datetime(_LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=CHINA)
    return fields.AwareDateTime(
        required=True, format="iso", data_key=data_key, validate=validate.Range(first, last, error=_YEARS_ERROR)
    )


class PublishedSchema(Strict):
    number = fields.String(required=True, validate=_TEXT)
    issuer = fields.String(required=True, validate=_TEXT)
    published_on = _date(required=True)
    url = fields.Url(schemes={"https", "http"}, load_default=None, allow_none=True)


def _names(member: fields.Field[Any]) -> fields.List[Any]:
    return fields.List(member, load_default=list, validate=validate.Length(1, SCOPE_MAX))


class ScopeSchema(Strict):
    districts = _names(fields.String(validate=_DISTRICT))
    stores = _names(fields.String(validate=_TEXT))
    schemes = _names(fields.String(validate=_TEXT))
    categories = _names(fields.String(validate=_TEXT))
    channels = _names(fields.String(validate=_CHANNEL))
    buyers = fields.List(
        fields.Enum(Buyer, by_value=True), load_default=lambda: [Buyer.PERSON], validate=validate.Length(1, 2)
    )


class PaceSchema(Strict):
    pace = fields.String(required=True, validate=_NAME)
    amount = fields.Integer(required=True, strict=True, validate=_MONEY)
    per = fields.List(
        fields.Enum(Per, by_value=True), load_default=lambda: [Per.POLICY], validate=validate.Length(1, 3)
    )
    amounts = fields.Dict(
        keys=fields.String(validate=_DISTRICT),
        values=fields.Integer(strict=True, validate=validate.Range(0, MAX_AMOUNT)),
        load_default=None,
        allow_none=True,
    )
    carry_over = fields.Boolean(load_default=False)

    @validates_schema
    def names_places_apart(self, pace: dict[str, Any], **_: object) -> None:
        if pace["amounts"] and Per.DISTRICT not in pace["per"]:
            raise ValidationError("按区分列金额须有 per: district / amounts apart need per: district", "amounts")
        if not set(pace["per"]) <= {Per.POLICY, Per.DISTRICT, Per.STORE, Per.CHANNEL}:
            raise ValidationError(
                "限于 policy、district、store、channel / one of policy, district, store, channel", "per"
            )


class ShareSchema(Strict):
    source = fields.String(required=True, validate=_NAME)
    name_zh = fields.String(required=True, validate=_TEXT)
    name_en = fields.String(required=True, validate=_TEXT)
    basis_points = fields.Integer(required=True, strict=True, validate=validate.Range(1, BASIS_POINTS))


class BudgetSchema(Strict):
    unit = fields.Enum(Unit, by_value=True, required=True)
    amount = fields.Integer(required=True, strict=True, validate=_MONEY)
    in_part = fields.Boolean(load_default=True, data_key="partial")
    shards = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, SHARDS_MAX))
    paces = fields.List(fields.Nested(PaceSchema), load_default=list, validate=validate.Length(0, PACES_MAX))
    shares = fields.List(fields.Nested(ShareSchema), load_default=list, validate=validate.Length(0, SHARES_MAX))
    reclaim_on = _date(load_default=None, allow_none=True)

    @validates_schema
    def shares_are_whole(self, budget: dict[str, Any], **_: object) -> None:
        shares = budget["shares"]
        if shares and sum(share["basis_points"] for share in shares) != BASIS_POINTS:
            raise ValidationError("各级承担比例之和须为 10000 / shares must sum to 10000 basis points", "shares")
        if len({share["source"] for share in shares}) != len(shares):
            raise ValidationError("名称重复 / names repeat", "shares")


class RewardSchema(Strict):
    kind = fields.Enum(RewardKind, by_value=True, required=True)
    unit = fields.Enum(Unit, by_value=True, load_default=None, allow_none=True)
    amount = fields.Integer(strict=True, validate=_MONEY)
    basis_points = fields.Integer(strict=True, validate=validate.Range(1, 1_000_000))
    by = fields.String(validate=validate.OneOf(["grade", "tier"]))
    amounts = fields.Dict(keys=fields.Integer(), values=fields.Integer(strict=True, validate=_MONEY))
    percents = fields.Dict(
        keys=fields.Integer(), values=fields.Integer(strict=True, validate=validate.Range(1, 1_000_000))
    )
    cap_per_unit = fields.Integer(strict=True, validate=_MONEY, load_default=None, allow_none=True)
    factor = fields.Integer(strict=True, validate=validate.Range(1, 100_000), load_default=BASIS_POINTS)
    rounding = fields.Enum(Rounding, by_value=True, load_default=Rounding.DOWN)
    once_a_basket = fields.Boolean(load_default=False)

    needs: ClassVar[dict[RewardKind, tuple[str, ...]]] = {
        RewardKind.FIXED: ("amount",),
        RewardKind.PER_UNIT: ("amount",),
        RewardKind.PERCENT: ("basis_points",),
        RewardKind.TABLE: ("by",),
    }

    @validates_schema
    def has_what_its_kind_needs(self, reward: dict[str, Any], **_: object) -> None:
        missing = [name for name in self.needs[reward["kind"]] if name not in reward]
        if missing:
            raise ValidationError(f"缺少 / missing: {', '.join(missing)}")
        if reward["kind"] is RewardKind.TABLE and ("amounts" in reward) == ("percents" in reward):
            raise ValidationError("amounts 与 percents 须且只须有一个 / exactly one of amounts and percents")
        if reward["once_a_basket"] and reward["kind"] is not RewardKind.FIXED:
            raise ValidationError("once_a_basket 只用于 fixed / once_a_basket is for fixed rewards only")


class RuleSchema(Strict):
    rule = fields.String(required=True, validate=_NAME)
    name_zh = fields.String(required=True, validate=_TEXT)
    name_en = fields.String(required=True, validate=_TEXT)
    when = fields.List(fields.Raw(), required=True, validate=validate.Length(1, MEMBERS_MAX))
    reward = fields.Nested(RewardSchema)
    rewards = fields.List(fields.Nested(RewardSchema), validate=validate.Length(1, len(Unit)))
    rates = fields.Dict(
        keys=fields.Enum(Level, by_value=True),
        values=fields.Dict(
            keys=fields.Enum(Proof, by_value=True),
            values=fields.Integer(strict=True, validate=validate.Range(1, RATE_MAX_BP)),
        ),
        required=True,
        validate=validate.Length(1),
    )

    @validates_schema
    def pays_in_one_way(self, rule: dict[str, Any], **_: object) -> None:
        if ("reward" in rule) == ("rewards" in rule):
            raise ValidationError("reward 与 rewards 须且只须有一个 / exactly one of reward and rewards")
        given = rule.get("rewards") or [rule["reward"]]
        if len({reward["once_a_basket"] for reward in given}) > 1:
            raise ValidationError(
                "once_a_basket 须全部有或全部没有 / once_a_basket holds for all rewards of a rule or for none",
                "rewards",
            )


class OneOrSome(fields.Field[list[Per]]):
    """A word, or a list of different ones, of those that a cap may count by."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Per]:
        del attr, data, kwargs
        words = value if isinstance(value, list) else [value]
        try:
            found = [Per(word) for word in words]
        except ValueError:
            raise ValidationError(f"取值限于 / one of: {', '.join(Per)}") from None
        if not 1 <= len(found) <= len(Per) or len(set(found)) != len(found):
            raise ValidationError("不能为空或重复 / neither empty nor repeated")
        return found


class CapSchema(Strict):
    cap = fields.String(required=True, validate=_NAME)
    per = OneOrSome(required=True)
    period = fields.Enum(Period, by_value=True, required=True)
    limit = fields.Integer(required=True, strict=True, validate=_MONEY)
    in_part = fields.Boolean(load_default=True, data_key="partial")
    counts = fields.Enum(Counts, by_value=True, load_default=Counts.AMOUNT)
    unit = fields.Enum(Unit, by_value=True, load_default=None, allow_none=True)
    shared = fields.Boolean(load_default=False)
    citywide = fields.Boolean(load_default=False)
    beyond = fields.Enum(Beyond, by_value=True, load_default=Beyond.REFUSE)
    schemes = _names(fields.String(validate=_TEXT))
    categories = _names(fields.String(validate=_TEXT))

    @validates_schema
    def counts_in_whole(self, cap: dict[str, Any], **_: object) -> None:
        if cap["shared"] and cap["citywide"]:
            raise ValidationError("shared 与 citywide 最多一个为 true / at most one of shared and citywide", "citywide")
        if cap["counts"] is not Counts.AMOUNT and cap["unit"] is not None:
            raise ValidationError("只有按金额计数的上限才有 unit / only a cap of amounts has a unit", "unit")


class WatchSchema(Strict):
    watch = fields.String(required=True, validate=_NAME)
    of = fields.Enum(Of, by_value=True, required=True)
    above_bp = fields.Integer(
        load_default=None, strict=True, validate=validate.Range(BASIS_POINTS + 1, TIMES_MAX * BASIS_POINTS)
    )
    below_bp = fields.Integer(load_default=None, strict=True, validate=validate.Range(1, BASIS_POINTS - 1))
    kmh = fields.Integer(load_default=None, strict=True, validate=validate.Range(1, KMH_MAX))

    @validates_schema
    def compares_one_thing(self, watch: dict[str, Any], **_: object) -> None:
        priced = watch["above_bp"] is not None or watch["below_bp"] is not None
        if priced != (watch["of"] is Of.PRICE) or (watch["kmh"] is not None) != (watch["of"] is Of.TRAVEL):
            raise ValidationError(
                "price 须有 above_bp 或 below_bp，travel 须有 kmh / price has above_bp or below_bp, travel has kmh",
                "of",
            )


class WindowSchema(Strict):
    window = fields.String(required=True, validate=_NAME)
    per = OneOrSome(required=True)
    hours = fields.Integer(required=True, strict=True, validate=validate.Range(1, 24 * DAYS_MAX))


class StackingSchema(Strict):
    group = fields.String(required=True, validate=_NAME)
    mode = fields.Enum(Mode, by_value=True, required=True)
    order = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 1_000))
    ceiling_bp = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, BASIS_POINTS)
    )

    @validates_schema
    def has_a_ceiling_only_of_a_sum(self, stacking: dict[str, Any], **_: object) -> None:
        if stacking["ceiling_bp"] is not None and stacking["mode"] is not Mode.SUM:
            raise ValidationError("只有 sum 方式有合计上限 / only the mode sum has a ceiling", "ceiling_bp")


class PendingSchema(Strict):
    days = fields.Integer(load_default=0, strict=True, validate=validate.Range(1, DAYS_MAX))
    collect_hours = fields.Integer(load_default=0, strict=True, validate=validate.Range(1, 24 * DAYS_MAX))

    @validates_schema
    def waits_in_one_way(self, pending: dict[str, Any], **_: object) -> None:
        if bool(pending["days"]) == bool(pending["collect_hours"]):
            raise ValidationError("days 与 collect_hours 须且只须有一个 / exactly one of days and collect_hours")


class ExpirySchema(Strict):
    months = fields.Integer(load_default=0, strict=True, validate=validate.Range(1, MONTHS_MAX))
    on = _date(load_default=None, allow_none=True)

    @validates_schema
    def ends_in_one_way(self, expiry: dict[str, Any], **_: object) -> None:
        if bool(expiry["months"]) == (expiry["on"] is not None):
            raise ValidationError("months 与 on 须且只须有一个 / exactly one of months and on")


class ReturnsSchema(Strict):
    days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 3_660))


class TransitionSchema(Strict):
    scheme = fields.String(required=True, validate=_TEXT)
    until = _date(required=True)


class MilestoneSchema(Strict):
    milestone = fields.String(required=True, validate=_NAME)
    unit = fields.Enum(Unit, by_value=True, required=True)
    period = fields.Enum(Period, by_value=True, required=True)
    steps = fields.Dict(
        keys=fields.Integer(validate=validate.Range(1, 100_000)),
        values=fields.Integer(strict=True, validate=_MONEY),
        required=True,
        validate=validate.Length(1, STEPS_MAX),
    )


class PolicySchema(Strict):
    policy = fields.String(required=True, validate=_NAME)
    title_zh = fields.String(required=True, validate=_TEXT)
    title_en = fields.String(required=True, validate=_TEXT)
    document = fields.Nested(PublishedSchema, required=True)
    valid_from = _instant("from")
    valid_until = _instant("until")
    budget = fields.Nested(BudgetSchema)
    budgets = fields.List(fields.Nested(BudgetSchema), validate=validate.Length(1, len(Unit)))
    rules = fields.List(fields.Nested(RuleSchema), required=True, validate=validate.Length(1, RULES_MAX))
    caps = fields.List(fields.Nested(CapSchema), required=True, validate=validate.Length(1, CAPS_MAX))
    scope = fields.Nested(ScopeSchema, load_default=lambda: ScopeSchema().load({}))
    programme = fields.String(validate=_NAME, load_default=None, allow_none=True)
    within = fields.String(validate=_NAME, load_default=None, allow_none=True)
    stacking = fields.Nested(StackingSchema, load_default=None, allow_none=True)
    pending = fields.Nested(PendingSchema, load_default=None, allow_none=True)
    expiry = fields.Nested(ExpirySchema, load_default=None, allow_none=True)
    returns = fields.Nested(ReturnsSchema, load_default=None, allow_none=True)
    transitions = fields.List(
        fields.Nested(TransitionSchema), load_default=list, validate=validate.Length(0, SCOPE_MAX)
    )
    milestones = fields.List(
        fields.Nested(MilestoneSchema), load_default=list, validate=validate.Length(0, MILESTONES_MAX)
    )
    watches = fields.List(fields.Nested(WatchSchema), load_default=list, validate=validate.Length(0, WATCHES_MAX))
    claims = fields.Enum(Claims, by_value=True, load_default=Claims.ANYWHERE)
    windows = fields.List(fields.Nested(WindowSchema), load_default=list, validate=validate.Length(0, WINDOWS_MAX))

    @validates_schema(skip_on_field_errors=False)
    def ends_after_it_starts(self, document: dict[str, Any], **_: object) -> None:
        begins, ends = document.get("valid_from"), document.get("valid_until")
        if begins is not None and ends is not None and begins >= ends:
            raise ValidationError("结束时间须晚于开始时间 / must end after it starts", "until")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def has_one_kind_of_budget(self, _document: object, given: Any, **_: object) -> None:
        """Looks at what was written: a budget with a fault of its own is still a budget."""
        if isinstance(given, dict) and ("budget" in given) == ("budgets" in given):
            raise ValidationError("budget 与 budgets 须且只须有一个 / exactly one of budget and budgets", "budget")

    @validates_schema
    def names_nothing_twice(self, document: dict[str, Any], **_: object) -> None:
        budgets = document.get("budgets") or [budget for budget in (document.get("budget"),) if budget]
        limits = [
            *(cap["cap"] for cap in document["caps"]),
            *(pace["pace"] for budget in budgets for pace in budget["paces"]),
            *(milestone["milestone"] for milestone in document["milestones"]),
            *(watch["watch"] for watch in document["watches"]),
            *(window["window"] for window in document["windows"]),
        ]
        named = {
            "rules": [rule["rule"] for rule in document["rules"]],
            "caps": limits,
            "budgets": [budget["unit"] for budget in budgets],
        }
        for place, names in named.items():
            if len(set(names)) != len(names):
                raise ValidationError("名称重复 / names repeat", place)
