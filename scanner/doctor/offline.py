"""What the till can say and promise without a connection: how old its snapshot is, what its leases still hold."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from scanner.doctor.model import Advice, Finding, ok, warn
from scanner.lease.book import Book, read_book, usable
from scanner.settings import Settings
from scanner.snapshot.file import Held, held_in
from scanner.snapshot.part import snapshot_path

Answer = TypeVar("Answer")
_HOUR_MS = 3_600_000
_RENEWED = Advice(
    "联网后会自动更新；若已联网，检查 GREENPOINTS_TILL_BACKEND_URL。",
    "It is renewed once online; if it is online, check GREENPOINTS_TILL_BACKEND_URL.",
)


def examine(settings: Settings, now_ms: int) -> Iterator[Finding]:
    if settings.backend_url is not None:
        yield judge_snapshot(_asked(snapshot_path(settings), held_in), now_ms)
    yield judge_leases(read_book(_asked(settings.outbox_path, _book) or ""), now_ms)


def judge_snapshot(held: Held | None, now_ms: int) -> Finding:
    if held is None:
        text_zh, text_en = "还没有商品快照，读码不提示积分。", "There is no snapshot: reads tell no points."
        return warn("snapshot", text_zh, text_en, _RENEWED)
    hours = max(0, now_ms - held.checked_at) // _HOUR_MS
    if now_ms >= held.expires_at:
        text_zh, text_en = f"商品快照是 {hours} 小时前的，已过期。", f"The snapshot is {hours} hours old: out of date."
        return warn("snapshot", text_zh, text_en, _RENEWED)
    return ok("snapshot", f"商品快照是 {hours} 小时前的。", f"The snapshot is {hours} hours old.")


def judge_leases(book: Book, now_ms: int) -> Finding:
    """Having none is no fault: whether tills are lent anything is the city's choice."""
    held = usable(book, now_ms)
    if not held:
        return ok(
            "leases", "没有可用的离线租约，断网时不作承诺。", "No lease is in force: nothing is promised offline."
        )
    left: dict[tuple[str, str], int] = {}
    for one in held:
        key = one.lease.policy, one.lease.unit
        left[key] = left.get(key, 0) + one.left
    said = "，".join(f"{policy} {amount} {unit}" for (policy, unit), amount in sorted(left.items()))
    hours = (max(one.lease.until for one in held) - now_ms) // _HOUR_MS
    return ok("leases", f"离线租约尚余 {said}，{hours} 小时内有效。", f"Leases hold {said} for {hours} hours more.")


def _asked(path: Path, ask: Callable[[sqlite3.Connection], Answer]) -> Answer | None:
    """None where the file is not there or cannot be read: the outbox's own examination says why."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5.0)) as connection:
            return ask(connection)
    except sqlite3.Error:
        return None


def _book(connection: sqlite3.Connection) -> str:
    found = connection.execute("SELECT value FROM meta WHERE key = 'leases'").fetchone()
    return "" if found is None else str(found[0])
