"""What an installation decides about residents: how they sign in and are written to, and by when they are answered."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from environs import validate

from backend.environment import described_as, file, number, one_of, text
from backend.key_files import fault_of, secret_text

PREFIX = "GREENPOINTS_"
NOT_IN_PRODUCTION = "生产环境不允许 / refused in production"
EXPIRY_TEMPLATE, TEMPLATE_ID = f"{PREFIX}WECHAT_EXPIRY_TEMPLATE", text(validate.Regexp(r"[A-Za-z0-9_-]{16,64}\Z"))
_WORD = text(validate.Regexp(r"[!-~]{1,64}\Z"))
_HTTPS = "生产环境须为 https / https in production"
_URL = text(validate.URL(schemes={"http", "https"}, require_tld=False))


class TextMessages(StrEnum):
    OFF = "off"
    LOG = "log"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentSettings:
    """The part of `settings.Settings` that is about residents."""

    wechat_appid: str | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}WECHAT_APPID",
            text(validate.Regexp(r"[A-Za-z0-9_-]{4,64}\Z")),
            "小程序的 appid；未设置时不能用微信登录",
            "the mini-program's appid; without it nobody signs in by WeChat",
        ),
    )
    wechat_secret_file: Path | None = field(
        default=None,
        metadata=described_as(f"{PREFIX}WECHAT_SECRET_FILE", file, "小程序的 secret", "the mini-program's secret"),
    )
    wechat_expiry_template: str | None = field(
        default=None,
        metadata=described_as(EXPIRY_TEMPLATE, TEMPLATE_ID, "到期提醒的订阅消息模板", "template of expiry notices"),
    )
    wechat_url: str = field(
        default="https://api.weixin.qq.com",
        metadata=described_as(
            f"{PREFIX}WECHAT_URL",
            _URL,
            "微信服务端接口的地址；生产环境须为 https",
            "where WeChat's API is; https in production",
        ),
    )
    text_messages: TextMessages = field(
        default=TextMessages.OFF,
        metadata=described_as(
            f"{PREFIX}TEXT_MESSAGES",
            one_of(TextMessages),
            "短信验证码：off 关闭，gateway 经短信网关，log 写入日志（仅供演示和开发；生产环境拒绝）",
            "codes by text message: off, gateway, or log for development only; refused in production",
        ),
    )
    text_messages_url: str | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}TEXT_MESSAGES_URL", _URL, "短信网关的地址；生产环境须为 https", "the gateway; https in production"
        ),
    )
    text_messages_key: str | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}TEXT_MESSAGES_KEY", _WORD, "短信网关的应用标识", "by which the gateway knows us"
        ),
    )
    text_messages_secret_file: Path | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}TEXT_MESSAGES_SECRET_FILE", file, "短信网关的签名密钥", "by which requests to it are signed"
        ),
    )
    text_messages_template: str | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}TEXT_MESSAGES_TEMPLATE",
            _WORD,
            "验证码短信的模板编号，变量为 code 和 minutes",
            "template of the message, with `code` and `minutes`",
        ),
    )
    text_messages_sign_name: str | None = field(
        default=None,
        metadata=described_as(
            f"{PREFIX}TEXT_MESSAGES_SIGN_NAME",
            text(validate.Length(min=2, max=20)),
            "短信签名",
            "name that signs the message",
        ),
    )
    appeal_working_days: int = field(
        default=15,
        metadata=described_as(
            f"{PREFIX}APPEAL_WORKING_DAYS", number(1, 120), "几个工作日内答复申诉", "working days to answer an appeal"
        ),
    )
    card_sales_a_day: int = field(
        default=10,
        metadata=described_as(
            f"{PREFIX}CARD_SALES_A_DAY",
            number(1, 50),
            "一张纸质会员卡一天最多记入几次购物",
            "sales of a day that a paper card credits, at most",
        ),
    )
    sellers_days: int = field(
        default=30,
        metadata=described_as(
            f"{PREFIX}SELLERS_DAYS",
            number(1, 365),
            "公开查询所列门店须在几天内售出过该商品",
            "days within which a shop sold goods to be named by the public look-up",
        ),
    )
    sellers_buyers_min: int = field(
        default=5,
        metadata=described_as(
            f"{PREFIX}SELLERS_BUYERS_MIN",
            number(3, 1_000),
            "其间至少有几位不同顾客购买，少于此数不列出",
            "different buyers in that time, at least; with fewer a shop is not named",
        ),
    )
    missing_points_days: int = field(
        default=30,
        metadata=described_as(
            f"{PREFIX}MISSING_POINTS_DAYS",
            number(1, 365),
            "购买后几天内可凭小票申请补记积分",
            "days after the purchase within which missing points are claimed by the slip",
        ),
    )


def faults_of_residents(settings: ResidentSettings, *, in_production: bool) -> dict[str, str]:
    """What does not go together, by variable."""
    faults = {}
    if settings.text_messages is TextMessages.LOG and in_production:
        faults[f"{PREFIX}TEXT_MESSAGES"] = NOT_IN_PRODUCTION
    if settings.text_messages is TextMessages.GATEWAY:
        faults |= _gateway_faults(settings, in_production=in_production)
    if in_production and not settings.wechat_url.startswith("https://"):
        faults[f"{PREFIX}WECHAT_URL"] = _HTTPS
    if (settings.wechat_appid is None) != (settings.wechat_secret_file is None):
        faults[f"{PREFIX}WECHAT_APPID"] = "须与 WECHAT_SECRET_FILE 一同设置 / goes with WECHAT_SECRET_FILE"
    elif settings.wechat_secret_file is not None:
        fault = fault_of(settings.wechat_secret_file, secret_text)
        if fault:
            faults[f"{PREFIX}WECHAT_SECRET_FILE"] = fault
    return faults


def _gateway_faults(settings: ResidentSettings, *, in_production: bool) -> dict[str, str]:
    names = ("url", "key", "secret_file", "template", "sign_name")
    given = {f"{PREFIX}TEXT_MESSAGES_{name.upper()}": getattr(settings, f"text_messages_{name}") for name in names}
    faults = {
        name: "使用短信网关时必须设置 / required with a gateway" for name, value in given.items() if value is None
    }
    if in_production and not (settings.text_messages_url or "https://").startswith("https://"):
        faults[f"{PREFIX}TEXT_MESSAGES_URL"] = _HTTPS
    secret = settings.text_messages_secret_file
    if secret is not None and (fault := fault_of(secret, secret_text)):
        faults[f"{PREFIX}TEXT_MESSAGES_SECRET_FILE"] = fault
    return faults
