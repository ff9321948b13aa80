"""What a till says of itself once a minute (devices.md 1.10)."""

import math
import shutil
from collections import deque
from pathlib import Path

import orjson

from firmware_bridge.wire.messages import VERSION, Clock
from scanner.outbox import Outbox
from scanner.vitals import Vitals

_ACKS_KEPT = 200


class AckTimes:
    """The last 200 round trips to the broker, in milliseconds."""

    def __init__(self) -> None:
        self._ms: deque[int] = deque(maxlen=_ACKS_KEPT)

    def observe(self, ms: int) -> None:
        self._ms.append(ms)

    def p95_ms(self) -> int | None:
        ordered = sorted(self._ms)
        return ordered[len(ordered) * 95 // 100] if ordered else None


def health(
    outbox: Outbox,
    folder: Path,
    clock: Clock,
    acks: AckTimes,
    vitals: Vitals,
    *,
    resends: int,
    every_s: float,
    now_ts: int,
) -> bytes:
    """`every_s`: how often it is told; who hears nothing for three times as long takes the till for silent."""
    fill = outbox.fill()
    oldest = outbox.oldest_closed_ts()
    return orjson.dumps(
        {
            "v": VERSION,
            "ts": now_ts,
            "every_s": math.ceil(every_s),
            "outbox": {
                "stream": outbox.stream,
                "baskets": fill.baskets,
                "size_bytes": fill.size_bytes,
                "percent": fill.percent,
                "rejected": fill.rejected,
                "oldest_age_ms": None if oldest is None else max(0, now_ts - oldest),
                "set_aside": outbox.set_aside,
            },
            "resends": resends,
            "ack_ms_p95": acks.p95_ms(),
            "clk": {"src": clock.src, "off_ms": clock.off_ms, "err_ms": clock.err_ms},
            "disk_free_bytes": shutil.disk_usage(folder).free,
            "source": vitals.source_facts(),
            "part_deaths": vitals.part_deaths,
            **vitals.machine_facts(),
        }
    )


def birth(outbox: Outbox, *, session: int, boot: str, firmware: str, slot: str | None) -> bytes:
    fields = {"v": VERSION, "online": True, "session": session, "boot": boot, "fw": firmware, "slot": slot}
    return orjson.dumps(
        {**fields, "stream": outbox.stream, "outbox": outbox.fill().baskets, "set_aside": outbox.set_aside}
    )


def death(session: int) -> bytes:
    """Also the will: a consumer ignores it when a later session was born."""
    return orjson.dumps({"v": VERSION, "online": False, "session": session})
