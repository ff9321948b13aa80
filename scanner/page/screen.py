"""The words and rows of the cashier's page. Pure.

One large state at a time: what stops work comes before what the cashier does, and that before what can wait. What also
holds stands under it. Every state has a sign and words beside its colour.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from firmware_bridge.wire.messages import Read
from scanner.basket import OpenBasket
from scanner.notices import shown_code
from scanner.outbox import WARNING_PERCENT
from scanner.page.memory import Link, Memory, PastBasket, PastRead, Progress, Source

SAID_FOR_MS: Final = 10_000
"""A refusal stays until the next thing that went well, or so long."""
_CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the till stands at this moment; what it told before is `Memory`."""

    basket: OpenBasket | None
    cashier: str | None
    percent: int
    """How full the outbox is."""
    waiting: int
    """Baskets without a receipt."""
    clock_known: bool
    void_seq: int | None
    """The basket that a void would undo now."""


@dataclass(frozen=True, slots=True)
class State:
    """`level` is good, plain, warn or stop. `zh` is the large word, `detail_zh` one short sentence."""

    name: str
    level: str
    zh: str
    en: str
    detail_zh: str


_REVOKED = State("revoked", "stop", "本机已停用", "This till was revoked", "已暂停扫码，请联系主管部门")
_NOT_ADMITTED = State(
    "not_admitted",
    "stop",
    "未获准接入，暂停扫码",
    "Not admitted: reading has stopped",
    "已存记录不会丢失，请联系主管部门",
)
_FULL = State("full", "stop", "存储已满，暂停扫码", "Full: reading has stopped", "请检查网络并通知店长")
_STOPPED = State("stopped", "stop", "扫码终端已停止", "The till has stopped", "请通知店长")
_SOURCE_LOST = State("source_lost", "stop", "扫码器断开", "Reader lost", "请检查连接线，接好后自动恢复")
_SOURCE_ENDED = State("source_ended", "plain", "扫码已结束", "No more reads", "没有更多商品可扫")
_STARTING = State("starting", "plain", "正在启动", "Starting", "扫码器尚未就绪")
_OFFLINE = State("offline", "warn", "离线，照常扫码", "Offline, go on", "记录已存本机，联网后自动上传")
_CLOCK = State("clock_unsure", "warn", "时间未校准，照常扫码", "Clock not set yet, go on", "积分稍后核定")
_FEED_LOST = State("feed_lost", "warn", "收银系统断开", "Shop's till lost", "暂时收不到价格和件数，请检查连接线")
_FILLING = State("filling", "warn", "存储将满", "Nearly full", "请检查网络")
_READY = State("ready", "plain", "可以扫码", "Ready", "请扫商品标签或会员码")


def screen(memory: Memory, standing: Standing, *, mono_ms: int, device: str) -> dict[str, object]:
    """What the page shows, as JSON."""
    head, *also = _states(memory, standing, mono_ms)
    slip = next((past for past in memory.baskets if past.seq == memory.slip_due and past.claim), None)
    return {
        "device": device,
        "cashier": standing.cashier,
        "waiting": standing.waiting,
        "online": memory.link is Link.ONLINE,
        "state": _as_json(head),
        "also": [_as_json(state) for state in also if state.level in {"warn", "stop"}],
        "basket": _basket(standing.basket, dict(reversed(memory.hints))),
        "reads": [_past_read(past) for past in memory.reads],
        "baskets": [_past_basket(past) for past in memory.baskets],
        "slip": None if slip is None else {"seq": slip.seq, "claim": slip.claim},
        "void_seq": None if standing.basket is not None and standing.basket.reads else standing.void_seq,
    }


def _states(memory: Memory, standing: Standing, mono_ms: int) -> list[State]:
    """All that hold, the one that matters most first."""
    return [*_stopping(memory, standing), *_working(memory, standing, mono_ms), *_waiting(memory, standing), _READY]


def _stopping(memory: Memory, standing: Standing) -> Iterator[State]:
    if memory.stopped:
        yield _STOPPED
    if memory.barred is not None:
        yield _REVOKED if memory.barred == _REVOKED.name else _NOT_ADMITTED
    if standing.percent >= 100:  # noqa: PLR2004
        yield _FULL
    if memory.source is Source.LOST:
        yield _SOURCE_LOST


def _working(memory: Memory, standing: Standing, mono_ms: int) -> Iterator[State]:
    said, basket = memory.said, standing.basket
    if said is not None and mono_ms - said.at_mono < SAID_FOR_MS:
        refused = said.name == "refused"
        word = ("没有成功", "It was not done") if refused else ("请留意", "Please note")
        yield State(said.name, "warn", *word, said.text_zh)
    if basket is not None:
        yield _busy(basket)
    elif memory.slip_due is not None:
        yield State("slip", "good", "请把领取码交给顾客", "Claim code for the customer", "请顾客拍下，凭此码领取积分")


def _busy(basket: OpenBasket) -> State:
    pieces = sum(kept.read.qty for kept in basket.reads)
    if basket.member is not None:
        detail = f"已扫 {pieces} 件，积分计入该会员" if pieces else "请扫商品标签"
        return State("member", "good", "会员已识别", "Member known", detail)
    return State("reading", "good", "正在扫码", "Reading", f"已扫 {pieces} 件，可请顾客出示会员码")


def _waiting(memory: Memory, standing: Standing) -> Iterator[State]:
    if memory.source is Source.STARTING:
        yield _STARTING
    if memory.link is Link.OFFLINE:
        yield _OFFLINE
    if memory.feed_lost:
        yield _FEED_LOST
    if not standing.clock_known:
        yield _CLOCK
    if WARNING_PERCENT <= standing.percent < 100:  # noqa: PLR2004
        yield _FILLING
    if memory.source is Source.ENDED:
        yield _SOURCE_ENDED


def _as_json(state: State) -> dict[str, str]:
    return {
        "name": state.name,
        "level": state.level,
        "zh": state.zh,
        "en": state.en,
        "detail_zh": state.detail_zh,
    }


def _basket(basket: OpenBasket | None, hints: Mapping[str, str]) -> dict[str, object] | None:
    if basket is None:
        return None
    reads = [kept.read for kept in basket.reads]
    prices = [read.price_fen for read in reads if read.price_fen is not None]
    return {
        "member": basket.member is not None,
        "lines": [_line(number, read, hints.get(read.code, "")) for number, read in enumerate(reads, start=1)],
        "pieces": sum(read.qty for read in reads),
        "total_zh": yuan(sum(prices)) if prices else "",
    }


def _line(number: int, read: Read, hint_zh: str) -> dict[str, object]:
    price_zh = "" if read.price_fen is None else yuan(read.price_fen)
    return {"number": number, "code": shown_code(read.code), "qty": read.qty, "price_zh": price_zh, "hint_zh": hint_zh}


def _past_read(past: PastRead) -> dict[str, object]:
    code = "" if past.code is None else shown_code(past.code)
    return {"at": _clock(past.at_ms), "good": past.code is not None, "code": code, "said_zh": past.said_zh}


_PROGRESS_ZH: Final = {
    Progress.KEPT: "待上传",
    Progress.RECORDED: "已上传",
    Progress.SET_ASIDE: "服务器未接受，请通知店长",
    Progress.VOIDED: "已作废",
}


def _past_basket(past: PastBasket) -> dict[str, object]:
    reads = "" if past.reads is None else f"{past.reads} 次扫码"
    parts = [part for part in (reads, "会员" if past.member else "", _PROGRESS_ZH[past.progress]) if part]
    return {"seq": past.seq, "claim": past.claim, "said_zh": " · ".join(parts), "progress": past.progress.name.lower()}


def _clock(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, _CHINA):%H:%M:%S}"


def yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02}"
