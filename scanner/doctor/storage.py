"""The outbox, its disk and how that is mounted."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from scanner.doctor.model import Advice, Finding, ok, warn, wrong
from scanner.outbox import WARNING_PERCENT, Fill, Limits, Outbox
from scanner.outbox_file import broken_files
from scanner.settings import Settings

LATE_MS = 3_600_000
"""An hour without a receipt is more than a lost connection."""
FREE_BYTES_MIN = 50 * 2**20
_VOLATILE = frozenset({"tmpfs", "ramfs", "overlay"})
_JOURNALING = frozenset({"ext4", "ext3", "xfs", "btrfs", "f2fs", "zfs"})
_UNSAFE = frozenset({"nobarrier", "barrier=0", "data=writeback"})
_NETWORK = Advice("检查网络和消息服务器。", "Check the network and the broker.")


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of /proc/self/mountinfo."""

    point: str
    kind: str
    options: frozenset[str]


def examine(settings: Settings, now_ms: int) -> Iterator[Finding]:
    path = settings.outbox_path
    yield from _outbox(settings, now_ms)
    if broken := broken_files(path):
        yield warn(
            "set_aside",
            f"有 {len(broken)} 个损坏的存储文件待处理：{broken[0]}。",
            f"{len(broken)} broken outbox files wait for somebody: {broken[0]}.",
            Advice("连同 -wal 交主管部门恢复，之后移走。", "Hand it in with its -wal for recovery, then move it away."),
        )
    folder = next((parent for parent in path.parents if parent.is_dir()), Path("/"))
    yield judge_space(shutil.disk_usage(folder).free, settings.outbox_size_max_bytes, folder)
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    yield judge_mount(mount_of(str(folder.resolve()), mounts))


def _outbox(settings: Settings, now_ms: int) -> Iterator[Finding]:
    path = settings.outbox_path
    if not path.exists():
        advice = Advice(
            "启动终端即建立；若曾经用过，请查数据分区是否已挂载。",
            "Starting the till makes it; if it was there before: is the data partition mounted?",
        )
        yield warn("outbox", f"还没有待上传记录 {path}。", f"There is no outbox {path} yet.", advice)
        return
    limits = Limits(baskets_max=settings.outbox_baskets_max, size_max_bytes=settings.outbox_size_max_bytes)
    try:
        # Read only: looking must not change what is looked at, nor hold up the till that writes.
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5.0)) as connection:
            if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                raise sqlite3.DatabaseError("quick_check")  # noqa: TRY301
            outbox = Outbox(connection, limits, lambda: None)
            fill, oldest = outbox.fill(), outbox.oldest_closed_ts()
    except sqlite3.OperationalError as error:
        advice = Advice(
            f"以终端的用户运行；检查权限：ls -l {path}*", f"Ask as the till's user; check rights: ls -l {path}*"
        )
        yield wrong("outbox", f"待上传记录打不开：{error}。", f"The outbox cannot be opened: {error}.", advice)
    except sqlite3.DatabaseError as error:
        advice = Advice(
            "重启终端：文件会原样保留并上报，另建一份。",
            "Start the till again: the file is kept and reported, a new one begins.",
        )
        yield wrong("outbox", f"待上传记录已损坏：{error}。", f"The outbox is broken: {error}.", advice)
    else:
        yield judge_fill(fill)
        yield from _stopped(outbox.stopped)
        yield from judge_age(oldest, now_ms)
        yield from _rejected(fill)


def _stopped(why: str) -> Iterator[Finding]:
    if why:
        text_zh, text_en = (
            "本机已停用或未获准接入，已暂停扫码。",
            "This till was revoked or is not admitted: reading is stopped.",
        )
        advice = Advice(
            "请主管部门查看 greenpoints devices show；停用的终端须换新编号登记。",
            "Ask the city's office for greenpoints devices show; a revoked till needs a new id.",
        )
        yield wrong("admission", text_zh, text_en, advice)


def judge_fill(fill: Fill) -> Finding:
    text_zh = f"待上传 {fill.baskets} 单，存储已用 {fill.percent}%。"
    text_en = f"{fill.baskets} baskets wait; the outbox is {fill.percent} % full."
    if fill.percent >= 100:  # noqa: PLR2004
        return wrong("outbox", f"{text_zh}已停止扫码。", f"{text_en} Reading is stopped.", _NETWORK)
    if fill.percent >= WARNING_PERCENT:
        return warn("outbox", text_zh, text_en, _NETWORK)
    return ok("outbox", text_zh, text_en)


def judge_age(oldest_ts: int | None, now_ms: int) -> Iterator[Finding]:
    if oldest_ts is None:
        return
    age_ms = now_ms - oldest_ts
    if age_ms < 0:
        advice = Advice(
            "校准时钟：timedatectl；记录不受影响。", "Set the clock: timedatectl; what is recorded is safe."
        )
        yield warn("outbox_age", "时钟比最早的一单还早。", "The clock stands before the oldest basket.", advice)
    elif age_ms >= LATE_MS:
        hours = age_ms // LATE_MS
        yield warn(
            "outbox_age",
            f"最早的一单已等待 {hours} 小时。",
            f"The oldest basket has waited for {hours} hours.",
            _NETWORK,
        )


def _rejected(fill: Fill) -> Iterator[Finding]:
    if fill.rejected:
        yield warn(
            "rejected",
            f"{fill.rejected} 单被服务器隔离，已留存本机。",
            f"The server quarantined {fill.rejected} baskets; they are kept here.",
            Advice("请主管部门查看隔离原因。", "Ask the city's office why."),
        )


def judge_space(free_bytes: int, outbox_size_max_bytes: int, folder: Path) -> Finding:
    text_zh, text_en = f"{folder} 剩余 {free_bytes >> 20} MB。", f"{free_bytes >> 20} MB are free in {folder}."
    advice = Advice(f"清理磁盘：du -xh --max-depth=2 {folder}", f"Make room: du -xh --max-depth=2 {folder}")
    if free_bytes < FREE_BYTES_MIN:
        return wrong("disk", text_zh, text_en, advice)
    if free_bytes < outbox_size_max_bytes:
        more_zh, more_en = "待上传记录写不到上限。", "The outbox cannot grow to its limit."
        return warn("disk", f"{text_zh}{more_zh}", f"{text_en} {more_en}", advice)
    return ok("disk", text_zh, text_en)


def mount_of(folder: str, mountinfo: str) -> Mount:
    """What `folder`, an absolute path, lies on. Form of the lines: proc(5)."""
    found = Mount("/", "unknown", frozenset())
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point, options = before.split()[4].replace("\\040", " "), before.split()[5]
        kind, _, more = after.split()[:3]
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        # Of two on one point the later lies on top.
        if inside and len(point) >= len(found.point):
            found = Mount(point, kind, frozenset(f"{options},{more}".split(",")))
    return found


def judge_mount(mount: Mount) -> Finding:
    where_zh, where_en = f"数据在 {mount.point}（{mount.kind}）", f"The data lie on {mount.point} ({mount.kind})"
    guide = Advice("见 scanner/field/README.md 的“存储”。", "See Storage in scanner/field/README.md.")
    unsafe = ", ".join(sorted(_UNSAFE & mount.options))
    if mount.kind in _VOLATILE:
        return wrong("mount", f"{where_zh}，断电即失。", f"{where_en}: gone with the power.", guide)
    if "ro" in mount.options:
        return wrong(
            "mount", f"{where_zh}，只读，无法记录。", f"{where_en}, read only: nothing can be recorded.", guide
        )
    if unsafe:
        return wrong(
            "mount",
            f"{where_zh}，{unsafe} 会丢失已提交的记录。",
            f"{where_en}; {unsafe} loses what was committed.",
            guide,
        )
    if mount.kind not in _JOURNALING:
        return warn("mount", f"{where_zh}，不保证断电安全。", f"{where_en}, which may not outlive a power cut.", guide)
    if mount.point == "/":
        return warn("mount", f"{where_zh}，与系统同一分区。", f"{where_en}, together with the system.", guide)
    return ok("mount", f"{where_zh}。", f"{where_en}.")
