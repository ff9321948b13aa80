"""The words and facts of what a till tells its cashier. Pure."""

from collections.abc import Sequence

from firmware_bridge.wire.claim_code import show_claim_code
from firmware_bridge.wire.messages import Clock as ClockReport
from firmware_bridge.wire.messages import ClockSource
from scanner.basket import Closing, Note
from scanner.feedback import Notice, Signal
from scanner.outbox import Fill, Row
from scanner.snapshot.sayings import Saying
from scanner.sources.model import CodeSeen

_CLOSED_BY_ZH = {
    "member": "下一位会员",
    "finish": "结单码",
    "button": "结单键",
    "timeout": "超时",
    "interrupted": "程序中断",
}


def beep(seen: CodeSeen, said: Saying, *, seq: int, stream: str) -> Notice:
    facts = {
        "seq": seq,
        "stream": stream,
        "code": seen.code,
        "symbology": seen.symbology,
        "aim": seen.aim,
        "src": seen.src,
        "votes": seen.votes,
        "qty": seen.qty,
        "price_fen": seen.price_fen,
        "expected": said.facts(),
    }
    price = "" if seen.price_fen is None else f" ¥{seen.price_fen // 100}.{seen.price_fen % 100:02}"
    text_zh = f"✓ 已读 {shown_code(seen.code)} ×{seen.qty}{price}：{said.text_zh}"
    return Notice("read", text_zh, f"read ({seen.symbology}): {said.text_en}", Signal.GOOD, facts)


def shown_code(code: str) -> str:
    """Fit for a line: what has no glyph is a dot, and 80 characters are enough."""
    return "".join(character if character.isprintable() else "·" for character in code[:80])


def closed(closing: Closing, row: Row, first_seq: int, stream: str, claim_code: str | None) -> Notice:
    with_member = closing.basket.member is not None
    facts = {
        **_row(row, stream),
        "closed_by": closing.by.value,
        "reads": len(closing.basket.reads),
        "member": with_member,
        "claim": None if claim_code is None else show_claim_code(claim_code),
        "part_of": None if row.seq == first_seq else first_seq,
        "void_of": None,
    }
    whose = "会员" if with_member else "未出示会员码"
    text_zh = f"第 {row.seq} 单结束（{_CLOSED_BY_ZH[closing.by]}，{whose}），已存本机。"
    return Notice("basket_closed", text_zh, f"Basket {row.seq} is closed and safe.", Signal.NONE, facts)


def voided(row: Row, seq: int, stream: str) -> Notice:
    facts = {
        **_row(row, stream),
        "closed_by": "finish",
        "reads": 0,
        "member": False,
        "claim": None,
        "part_of": None,
        "void_of": seq,
    }
    return Notice("basket_closed", f"第 {seq} 单已作废。", f"Basket {seq} is voided.", Signal.GOOD, facts)


def slip(seq: int, claim_code: str, printed: str) -> Notice:
    shown = show_claim_code(claim_code)
    facts = {"state": "slip", "seq": seq, "claim": shown}
    text_zh, text_en = f"第 {seq} 单领取码，请交给顾客：{shown}", "claim code for the customer"
    return Notice("state", text_zh, text_en, Signal.NONE, facts, slip=printed)


def of_step(note: Note) -> Notice:
    match note:
        case Note.MEMBER_ATTACHED:
            return state("member", "会员码有效，本单计入该会员。", "The basket belongs to this member.", Signal.GOOD)
        case Note.MEMBER_ALREADY_THERE:
            return state("member_repeated", "本单已是该会员。", "The basket already belongs to this member.")
        case Note.NOTHING_TO_CLOSE:
            return state("nothing_to_close", "没有进行中的单。", "No basket is open.")
        case Note.EMPTY_BASKET_DROPPED:
            return state("empty_dropped", "会员已出示但没有读码，本单取消。", "No label was read; nothing to record.")


def filling(fill: Fill) -> Notice:
    text_zh = f"未上传记录已占 {fill.percent}%，请检查网络。"
    text_en = f"The outbox is {fill.percent} % full; check the network."
    return state("outbox_warning", text_zh, text_en, Signal.WARNING, percent=fill.percent, baskets=fill.baskets)


def service_status(fill: Fill, clock: ClockReport) -> str:
    """The line that `systemctl status` shows."""
    known = "" if clock.src is ClockSource.NONE else f"，偏差 {clock.off_ms:+d} ms ±{clock.err_ms} ms"
    return f"待上传 {fill.baskets} 单，存储已用 {fill.percent}%；时钟 {clock.src}{known}"


def state(name: str, text_zh: str, text_en: str, signal: Signal = Signal.NONE, **facts: object) -> Notice:
    return Notice("state", text_zh, text_en, signal, {"state": name, **facts})


def closings(closing: Closing, rows: Sequence[Row], stream: str, claim_code: str | None) -> list[Notice]:
    """One notice a row: a long basket closes as several."""
    return [closed(closing, row, rows[0].seq, stream, claim_code) for row in rows]


def _row(row: Row, stream: str) -> dict[str, object]:
    return {"seq": row.seq, "stream": stream, "sha256": row.sha256}
