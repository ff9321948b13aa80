"""The only map from refusals to HTTP: problem documents (RFC 9457), a Chinese sentence first, nothing of a library's text."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from backend.kernel.errors import DomainError
from backend.storage.transaction import DatabaseBusy, is_passing
from backend.web.console_problems import CONSOLE
from backend.web.context import request_id

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
RATE_RETRY_AFTER_S = 10

log = structlog.get_logger()


class Problem(NamedTuple):
    status: int
    title_zh: str
    title_en: str


class Fault(NamedTuple):
    """One field of a request: `pointer` is a JSON pointer (RFC 6901) into the body, or the parameter's name."""

    pointer: str
    detail: str
    detail_en: str


class InvalidFields(DomainError):
    code = "invalid-fields"
    text_zh = "有字段填写不正确。"
    text_en = "Some fields are not as they must be."

    def __init__(self, errors: list[Fault]) -> None:
        super().__init__(errors=[error._asdict() for error in errors])


class MalformedJson(DomainError):
    code = "malformed-json"
    text_zh = "请求体不是合法的 JSON 对象（重复的键、NaN、非 UTF-8 均不接受）。"
    text_en = "The body is not one strict JSON object (duplicate keys, NaN and other encodings are refused)."


class NotFound(DomainError):
    code = "not-found"
    text_zh = "没有找到。"
    text_en = "There is nothing here."


PROBLEMS: Mapping[str, Problem] = MappingProxyType(
    {
        "malformed-json": Problem(400, "请求无法解析", "Unparsable request"),
        "bad-request": Problem(400, "请求有误", "Bad request"),
        "unauthenticated": Problem(401, "未登录", "Not signed in"),
        "sign-in-refused": Problem(401, "登录未成功", "Sign-in refused"),
        "wechat-code-refused": Problem(401, "微信登录凭证失效", "WeChat code refused"),
        "phone-code-refused": Problem(401, "验证码不正确", "Wrong code"),
        "wechat-session-over": Problem(401, "微信登录失效", "WeChat session over"),
        "wechat-not-bound": Problem(409, "微信未绑定本账户", "WeChat of no or another account"),
        "notice-refused": Problem(409, "通知未获授权", "Notice not granted"),
        "wechat-person-blocked": Problem(403, "微信提示风险", "Held at risk by WeChat"),
        "sign-in-way-closed": Problem(403, "未开通此登录方式", "Not open here"),
        "forbidden": Problem(403, "无权访问", "Not allowed"),
        "token-unbound": Problem(403, "令牌未绑定商户", "Token of no retailer"),
        "not-of-token": Problem(403, "不是此令牌的门店", "Shop of another retailer"),
        "resident-closed": Problem(403, "账户已注销", "Account closed"),
        "guardian-consent-needed": Problem(403, "须监护人同意", "A guardian has to agree"),
        "adults-only": Problem(403, "仅限成年人", "Adults only"),
        "age-not-verified": Problem(403, "年龄未核验", "Age not verified"),
        "consent-needed": Problem(403, "尚未同意", "Consent needed"),
        "approver-is-author": Problem(403, "须由另一人复核", "Another person must judge it"),
        "policy-draft-not-yours": Problem(403, "不是您的草案", "Not your draft"),
        "official-not-signed-in": Problem(401, "未登录", "Not signed in"),
        "official-sign-in-refused": Problem(401, "登录失败", "Not signed in"),
        "official-code-refused": Problem(401, "动态码不正确", "Wrong code"),
        "official-sign-in-unfinished": Problem(403, "登录未完成", "Sign-in unfinished"),
        "official-role-needed": Problem(403, "没有相应角色", "No such role"),
        "fresh-code-needed": Problem(403, "须再次验证", "A fresh code is needed"),
        "form-not-ours": Problem(403, "表单已失效", "Form out of date"),
        "sign-on-refused": Problem(401, "身份未确认", "Not confirmed"),
        "sign-on-unknown": Problem(403, "不是本市人员", "No official here"),
        "official-own-account": Problem(403, "不能变更自己", "Not one's own account"),
        "official-change-needs-another": Problem(403, "须由另一人复核", "Another person must approve"),
        "official-unknown": Problem(404, "没有这位人员", "No such official"),
        "official-change-unknown": Problem(404, "没有这项变更", "No such change"),
        "city-has-officials": Problem(409, "城市已开通", "Open already"),
        "official-without-password": Problem(409, "没有密码", "No password"),
        "official-login-taken": Problem(409, "登录名已被使用", "Name taken"),
        "official-fields-wrong": Problem(422, "填写有误", "Wrong entry"),
        "official-roles-do-not-go-together": Problem(422, "角色不相容", "Roles kept apart"),
        "password-too-weak": Problem(422, "密码太弱", "Weak password"),
        "password-unchanged": Problem(422, "密码未更换", "Password unchanged"),
        "sign-on-away": Problem(503, "统一认证连接不上", "Sign-on is away"),
        "sign-in-busy": Problem(503, "登录繁忙", "Busy"),
        "not-found": Problem(404, "没有找到", "Not found"),
        "policy-draft-unknown": Problem(404, "没有这份草案", "No such draft"),
        "policy-unknown": Problem(404, "没有这项政策", "No such policy"),
        "store-unknown": Problem(404, "没有这家门店", "Unknown store"),
        "quote-unknown": Problem(404, "没有这个预留单", "Unknown quote"),
        "counter-code-unknown": Problem(404, "没有这个码", "No such code"),
        "method-not-allowed": Problem(405, "不支持的方法", "Method not allowed"),
        "request-timeout": Problem(408, "请求超时", "Request timed out"),
        "claim-code-malformed": Problem(422, "领取码格式有误", "Malformed claim code"),
        "claim-unknown": Problem(404, "查无此领取码", "Unknown claim code"),
        "counter-code-malformed": Problem(422, "码的格式有误", "Malformed code"),
        "basic-service-needed": Problem(409, "基本服务所必需", "The basic service needs it"),
        "consent-text-changed": Problem(409, "说明文本已更新", "The text has changed"),
        "purpose-closed": Problem(409, "尚未开放", "Not open here"),
        "age-band-needs-proof": Problem(409, "须窗口核验", "To be confirmed at a counter"),
        "guardian-not-needed": Problem(409, "不需要监护人同意", "No guardian needed"),
        "too-few-purchases": Problem(409, "次数不足", "Too few purchases"),
        "too-many-statements": Problem(409, "声明过多", "Too many statements"),
        "statement-unknown": Problem(404, "没有这份声明", "No such statement"),
        "token-refused": Problem(422, "凭证无效", "Not valid"),
        "passport-off": Problem(501, "未开通", "Not set up here"),
        "suite-unavailable": Problem(501, "算法不可用", "Suite unavailable"),
        "closing-not-told": Problem(409, "告知内容已变化", "Changed since it was told"),
        "money-left": Problem(409, "尚有补贴金额", "Money left"),
        "exports-used-up": Problem(429, "今日导出次数已满", "No more exports today"),
        "claim-expired": Problem(410, "领取码已过期", "Claim code out of date"),
        "claim-spent": Problem(409, "领取码已使用", "Claim code used"),
        "scan-not-held": Problem(409, "不在待核查之列", "Not held"),
        "basket-conflict": Problem(409, "编号已用于其他内容", "Number used for other content"),
        "sale-unknown": Problem(404, "没有找到原始销售", "No such sale"),
        "sold-elsewhere": Problem(409, "不是本店售出", "Sold by another store"),
        "returned-too-much": Problem(409, "超过可退件数", "More than can come back"),
        "claim-in-store": Problem(409, "须在购买的门店领取", "Claimed in the shop that sold it"),
        "member-code-refused": Problem(409, "会员码不能使用", "Member code refused"),
        "hand-in-sale-unknown": Problem(404, "没有找到原始销售", "No such sale"),
        "hand-in-elsewhere": Problem(409, "不是本店售出", "Sold by another store"),
        "hand-in-undecided": Problem(409, "尚未核定", "Not decided yet"),
        "hand-in-returned": Problem(409, "商品已退货", "The goods came back"),
        "hand-in-repeated": Problem(409, "已登记过旧机", "Handed in before"),
        "hand-in-conflict": Problem(409, "编号已用于其他登记", "Number used for another hand-in"),
        "return-conflict": Problem(409, "编号已用于其他退货", "Number used for another return"),
        "reference-reused": Problem(409, "编号已用于其他内容", "Reference used for other content"),
        "balance-too-low": Problem(409, "余额或预算不足", "Balance too low"),
        "policy-version-exists": Problem(409, "版本已存在", "Version exists"),
        "policy-draft-changed": Problem(409, "草案已有变动", "Draft changed"),
        "policy-draft-state": Problem(409, "草案状态不符", "Not at that point"),
        "policy-preview-missing": Problem(409, "草案尚未预演", "Not previewed"),
        "policy-preview-stale": Problem(409, "预演已失效", "Preview out of date"),
        "approval-of-another-text": Problem(409, "复核的不是现在的文本", "Approval of another text"),
        "policy-standing": Problem(409, "政策状态不符", "Not in that state"),
        "quote-conflict": Problem(409, "编号已用于其他询价", "Key used for another quote"),
        "quote-expired": Problem(409, "预留已到期", "Quote expired"),
        "quote-voided": Problem(409, "预留已撤销", "Quote voided"),
        "quote-captured": Problem(409, "预留已结算", "Quote captured"),
        "capture-conflict": Problem(409, "已按其他内容结算", "Captured with other content"),
        "capture-beyond-quote": Problem(409, "超出询价", "Beyond the quote"),
        "report-unknown": Problem(404, "没有这份举报", "Unknown report, shop or scan"),
        "report-repeated": Problem(409, "编号已用过", "Number used before"),
        "report-too-many": Problem(409, "在办举报过多", "Too many open reports"),
        "report-step-out-of-turn": Problem(409, "不能这样处理", "Out of turn"),
        "report-steps-full": Problem(409, "步骤已满", "Too many steps"),
        "case-terms-refused": Problem(422, "期限或比例不合要求", "Terms refused"),
        "suspension-unknown": Problem(404, "没有这份停用通知", "Unknown suspension"),
        "suspension-out-of-turn": Problem(409, "不能这样处理", "Out of turn"),
        "suspension-reply-period": Problem(409, "答复期未满", "The shop may still reply"),
        "suspension-needs-another": Problem(403, "须由另一人办理", "Another person must decide"),
        "suspension-refused": Problem(422, "停用内容不合要求", "Suspension refused"),
        "scheme-unknown": Problem(404, "没有这个认证项目", "Unknown scheme"),
        "amendment-incomplete": Problem(422, "登记内容不完整", "Incomplete"),
        "import-file-refused": Problem(422, "文件无法导入", "File not usable"),
        "certificate-unknown": Problem(404, "没有这份证书", "Unknown certificate"),
        "certificate-ambiguous": Problem(409, "证书编号不唯一", "Ambiguous number"),
        "upload-unknown": Problem(404, "没有这份文件", "Unknown file"),
        "sample-settled": Problem(409, "抽查已核过", "Looked at before"),
        "text-refused": Problem(422, "内容未通过检查", "Text refused"),
        "appeal-unknown": Problem(404, "没有这份申诉", "Unknown appeal or scan"),
        "nothing-to-appeal": Problem(409, "不能申诉", "Nothing to appeal"),
        "appeal-repeated": Problem(409, "已申诉过", "Appealed before"),
        "appeal-proposed": Problem(409, "已待第二人复核", "Waits for a second person"),
        "appeal-decided": Problem(409, "申诉已办结", "Appeal decided"),
        "appeal-overtaken": Problem(409, "已另行核定", "Decided again since"),
        "appeal-needs-another": Problem(403, "须由另一人办理", "Another person must decide"),
        "second-person-needed": Problem(403, "须由第二人复核", "A second person must approve"),
        "appeal-changes-nothing": Problem(409, "重新核定仍不奖励", "Nothing would change"),
        "missing-points-unknown": Problem(404, "没有这份申请", "Unknown claim"),
        "missing-points-store-unknown": Problem(404, "没有这家门店", "Unknown shop"),
        "missing-points-ahead": Problem(422, "日期晚于今天", "Ahead of today"),
        "missing-points-too-late": Problem(409, "已超过期限", "Too late"),
        "missing-points-tries-used-up": Problem(429, "今日申请次数已满", "No more today"),
        "missing-points-repeated": Problem(409, "已申请过", "Claimed before"),
        "missing-points-decided": Problem(409, "申请已办结", "Decided"),
        "missing-points-not-rejected": Problem(409, "不能申请复核", "Not to be looked at again"),
        "missing-points-needs-another": Problem(403, "须由另一人办理", "Another person must decide"),
        "missing-points-proposed": Problem(409, "已有人提出", "Proposed before"),
        "missing-points-basket-unknown": Problem(404, "没有这笔销售", "No such sale"),
        "missing-points-basket-taken": Problem(409, "销售已有归属", "Belongs to an account"),
        "catalogue-entry-unknown": Problem(404, "没有这项兑换", "No such entry"),
        "catalogue-entry-closed": Problem(409, "现在不能兑换", "Not open"),
        "sold-out": Problem(409, "库存不足", "Sold out"),
        "redemption-limit-reached": Problem(409, "已达限兑数量", "Limit reached"),
        "too-many-pieces": Problem(422, "份数过多", "Too many pieces"),
        "too-little-available": Problem(409, "可用余额不足", "Too little available"),
        "debt-first": Problem(409, "须先还清欠账", "Debts come first"),
        "redemption-unknown": Problem(404, "没有这笔兑换", "Unknown redemption"),
        "redemption-conflict": Problem(409, "编号已用于其他兑换", "Id used for another redemption"),
        "redemption-expired": Problem(409, "保留已到期", "Redemption expired"),
        "redemption-cancelled": Problem(409, "兑换已取消", "Redemption cancelled"),
        "redemption-confirmed": Problem(409, "兑换已完成", "Redemption confirmed"),
        "redemption-voided": Problem(409, "兑换已作废", "Redemption voided"),
        "redemption-not-confirmed": Problem(409, "兑换尚未完成", "Not confirmed"),
        "confirmed-at-till": Problem(409, "须在网点确认", "Confirmed at a till"),
        "redemption-code-malformed": Problem(422, "兑换码格式有误", "Malformed code"),
        "redemption-code-unknown": Problem(404, "没有这个兑换码", "Unknown code"),
        "not-a-partner": Problem(403, "不是合作网点", "No partner"),
        "redemption-use-conflict": Problem(409, "编号已用于其他兑换", "Number used for another"),
        "voucher-used": Problem(409, "券已使用", "Voucher used"),
        "voucher-expired": Problem(409, "券已过期", "Voucher out of date"),
        "voucher-void": Problem(409, "券已作废", "Voucher void"),
        "void-needs-another": Problem(403, "须由另一人复核", "Another person must approve"),
        "card-refused": Problem(409, "会员卡不能使用", "Card refused"),
        "card-malformed": Problem(422, "卡号有误", "Malformed card number"),
        "card-unknown": Problem(404, "没有这张卡", "No such card"),
        "card-of-another-city": Problem(409, "账户属于别的城市", "At home in another city"),
        "card-not-proved": Problem(403, "卡未验证", "Card not proved"),
        "merge-not-proved": Problem(403, "另一个账户未验证", "Other account not proved"),
        "nothing-to-merge": Problem(404, "没有可合并的账户", "Nothing to merge"),
        "merge-waits": Problem(409, "有购物或兑换未完成", "Something is still open"),
        "identity-of-another": Problem(409, "已用于另一账户", "Belongs to another account"),
        "adjustment-invalid": Problem(422, "调整有误", "Invalid adjustment"),
        "adjustment-untold": Problem(422, "须写明工单和说明", "Ticket and explanation missing"),
        "adjustment-unknown": Problem(404, "没有这笔调整", "No such adjustment"),
        "adjustment-judged": Problem(409, "调整已办结", "Adjustment over"),
        "adjustment-needs-another": Problem(403, "须由另一人复核", "Another person must judge it"),
        "too-little-to-take": Problem(409, "余额不足", "Too little to take"),
        "adjusted-nobody": Problem(404, "没有这个账户", "No such account"),
        "export-invalid": Problem(422, "导出范围有误", "Invalid span"),
        "export-unknown": Problem(404, "没有这份导出", "No such export"),
        "export-not-ready": Problem(409, "文件不在", "File not there"),
        "nothing-prepaid": Problem(409, "没有可垫付的补贴", "No subsidy to prepay"),
        "subsidy-used": Problem(409, "补贴已不足额", "Subsidy no longer there"),
        "prepayment-conflict": Problem(409, "编号已用于其他垫付", "Number used for another prepayment"),
        "settlement-statement-unknown": Problem(404, "没有这份对账单", "No such statement"),
        "statement-line-unknown": Problem(404, "没有这一行", "No such line"),
        "dispute-unknown": Problem(404, "没有待裁定的异议", "No such dispute"),
        "payment-unknown": Problem(404, "没有这份付款文件", "No such payment file"),
        "settlement-month-malformed": Problem(422, "月份有误", "Malformed month"),
        "settlement-terms-invalid": Problem(422, "期限无效", "Invalid terms"),
        "settlement-reason-missing": Problem(422, "须写明理由", "A reason is missing"),
        "correction-invalid": Problem(422, "差额有误", "Invalid correction"),
        "settlement-month-not-over": Problem(409, "月份尚未结束", "Month not over"),
        "settlement-month-passed": Problem(409, "月份已过", "Month passed"),
        "dispute-over": Problem(409, "异议期已过", "Too late to dispute"),
        "dispute-repeated": Problem(409, "已提过异议", "Disputed before"),
        "correction-needs-another": Problem(403, "须由另一人复核", "Another person must approve"),
        "payment-needs-another": Problem(403, "须由另一人放行", "Another person must release"),
        "paid-on-malformed": Problem(422, "付款日有误", "Malformed day of payment"),
        "nothing-to-pay": Problem(409, "没有可拨付的", "Nothing to pay"),
        "payment-standing": Problem(409, "付款文件状态不符", "Payment not at that point"),
        "payment-claims-held": Problem(409, "有暂缓的行", "Claims were held"),
        "payment-file-changed": Problem(409, "付款文件不符", "Payment file differs"),
        "body-too-large": Problem(413, "请求体过大", "Body too large"),
        "batch-too-large": Problem(413, "批次过大", "Batch too large"),
        "unsupported-media-type": Problem(415, "请求体须为 application/json", "Send application/json"),
        "invalid-fields": Problem(422, "字段有误", "Invalid fields"),
        "return-before-sale": Problem(422, "退货时间早于购买", "Returned before it was sold"),
        "hand-in-ahead": Problem(422, "交旧日期晚于今天", "Handed in ahead of time"),
        "return-ahead": Problem(422, "退货时间晚于现在", "Returned ahead of time"),
        "malformed": Problem(422, "消息格式有误", "Malformed message"),
        "malformed-basket": Problem(422, "扫码记录格式有误", "Malformed basket"),
        "scan-set-aside": Problem(422, "扫码内容已留存待查", "Scan set aside"),
        "lease-terms-invalid": Problem(422, "租约条款无效", "These terms cannot be"),
        "policy-blocked": Problem(422, "政策须先修改", "Policy blocked"),
        "policy-reason-needed": Problem(422, "须填写意见", "A reason is needed"),
        "policy-notice-needed": Problem(422, "公告须填写", "A notice is needed"),
        "policy-refused": Problem(422, "政策文件须改正", "Faults in the document"),
        "suspension-backdated": Problem(422, "不能溯及既往", "Backdated"),
        "rotation-not-vouched": Problem(401, "未经现用密钥签名", "Not vouched for"),
        "device-revoked": Problem(403, "设备已停用", "Device revoked"),
        "enrolment-claim-unknown": Problem(404, "没有这个登记码", "Unknown enrolment claim"),
        "device-unknown": Problem(404, "没有这台设备", "Unknown device"),
        "enrolment-claim-used": Problem(409, "登记码已被使用", "Enrolment claim used"),
        "device-enrolled": Problem(409, "设备已登记", "Device enrolled"),
        "device-elsewhere": Problem(409, "设备属于另一门店", "Device of another store"),
        "device-key-taken": Problem(409, "密钥编号已占用", "Key id taken"),
        "device-keys-too-many": Problem(409, "密钥过多", "Too many keys"),
        "enrolment-claim-expired": Problem(410, "登记码已过期", "Enrolment claim out of date"),
        "enrolment-claim-malformed": Problem(422, "登记码格式有误", "Malformed enrolment claim"),
        "certificate-request-refused": Problem(422, "证书请求不可用", "Unusable certificate request"),
        "possession-not-proved": Problem(422, "签名不符", "Possession not proved"),
        "device-id-malformed": Problem(422, "设备编号有误", "Malformed device id"),
        "official-sign-in-slowed": Problem(429, "请稍候再试", "Wait before trying again"),
        "too-many-wrong-codes": Problem(429, "错误号码过多", "Too many wrong codes"),
        "too-many-requests": Problem(429, "请求过于频繁", "Too many requests"),
        "too-many-from-address": Problem(429, "请求过于频繁", "Too many requests from there"),
        "enrolment-off": Problem(501, "未开通在线登记", "No enrolment online"),
        "photos-off": Problem(501, "未开通照片识读", "Photos are not read here"),
        "photo-too-large": Problem(413, "照片太大", "Photo too large"),
        "photo-not-a-picture": Problem(422, "不是完整的图片", "Not a whole picture"),
        "photo-not-alone": Problem(422, "不只是图片", "More than a picture"),
        "photo-unreadable": Problem(422, "照片打不开", "Unreadable photo"),
        "photos-busy": Problem(503, "照片较多，请稍候", "Busy with photos"),
        "qr-too-long": Problem(422, "内容太长", "Too long for a QR code"),
        "phone-malformed": Problem(422, "手机号有误", "Not a mobile number"),
        "phone-refused": Problem(422, "号码收不到短信", "Number unreachable"),
        "phone-code-too-soon": Problem(429, "验证码刚刚发出", "Sent just now"),
        "phone-codes-used-up": Problem(429, "今日验证码已发完", "No more today"),
        "internal": Problem(500, "系统内部错误", "Internal error"),
        "database-busy": Problem(503, "系统繁忙", "Busy"),
        "not-ready": Problem(503, "服务未就绪", "Not ready"),
        "wechat-away": Problem(503, "微信连接不上", "WeChat is away"),
        "wechat-busy": Problem(503, "微信服务繁忙", "WeChat is busy"),
        "text-message-not-sent": Problem(503, "短信未发出", "Message not sent"),
    }
    | {code: Problem(*row) for code, row in CONSOLE.items()}
)
"""Code of a refusal -> status and title. A refusal that is not here is a bug of ours, and answered as one."""

HTTP_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "bad-request": ("请求有误，无法处理。", "The request cannot be understood."),
        "method-not-allowed": ("该地址不支持这种请求方法。", "This address does not take this method."),
        "request-timeout": ("请求没有在时限内发完。", "The request did not arrive in time."),
        "body-too-large": ("请求体超过该接口的上限。", "The body is larger than this route takes."),
        "unsupported-media-type": (
            "请以 application/json 发送请求体。",
            "Send the body with the content type application/json.",
        ),
        "internal": (
            "系统出错，已通知维护人员；重复提交不会重复计分。",
            "Something went wrong here and people were told; sending again never counts twice.",
        ),
        "not-ready": ("服务正在启动或数据库不可用。", "The service is starting, or its database is away."),
        "not-found": (NotFound.text_zh, NotFound.text_en),
    }
)
_OF_STATUS = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 408: "request-timeout"} | {
    413: "body-too-large",
    415: "unsupported-media-type",
}


def refusal(error: DomainError) -> Response:
    """The problem document of an expected refusal, its facts as further members."""
    if error.code not in PROBLEMS:
        log.error("refusal_without_problem", code=error.code, request_id=request_id())
        return problem("internal", *HTTP_TEXTS["internal"])
    return problem(error.code, error.sentence_zh, error.sentence_en, error.facts)


def problem(code: str, detail: str, detail_en: str, facts: Mapping[str, Any] | None = None) -> Response:
    kind = PROBLEMS[code]
    body = {
        **(facts or {}),
        "type": f"/problems/{code}",
        "title": kind.title_zh,
        "title_en": kind.title_en,
        "status": kind.status,
        "detail": detail,
        "detail_en": detail_en,
        "code": code,
        "instance": request_id(),
    }
    response = Response(orjson.dumps(body, default=str), kind.status, content_type=CONTENT_TYPE)
    if kind.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if kind.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = str((facts or {}).get("wait_s", RATE_RETRY_AFTER_S))
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def of_http(error: HTTPException) -> Response:
    """What Flask and werkzeug refuse by themselves, in our words; their headers (Allow) are kept."""
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:
        return Response(error.get_response().get_data(), status, headers=dict(error.get_headers()))
    code = _OF_STATUS.get(status) or ("bad-request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal")
    response = problem(code, *HTTP_TEXTS[code])
    response.headers.extend({name: value for name, value in error.get_headers() if name == "Allow"})
    return response


def unexpected(error: Exception) -> Response:
    """The request boundary: what passes is told to come again, anything else is a bug, logged once with its trace."""
    if is_passing(error):
        log.warning("database_busy", request_id=request_id(), problem=type(error).__name__)
        return refusal(DatabaseBusy())
    log.error("unexpected", request_id=request_id(), exc_info=error)
    return problem("internal", *HTTP_TEXTS["internal"])


def register(app: Flask) -> None:
    app.register_error_handler(DomainError, refusal)
    app.register_error_handler(Exception, unexpected)
