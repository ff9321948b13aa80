"""What acts are called on pages: kinds of objects, and those who act that are no officials."""

import orjson

from backend.audit.acts import What
from backend.officials.model import ROLE_NAMES

Words = tuple[str, str]

WHATS: dict[str, Words] = {one.value: (one.zh, one.en) for one in What}
KINDS: dict[str, Words] = {
    "acts": ("操作记录文件", "file of acts"),
    "adjustment": ("手工调整", "adjustment"),
    "appeal": ("申诉", "appeal"),
    "audit-sample": ("抽查", "sample"),
    "benefit": ("信用激励", "benefit"),
    "card": ("实体卡", "card"),
    "catalogue-entry": ("兑换条目", "catalogue entry"),
    "certificate": ("证书", "certificate"),
    "claims": ("结算冻结", "claims held"),
    "credit-ground": ("报送依据", "ground of exports"),
    "device": ("终端", "till"),
    "draft": ("政策草案", "draft"),
    "enterprise-lists": ("企业名单", "lists of enterprises"),
    "export": ("导出文件", "export"),
    "import": ("名录导入", "import"),
    "lease-terms": ("租借条款", "lease terms"),
    "missing-points": ("漏记积分", "missing points"),
    "official": ("人员", "official"),
    "staff": ("商户人员", "staff of a retailer"),
    "policy": ("政策", "policy"),
    "recognition": ("互认", "recognition"),
    "redemption": ("兑换", "redemption"),
    "report": ("举报", "report"),
    "resident": ("居民", "resident"),
    "rollout": ("更新批次", "rollout"),
    "scan": ("扫码", "scan"),
    "service-token": ("服务令牌", "service token"),
    "settlement-month": ("结算月份", "settlement month"),
    "settlement-payment": ("付款批次", "payment"),
    "settlement-terms": ("结算期限", "settlement terms"),
    "statement": ("结算单", "statement"),
    "statement-line": ("结算明细", "statement line"),
    "store": ("门店", "shop"),
    "suspension": ("门店停用", "suspension"),
    "target": ("政策目标", "target"),
}
NO_OFFICIALS: dict[str, Words] = {
    "command": ("命令行", "command"),
    "job": ("定时任务", "job"),
    "till": ("终端", "till"),
}


def role_words(roles: str) -> Words:
    """Of the roles that stand in an act, one or several."""
    known = {role.value: words for role, words in ROLE_NAMES.items()} | NO_OFFICIALS
    found = [known.get(role, (role, role)) for role in roles.split(",")]
    return "、".join(zh for zh, _ in found), ", ".join(en for _, en in found)


def shown(fact: object) -> str:
    """A fact of a snapshot as text: what is no text, as JSON."""
    if fact is None:
        return "—"
    return fact if isinstance(fact, str) else orjson.dumps(fact).decode()
