"""The fleet in words: a line a till, and everything that is known of one."""

from datetime import datetime, timedelta

import orjson

from backend.cli.connection import moment
from backend.devices.fleet import FleetRow
from backend.devices.health.model import CONDITION_ZH, Condition, Health
from backend.devices.twin.model import AGREEMENT_ZH, Agreement

_SOON = timedelta(days=30)
_UNITS = ((86_400, "天"), (3_600, "小时"), (60, "分"), (1, "秒"))


def facts(row: FleetRow) -> dict[str, object]:
    """For machines."""
    flat = row._asdict() | {
        "standing": row.standing._asdict(),
        "presence": row.presence and row.presence._asdict(),
        "health": row.health and row.health._asdict(),
        "desired": row.desired and row.desired._asdict() | {"text": orjson.loads(row.desired.text)},
        "reported": row.reported and row.reported._asdict(),
    }
    return dict(flat)


def line(row: FleetRow) -> str:
    parts = [_standing(row)]
    if row.health is not None:
        parts += [_outbox(row.health), _clock(row.health)]
    if row.presence is not None and row.presence.firmware is not None:
        parts.append(f"版本 {_release(row)}")
    if row.twin is not Agreement.NOTHING:
        parts.append(f"设置 {_twin(row)}")
    return f"{row.device}  {row.city} {row.store} {row.district}  {_enrolment(row)}  {' · '.join(parts)}"


def lines(row: FleetRow, now: datetime) -> list[str]:
    """Everything that is known of one till."""
    told = [
        ("设备", row.device),
        ("位置", f"{row.city} {row.district} 门店 {row.store}"),
        ("登记", f"{moment(row.enrolled_at)} 登记，{_enrolment(row)}"),
        ("状态", _standing(row)),
    ]
    if row.presence is not None:
        told.append(("版本", _release(row)))
    if row.health is None:
        told.append(("运行状况", "尚未上报"))
    else:
        told += _health(row.health, now)
    told += _settings(row)
    return [f"{name}：{words}" for name, words in told]


def _enrolment(row: FleetRow) -> str:
    return "在用" if row.revoked_at is None else f"{moment(row.revoked_at)} 停用"


def _standing(row: FleetRow) -> str:
    condition, since = row.standing
    if since is None:
        return CONDITION_ZH[condition]
    word = "最后消息" if condition is Condition.SILENT else "自"
    return f"{CONDITION_ZH[condition]}（{word} {moment(since)}）"


def _release(row: FleetRow) -> str:
    assert row.presence is not None
    slot = "" if row.presence.slot is None else f" 槽位 {row.presence.slot}"
    return f"{row.presence.firmware or '未知'}{slot}"


def _outbox(health: Health) -> str:
    if health.baskets is None:
        return "待传未知"
    oldest = "" if health.oldest_age_ms is None else f"，最久 {_span(health.oldest_age_ms // 1000)}"
    return f"待传 {health.baskets} 单{oldest}"


def _clock(health: Health) -> str:
    if health.clock in (None, "none"):
        return "时钟未校准"
    error = "" if health.clock_error_ms is None else f"±{health.clock_error_ms} 毫秒"
    return f"时钟 {health.clock}{error}"


def _health(health: Health, now: datetime) -> list[tuple[str, str]]:
    told = [
        ("运行状况", f"{moment(health.heard_at)} 上报，每 {health.every_s} 秒一次"),
        ("待上传", f"{_outbox(health)}，存储已用 {_shown(health.percent)}%，被隔离 {_shown(health.rejected)} 单"),
        ("时钟", f"{_clock(health)}，偏差 {_shown(health.clock_offset_ms)} 毫秒"),
        ("读码来源", _source(health)),
        ("网络", f"应答 p95 {_shown(health.ack_ms_p95)} 毫秒，重发 {_shown(health.resends)} 次"),
        ("机器", _machine(health)),
    ]
    if health.set_aside:
        told.append(("注意", "本机存储曾损坏，原文件已另存待取回"))
    if health.certificate_ends is not None:
        soon = "，即将到期" if health.certificate_ends - now < _SOON else ""
        told.append(("证书", f"{moment(health.certificate_ends)} 到期{soon}"))
    return told


def _source(health: Health) -> str:
    if health.source is None:
        return "未知"
    state = {True: "就绪", False: "不可用", None: "状态未知"}[health.source_open]
    speed = "" if health.frames_per_s is None else f"，每秒 {health.frames_per_s} 帧"
    decoding = "" if health.decode_ms_p95 is None else f"，识读 p95 {health.decode_ms_p95} 毫秒"
    return f"{health.source} {state}{speed}{decoding}"


def _machine(health: Health) -> str:
    free = None if health.disk_free_bytes is None else f"{health.disk_free_bytes // 2**20:,} MiB"
    heat = "" if health.cpu_millicelsius is None else f"，处理器 {health.cpu_millicelsius / 1000:.1f} ℃"
    throttled = "" if health.throttled is None else f"，供电与降频 {_throttled(health.throttled)}"
    deaths = f"，后台部分出错重启 {health.part_deaths} 次" if health.part_deaths else ""
    return f"可用空间 {_shown(free)}{heat}{throttled}{deaths}"


def _throttled(bits: int) -> str:
    """Bit 0: too little voltage now, 16: since boot; the others are about heat and the clock of the processor."""
    if not bits:
        return "正常"
    return f"{'电压不足' if bits & 0x10001 else '曾降频'}（0x{bits:x}）"


def _settings(row: FleetRow) -> list[tuple[str, str]]:
    told = [("远程设置", _twin(row))]
    if row.desired is not None:
        text = row.desired.text
        told.append(
            ("期望", f"第 {row.desired.version} 版 {text}（{row.desired.set_by}，{moment(row.desired.set_at)}）")
        )
    if row.reported is not None and row.reported_at is not None:
        error = "" if row.reported.error is None else f"，原因 {row.reported.error}"
        versions = f"已判断至第 {row.reported.version} 版，运行第 {row.reported.applied_version} 版"
        told.append(("终端所报", f"{versions}{error}（{moment(row.reported_at)}）"))
    return told


def _twin(row: FleetRow) -> str:
    if row.desired is None:
        return AGREEMENT_ZH[row.twin]
    return f"第 {row.desired.version} 版{AGREEMENT_ZH[row.twin]}"


def _span(seconds: int) -> str:
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds // size} {unit}"


def _shown(value: object) -> object:
    return "未知" if value is None else value
