"""The register of what may be done. Pure. A code is never given another meaning and never taken out: rows bear it for ever."""

from enum import StrEnum
from typing import Self


class What(StrEnum):
    """What was done: its code, in Chinese, in English."""

    zh: str
    en: str

    def __new__(cls, code: str, zh: str, en: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.zh, member.en = zh, en
        return member

    OFFICIAL_ADDED = "official-added", "登记人员", "added an official"
    OFFICIAL_CHANGE_ASKED = "official-change-asked", "提请变更人员", "asked for a change of an official"
    OFFICIAL_CHANGE_REFUSED = "official-change-refused", "不同意变更人员", "refused a change of an official"
    OFFICIAL_ROLES_CHANGED = "official-roles-changed", "变更人员角色", "changed an official's roles"
    OFFICIAL_DISABLED = "official-disabled", "停用人员", "disabled an official"
    OFFICIAL_ENABLED = "official-enabled", "恢复人员", "enabled an official again"
    OFFICIAL_RESET = "official-reset", "重置人员登录", "reset an official's sign-in"
    STAFF_ADDED = "staff-added", "登记商户人员", "added one of a retailer's staff"
    STAFF_ROLE_CHANGED = "staff-role-changed", "变更商户人员角色", "changed the role of one of a retailer's staff"
    STAFF_ENDED = "staff-ended", "停用商户人员", "ended the account of one of a retailer's staff"
    STAFF_RESTORED = "staff-restored", "恢复商户人员", "restored one of a retailer's staff"
    STAFF_RESET = "staff-reset", "重置商户人员登录", "reset the sign-in of one of a retailer's staff"
    REPORT_STEP_TAKEN = "report-step-taken", "办理举报", "took a step of a report"
    SUSPENSION_NOTICED = "suspension-noticed", "发出停用通知", "gave a shop notice of suspension"
    SUSPENSION_REPLIED = "suspension-replied", "登记门店答复", "entered a shop's reply"
    SUSPENSION_PROPOSED = "suspension-proposed", "提出停用决定", "proposed what becomes of a suspension"
    SUSPENSION_APPROVED = "suspension-approved", "批准停用决定", "approved what becomes of a suspension"
    SUSPENSION_APPEALED = "suspension-appealed", "登记停用申诉", "entered an appeal against a suspension"
    SUSPENSION_APPEAL_ANSWERED = "suspension-appeal-answered", "答复停用申诉", "answered an appeal against a suspension"
    SUSPENSION_LIFTED = "suspension-lifted", "解除停用", "lifted a suspension"
    CASE_TERMS_SET = "case-terms-set", "设定办案期限与抽查比例", "set clocks of cases and the share drawn"
    SAMPLE_REVIEWED = "sample-reviewed", "复核抽查的奖励", "looked at an award drawn by lot"
    LISTINGS_IMPORTED = "listings-imported", "导入企业名单", "imported official lists of enterprises"
    POLICY_DRAFTED = "policy-drafted", "起草政策", "drafted a policy"
    POLICY_REDRAFTED = "policy-redrafted", "修改政策草案", "changed a draft"
    POLICY_PREVIEWED = "policy-previewed", "保存政策预演", "kept a preview of a draft"
    POLICY_SUBMITTED = "policy-submitted", "提交政策草案", "submitted a draft"
    POLICY_APPROVED = "policy-approved", "批准政策草案", "approved a draft"
    POLICY_REJECTED = "policy-rejected", "退回政策草案", "sent a draft back"
    POLICY_WITHDRAWN = "policy-withdrawn", "撤回政策草案", "took a draft back"
    POLICY_PUBLISHED = "policy-published", "发布政策版本", "published a version"
    POLICY_SUSPENDED = "policy-suspended", "暂停政策", "suspended a policy"
    POLICY_RESUMED = "policy-resumed", "恢复政策", "resumed a policy"
    POLICY_ENDED = "policy-ended", "终止政策", "ended a policy"
    BUDGET_RECLAIMED = "budget-reclaimed", "收回预算结余", "took back what a budget had left"
    LEASE_TERMS_SET = "lease-terms-set", "设定终端租借条款", "set the terms of leases"
    HOLD_RELEASED = "hold-released", "放行暂缓的奖励", "released a held scan"
    HOLD_REFUSED = "hold-refused", "不予放行暂缓的奖励", "refused a held scan"
    APPEAL_PROPOSED = "appeal-proposed", "提请第二人复核申诉", "asked a second person to approve an appeal"
    APPEAL_UPHELD = "appeal-upheld", "申诉成立", "upheld an appeal"
    APPEAL_REJECTED = "appeal-rejected", "驳回申诉", "rejected an appeal"
    MISSING_POINTS_GRANTED = "missing-points-granted", "补记积分", "credited a sale by its slip"
    MISSING_POINTS_REJECTED = "missing-points-rejected", "不予补记积分", "rejected a claim of missing points"
    MISSING_POINTS_PROPOSED = (
        "missing-points-proposed",
        "提请第二人复核补记",
        "asked a second person to approve a credit by its slip",
    )
    CARD_ISSUED = "card-issued", "发放纸质会员卡", "issued a paper card"
    CARD_BLOCKED = "card-blocked", "挂失纸质会员卡", "blocked a paper card"
    CATALOGUE_PUBLISHED = "catalogue-published", "发布兑换目录条目", "published an entry of the catalogue"
    CATALOGUE_WITHDRAWN = "catalogue-withdrawn", "撤下兑换目录条目", "withdrew an entry of the catalogue"
    REDEMPTION_VOIDED = "redemption-voided", "作废兑换", "voided a redemption"
    STORE_OPENED = "store-opened", "登记门店", "entered a shop"
    STORE_PLACED = "store-placed", "登记门店位置", "said where a shop stands"
    DEVICE_CLAIM_ISSUED = "device-claim-issued", "签发终端登记码", "issued a claim for a till"
    DEVICE_ENROLLED = "device-enrolled", "登记终端", "enrolled a till"
    DEVICE_REVOKED = "device-revoked", "吊销终端", "revoked a till"
    TWIN_SET = "twin-set", "修改终端期望配置", "set what is desired of a till"
    ROLLOUT_OFFERED = "rollout-offered", "开始终端更新", "offered an update"
    ROLLOUT_PAUSED = "rollout-paused", "暂停终端更新", "paused an update"
    ROLLOUT_RESUMED = "rollout-resumed", "继续终端更新", "resumed an update"
    ROLLOUT_ABORTED = "rollout-aborted", "中止终端更新", "aborted an update"
    TOKEN_ISSUED = "token-issued", "签发服务令牌", "issued a service token"
    TOKEN_BOUND = "token-bound", "绑定服务令牌的商户", "bound a service token to a retailer"
    TOKEN_REVOKED = "token-revoked", "吊销服务令牌", "revoked a service token"
    CERTIFICATES_IMPORTED = "certificates-imported", "导入证书名录", "imported certificates"
    CERTIFICATE_STATUS_SET = "certificate-status-set", "更正证书状态", "set the standing of a certificate"
    RECOGNITION_SET = "recognition-set", "登记互认关系", "entered a recognition"
    CREDIT_GROUND_PUBLISHED = "credit-ground-published", "公布信用报送依据", "published a ground of credit exports"
    BENEFIT_PUBLISHED = "benefit-published", "公布信用激励措施", "published a benefit of the passport"
    AGE_VERIFIED = "age-verified", "核验居民年龄段", "verified a resident's age band"
    ACCOUNT_LOOKED_AT = "account-looked-at", "查看居民账户", "looked at a resident's account"
    SETTLEMENT_TERMS_SET = "settlement-terms-set", "设定结算期限", "set the terms of settlement"
    SETTLEMENT_CLOSED = "settlement-closed", "结账", "closed a month of settlement"
    STATEMENT_CONFIRMED = "statement-confirmed", "确认对账单", "confirmed a statement"
    LINE_DISPUTED = "line-disputed", "对账单行提出异议", "disputed a line of a statement"
    DISPUTE_RULED = "dispute-ruled", "裁定异议", "ruled on a dispute"
    CORRECTION_APPROVED = "correction-approved", "复核更正", "approved a correction"
    PAYMENT_PREPARED = "payment-prepared", "编制付款文件", "prepared a payment file"
    PAYMENT_RELEASED = "payment-released", "放行付款文件", "released a payment file"
    PAYMENT_REFUSED = "payment-refused", "退回付款文件", "refused a payment file"
    PAYMENT_BOOKED = "payment-booked", "登记付款", "booked a payment"
    CLAIMS_HELD = "claims-held", "暂缓拨付", "held claims of shops"
    CLAIMS_RELEASED = "claims-released", "解除暂缓", "released held claims"
    ADJUSTMENT_PROPOSED = "adjustment-proposed", "提出人工调整", "proposed an adjustment"
    ADJUSTMENT_POSTED = "adjustment-posted", "人工调整入账", "posted an adjustment"
    ADJUSTMENT_REFUSED = "adjustment-refused", "退回人工调整", "refused an adjustment"
    EXPORT_ASKED = "export-asked", "申请导出", "asked for an export"
    EXPORT_FETCHED = "export-fetched", "下载导出文件", "fetched an export"
