"""The texts in force. A changed text gets the next version; a test pins the hash of each."""

from backend.residents.consents.model import ConsentText, Purpose

TEXTS = {
    Purpose.BASIC_SERVICE: ConsentText(
        Purpose.BASIC_SERVICE.value,
        1,
        "为记录扫码和购物、核定奖励、查询余额并接受审计，我们处理您登录标识的加密散列、扫码与购物记录和账户流水。"
        "不收集姓名、出生日期和位置。依据为履行本服务所必需；您可以随时导出数据或注销账户。",
        "To record scans and purchases, decide awards, show balances and be audited we process a keyed hash of what you "
        "sign in by, your scans and purchases, and your account's entries. No name, date of birth or place is collected. "
        "It rests on what the service needs; you may take your data away or close the account at any time.",
    ),
    Purpose.NOTICES: ConsentText(
        Purpose.NOTICES.value,
        1,
        "同意后，我们在积分到期前三十天和七天，以及申诉有结果时给您发送消息。不同意不影响记分、查询和使用；"
        "随时可以撤回，撤回后不再发送。",
        "If you agree we send you a message 30 and 7 days before points end, and when an appeal is answered. Without it "
        "you earn, look up and use points all the same. Withdrawn at any time, and nothing is sent after that.",
    ),
    Purpose.STATISTICS: ConsentText(
        Purpose.STATISTICS.value,
        1,
        "同意后，您的购物记录可去除个人标识后用于统计研究；人数不足十人的分组不予公布。不同意不影响任何功能；"
        "随时可以撤回，撤回后不再用于新的统计。",
        "If you agree your purchases may be counted, without anything that names you, in research statistics; groups of "
        "fewer than ten are not published. Nothing depends on it. Withdrawn at any time, no new statistics use them.",
    ),
    Purpose.CREDIT_PASSPORT: ConsentText(
        Purpose.CREDIT_PASSPORT.value,
        1,
        "同意后，系统可依据您最近二十四个月内经核验且未退货的绿色消费次数，为您签发“至少若干次”的声明，由您自己保存。"
        "声明只有正面内容，不含商店、商品和金额；只有您主动出示时他人才能看到，每次核验都记入您的查阅记录。"
        "仅限年满十八周岁；不同意不影响积分。撤回后声明全部作废。",
        "If you agree you may have statements issued, kept by yourself, of the form “at least so many” verified green "
        "purchases that stand, of the last 24 months. They say only good things, and no shop, product or amount. Others "
        "see them only when you show them, and each check is in your access log. For adults; points do not depend on it. "
        "Once withdrawn, all statements are void.",
    ),
}

GUARDIAN = ConsentText(
    "guardian",
    1,
    "我是该未成年人的监护人，同意其使用绿色积分的基本服务。我可以随时撤回；撤回后不再为其记录和核定。",
    "I am a guardian of this child and agree that it uses the basic service of Green Points. I may withdraw at any time; "
    "nothing is recorded or decided for the child after that.",
)


def built_in(sha256: bytes) -> ConsentText | None:
    """The text of that hash, of those that this release carries."""
    return next((text for text in (*TEXTS.values(), GUARDIAN) if text.sha256 == sha256), None)
