"""What is done when, for every city in turn."""

from typing import NamedTuple

EVERY_MINUTE = "* * * * *"
EVERY_TEN_MINUTES = "*/10 1-12 * * *"
"""From nine in the morning to nine at night in China: nobody is woken."""


class Planned(NamedTuple):
    """`cron` in UTC: 19:00 is 03:00 the next morning in China. `alone`: never two at once."""

    name: str
    cron: str
    text_zh: str
    text_en: str
    alone: bool = True

    @property
    def lock(self) -> str | None:
        """Of jobs with one lock a single one runs. What may take hours keeps one place of a worker, else the minutes' work,
        such as the leases of tills, would wait for a night's verification.
        """
        if not self.alone:
            return None
        if self.cron in (EVERY_MINUTE, EVERY_TEN_MINUTES):
            return self.name
        return "hourly" if self.cron.split()[1] == "*" else "nightly"


SCHEDULE = (
    Planned(
        "resolve_products", EVERY_MINUTE, "为待核实商品的扫码补作核定", "decide scans whose product is known by now"
    ),
    Planned("void_baskets", EVERY_MINUTE, "收回终端作废的购物单的奖励", "take back the sales that tills voided"),
    Planned(
        "reclaim_budgets", EVERY_MINUTE, "收回到期预算的结余", "take back what budgets have left on their reclaim date"
    ),
    Planned(
        "make_snapshots", EVERY_MINUTE, "更新终端的离线商品快照", "renew what tills may say of goods while offline"
    ),
    Planned("expire_quotes", EVERY_MINUTE, "退回到期未付的预留", "give back what quotes held beyond their time"),
    Planned(
        "expire_redemptions",
        EVERY_MINUTE,
        "退回逾时未确认的兑换，结束过期的券",
        "give back redemptions that nobody confirmed in time, end vouchers",
    ),
    Planned(
        "settle_due",
        EVERY_MINUTE,
        "到期处理：积分生效、未领退回、过期",
        "release, lapse and expire what is due",
    ),
    Planned(
        "find_missing_points",
        EVERY_TEN_MINUTES,
        "再次查找离线终端补传的小票",
        "look again for slips of tills that were offline",
    ),
    Planned("learn_sellers", "50 18 * * *", "得出各商品近期在哪些门店有售", "find where goods were sold lately"),
    Planned("send_notices", EVERY_TEN_MINUTES, "积分到期前 30 天和 7 天提醒", "tell residents before points end"),
    Planned(
        "deliver_exports",
        EVERY_MINUTE,
        "向信用平台提供已同意的声明与删除请求",
        "send what residents agreed to, and requests for deletion",
    ),
    Planned("settle_leases", EVERY_MINUTE, "收回终端到期租约中的余额", "take back what tills' leases no longer need"),
    Planned("grant_leases", EVERY_MINUTE, "按条款向在线终端租借预算", "lend budgets to tills that are there"),
    Planned("move_rollouts", EVERY_MINUTE, "推进终端更新的分批下发", "move the rollouts of updates on"),
    Planned(
        "verify_ledger", EVERY_MINUTE, "核对账本，重算近十分钟的核定", "verify the ledger, replay the last ten minutes"
    ),
    Planned(
        "seal_ledger",
        EVERY_MINUTE,
        "封存新入账的转账和操作记录，签发检查点",
        "bind new transfers and acts into the log, sign checkpoints",
    ),
    Planned(
        "learn_prices",
        "5 * * * *",
        "每周一次，由近 90 天的销售得出商品的常见价格",
        "reckon once a week what goods usually cost",
    ),
    Planned("work_uploads", EVERY_MINUTE, "检查和导入上传的证书名录", "check and import uploaded registry files"),
    Planned("record_sales", EVERY_MINUTE, "入账门店上传的销售文件", "record files of sales that shops uploaded"),
    Planned("draw_samples", EVERY_MINUTE, "随机抽取已付奖励供复核", "draw paid awards for a second look"),
    Planned(
        "count_scans",
        "35 * * * *",
        "统计各日各月的扫码与奖励，核对门店账户，每天推算预算何时用完",
        "add up scans and awards by day and month, reconcile shops; once a day, when budgets run out",
    ),
    Planned(
        "count_certificates",
        "40 * * * *",
        "按认证项目、区县、月份统计有效证书",
        "count valid certificates by scheme, county and month",
    ),
    Planned(
        "find_gaps",
        "10 20 * * *",
        "每天核对各终端购物篮的编号，找出漏收的",
        "find baskets that tills numbered and that never came",
    ),
    Planned("measure_targets", "45 * * * *", "每天测算一次各项政策目标的进展", "measure once a day how targets fare"),
    Planned(
        "replay_sample",
        "20 * * * *",
        "由留存事实重算各城市约两千项核定",
        "replay about two thousand decisions of each city",
    ),
    Planned("verify_all", "10 19 * * *", "核对账本，重算全部核定", "verify the ledger, replay every decision"),
    Planned(
        "seal_late",
        "30 19 * * *",
        "封存迟到的转账和操作记录：不论早晚，逐一查对",
        "seal whatever has no entry in the log yet, however old",
    ),
    Planned(
        "close_settlements",
        "30 16 * * *",
        "次月首日零时三十分结上月账，生成各商户对账单",
        "close the last month: a statement for each retailer",
    ),
    Planned("write_exports", EVERY_MINUTE, "生成申请的导出文件", "write the files that officials asked for"),
    Planned(
        "freeze_liability",
        "10 17 * * *",
        "每日固定前一日的负债表",
        "freeze what the city owed at the end of the day before",
    ),
    Planned(
        "settle_closed",
        EVERY_MINUTE,
        "了结已注销账户在各城市的余留",
        "end what closed accounts still hold in any city",
    ),
    Planned(
        "clean_up", "40 19 * * *", "清理过期的下发消息、会员码、登录", "delete expired messages, member codes, sessions"
    ),
    Planned(
        "preview_policies", EVERY_MINUTE, "预演控制台上提交的政策草案", "preview the drafts that officials asked for"
    ),
    Planned("retry_stalled", EVERY_MINUTE, "重做中断的任务", "retry jobs whose worker died", alone=False),
    Planned("forget_finished", "50 * * * *", "清理已结束的任务记录", "delete records of finished jobs", alone=False),
)
"""A job that repairs the queue is never alone: killed, it would block itself for ever."""
