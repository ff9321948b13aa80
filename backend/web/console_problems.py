"""Status and title of what pages of the console refuse, and of files of sales that shops upload; `problems` has the rest."""

from collections.abc import Mapping
from types import MappingProxyType

CONSOLE: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "adjustment-amount-unreadable": (422, "数额有误", "Amount not usable"),
        "adjustment-repeated": (409, "表单已提交过", "Form sent before"),
        "correction-changed": (409, "更正已改动", "Correction changed"),
        "list-columns-missing": (422, "表头有误", "Headings not usable"),
        "listing-file-proposed": (409, "已提交过", "Proposed already"),
        "listing-file-unknown": (404, "没有这份名单", "Unknown list"),
        "lists-changed": (409, "名录已有变化", "Changed meanwhile"),
        "lists-need-another": (403, "须由另一人复核", "Another person must approve it"),
        "nothing-listed": (422, "无需导入", "Nothing to import"),
        "paid-before-release": (422, "付款日有误", "Day of payment not usable"),
        "no-such-token": (404, "没有这个令牌", "Unknown token"),
        "payment-refusal-needs-another": (403, "须由另一人退回", "Another person must refuse it"),
        "release-needs-another": (403, "须由另一人复核", "Another person must approve it"),
        "release-proposed": (409, "已有人提出", "Proposed already"),
        "release-refused": (422, "更新包说明有误", "Release not well stated"),
        "retailer-unknown": (422, "没有这家商户", "Unknown retailer"),
        "rollout-not-at-that-point": (409, "更新批次状态不符", "Not at that point"),
        "rollout-under-way": (409, "已有更新在进行", "A rollout is under way"),
        "rollout-unknown": (404, "没有这个更新批次", "Unknown rollout"),
        "sales-file-columns": (422, "表头有误", "Headings not usable"),
        "sales-file-too-large": (422, "文件过大", "File too large"),
        "sales-files-waiting": (429, "等待入账的文件过多", "Too many files wait"),
        "sales-file-unknown": (404, "没有这份文件", "Unknown file"),
        "target-changed": (409, "目标已变更", "Changed meanwhile"),
        "target-measured-by-system": (409, "由系统测算", "Measured by the system"),
        "target-of-the-city": (403, "非本级目标", "Not your targets"),
        "target-refused": (422, "目标填写有误", "Target not usable"),
        "target-unknown": (404, "没有这项目标", "Unknown target"),
        "token-name-refused": (422, "令牌名称有误", "Name not usable"),
        "too-many-tokens": (409, "令牌已达上限", "No more can be issued"),
        "too-many-targets": (409, "已达上限", "No more can be entered"),
        "twin-changed": (409, "设置已被他人更改", "Changed meanwhile"),
        "twin-invalid": (422, "终端设置有误", "Settings not usable"),
        "twin-of-revoked": (409, "终端已停用", "Revoked till"),
    }
)
